#!/usr/bin/env python3
"""`make prove-lib`: every proof of proofs/, one line a property; last line "prove-lib: N passed, N failed".

prove.py [--only WORD]
A tool that cannot be had fails its proofs: what was not proved does not pass. Properties:
  proofs/wp/wp_NAME.c      each function of lib/ with a contract there, or named in a line "proves: ...", by Frama-C/WP:
                           for all inputs and sizes; "lemmas" there: those of the headers that it includes. And that
                           nothing there contradicts itself, as far as a prover sees in a number of steps
  proofs/cbmc/cbmc_NAME.c  each PROOF(name), by CBMC: within the bounds of its lines "options name: ..."
                           and, for all of a file, "options each: ..."; --no-FLAG takes a flag of all proofs away
  proofs/spin/NAME.pml     each line "run NAME: ..." of the model's comment, by spin
--only takes the properties whose tool, file or name has WORD in it.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "capos"
WHY3_CONFIGURATION = ROOT / "build" / "prove" / "why3.conf"
SMOKE_STEPS = 60000  # of cvc4, about a third of a second, to find a contradiction
LIMIT_SECONDS = 600  # for one property of CBMC or spin

WP_FLAGS = "-machdep gcc_x86_64 -c11 -wp -wp-rte -warn-unsigned-overflow -wp-cache none".split()
KINDS = """requires assigns ensures exits assert invariant variant breaks continues returns complete_behaviors
disjoint_behaviors lemma""".split()
SMOKE_FLAGS = ["-wp-smoke-tests", "-wp-smoke-timeout", "20", "-wp-prop=" + ",".join(f"-@{kind}" for kind in KINDS)]
CBMC_FLAGS = """--no-standard-checks --unwinding-assertions --bounds-check --pointer-check --pointer-overflow-check
--pointer-primitive-check --signed-overflow-check --div-by-zero-check --undefined-shift-check""".split()

GOAL = re.compile(r"^\[wp\] \[.+?\] Goal typed_(\S+) : (\w+)", re.M)
SMOKE = re.compile(r"^\[wp\] \[(?:Passed|Failed)\] Smoke-test typed_(\S+)", re.M)
UNREACHED = re.compile(r"^\[wp\] (\S+):(\d+): Warning: Failed smoke-test", re.M)
PROMISE = re.compile(r"\b(?:CHECK|ASSERT)\(")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
CONTRACT = re.compile(r"^(?:static|enum|void|bool|const|uint\w+)\b[^;{}=#]*?\b(\w+)\([^;{}]*\);", re.M)
GOAL_COUNT = re.compile(r"Proved goals:\s+(\d+) / (\d+)")
ANNOTATED = re.compile(r"^\[rte:annot\] annotating function (\w+)", re.M)
PROVES = re.compile(r"^ \* proves: (.*)$", re.M)
PROOF = re.compile(r"^PROOF\((\w+)\)", re.M)
OPTIONS = re.compile(r"^ \* options (\w+): (.*)$", re.M)
LINKS = re.compile(r"^ \* links: (.*)$", re.M)
RUN = re.compile(r"^ \* run (\w+): (.*)$", re.M)
CHECKS = re.compile(r"^\*\* (\d+) of (\d+) failed", re.M)


@dataclass
class Effort:
    """What a prover may spend on one goal."""

    steps: int  # of cvc4: 200,000 are about a second
    z3_seconds: int


EFFORT = Effort(steps=2000000, z3_seconds=20)


@dataclass
class Outcome:
    tool: str
    name: str
    proved: int
    total: int
    seconds: float
    output: str = ""
    refuted: bool = False  # CBMC has found a case against it

    @property
    def passed(self) -> bool:
        return self.total > 0 and self.proved == self.total


Job = Callable[[], Outcome]


def run(arguments: list[str], directory: Path = ROOT, limit: float | None = LIMIT_SECONDS) -> tuple[int, str, float]:
    """In a folder for its own files and a session of its own: what it has started and left ends with it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="capos-prove-") as scratch:
        process = subprocess.Popen(
            arguments,
            cwd=directory,
            # Frama-C asks PWD
            env=dict(os.environ, WHY3CONFIG=str(WHY3_CONFIGURATION), PWD=str(directory), TMPDIR=scratch),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, late = process.communicate(timeout=limit)[0], ""
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, late = process.communicate()[0], f"no end after {limit:.0f} s\n"
        except BaseException:  # ^C is the caller's session's alone
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return -1 if late else process.returncode, output.decode(errors="replace") + late, time.monotonic() - started


def missing(tool: str, path: Path) -> Outcome:
    return Outcome(tool, path.stem, 0, 1, 0, f"{tool} cannot be had here: nothing is proved\n")


# ---- Frama-C/WP ----


def function_of(goal: str, functions: list[str]) -> str:
    """The goal's name begins with its function's; other goals are about the predicates and lemmas."""
    fitting = [name for name in functions if goal == name or goal.startswith(f"{name}_")]
    return max(fitting, key=len, default="lemmas")


def function_of_goal(goal: str, functions: list[str]) -> str:
    return function_of(re.sub(r"^(?:lemma|check_lemma)_", "", goal), functions)


def prove_wp(path: Path, root: Path = ROOT, functions: str = "", effort: Effort = EFFORT) -> list[Outcome]:
    text = (root / path).read_text()
    named = CONTRACT.findall(COMMENT.sub("", text)) + " ".join(PROVES.findall(text)).split()
    with_lemmas = "lemmas" in named or re.search(r"\blemma \w+", text)  # what the functions' proofs take for granted
    fitting = functions or ",".join(name for name in named if name != "lemmas")
    found = ask_wp(path, root, ["-wp-fct", fitting], effort) if fitting else []
    if not functions:
        if with_lemmas:
            found += ask_wp(path, root, ["-wp-prop=@lemma"], effort)
        if fitting:
            found.append(look_for_contradictions(path, root, fitting))
    return found


def frama_c(path: Path, root: Path, asked: list[str]) -> tuple[int, str, float]:
    include = "-I. -D__FRAMAC__ -DCAPOS_DEBUG"
    arguments = ["frama-c", f"-cpp-extra-args={include}", *WP_FLAGS, "-wp-par", str(os.cpu_count()), str(path)]
    return run(arguments + asked, root, None)


def look_for_contradictions(path: Path, root: Path, functions: str) -> Outcome:
    """WP's smoke tests: each precondition, case, loop invariant and statement can be met, each call comes back; of
    what cannot, a prover would find a proof. That is wanted where a CHECK or ASSERT has failed, and only there."""
    label = f"{path.stem[3:]}: no contradiction"
    if not shutil.which("frama-c"):
        return missing("wp", path)
    asked = ["-wp-prover", "cvc4", "-wp-steps", str(SMOKE_STEPS), *SMOKE_FLAGS, "-wp-fct", functions]
    status, output, took = frama_c(path, root, asked)
    total = len(SMOKE.findall(output))
    places = [(name, int(number)) for name, number in UNREACHED.findall(output)]
    lines = [(f"{name}:{number}", (root / name).read_text().splitlines()[number - 1]) for name, number in places]
    wrong = [f"{place}: cannot be\n" for place, line in lines if not PROMISE.search(line)]
    if status != 0 or total == 0 or GOAL_COUNT.search(output) is None:
        return Outcome("wp", label, 0, 1, took, output)
    return Outcome("wp", label, total - len(wrong), total, took, "".join(wrong))


def ask_wp(path: Path, root: Path, asked: list[str], effort: Effort) -> list[Outcome]:
    """cvc4 in a number of steps, whatever else the machine does; what is left to z3, which knows more of bits."""
    if not shutil.which("frama-c"):
        return [missing("wp", path)]
    limits = ["-wp-prover", "cvc4", "-wp-steps", str(effort.steps), "-wp-timeout", str(LIMIT_SECONDS)]
    status, output, took = frama_c(path, root, [*limits, *asked])
    counts = GOAL_COUNT.search(output)
    if status != 0 or not counts:
        return [Outcome("wp", path.stem, 0, 1, took, output)]
    names = ANNOTATED.findall(output)
    is_proved = {goal: verdict == "Valid" for goal, verdict in GOAL.findall(output)}
    silent, silent_proved = int(counts[2]) - len(is_proved), int(counts[1]) - sum(is_proved.values())
    if not all(is_proved.values()):
        left = {function_of_goal(goal, names) for goal, proved in is_proved.items() if not proved}
        only = ["-wp-fct", ",".join(sorted(left))] if "lemmas" not in left else asked
        _, more, took_more = frama_c(path, root, ["-wp-prover", "z3", "-wp-timeout", str(effort.z3_seconds), *only])
        took += took_more
        is_proved.update({goal: True for goal, verdict in GOAL.findall(more) if goal in is_proved and verdict == "Valid"})
    outcomes: dict[str, Outcome] = {}
    for goal, proved in is_proved.items():
        name = function_of_goal(goal, names)
        outcome = outcomes.setdefault(name, Outcome("wp", f"{path.stem[3:]}: {name}", 0, 0, 0))
        outcome.total += 1
        outcome.proved += proved
        outcome.output += "" if proved else f"not proved: {goal}\n"
    found = list(outcomes.values())
    if silent > 0:  # goals that Frama-C counts without a line of their own
        found.append(Outcome("wp", f"{path.stem[3:]}: trivial goals", silent_proved, silent, 0))
    for outcome in found:
        outcome.seconds = took * outcome.total / int(counts[2])
    return sorted(found, key=lambda outcome: outcome.name)


# ---- CBMC ----


def cbmc_folder() -> Path | None:
    own = shutil.which("cbmc")
    if own:
        return Path(own).parent
    private = CACHE / "cbmc" / "bin"
    return private if (private / "cbmc").exists() else None


def with_options(words: list[str]) -> list[str]:
    """CBMC's flags and a proof's own; --no-FLAG takes --FLAG away, --no-checks all but those of loops."""
    away = [word for word in words if "--" + word.removeprefix("--no-") in CBMC_FLAGS or word == "--no-checks"]
    kept = [flag for flag in CBMC_FLAGS if "--no-" + flag[2:] not in away]
    if "--no-checks" in away:
        kept = [flag for flag in kept if not flag.endswith("-check")]
    return kept + [word for word in words if word not in away]


def cbmc_jobs(path: Path, only: str, root: Path = ROOT, more: tuple[str, ...] = ()) -> list[Job]:
    text = (root / path).read_text()
    names = [name for name in PROOF.findall(text) if only in f"cbmc {path.stem} {name}"]
    folder = cbmc_folder()
    if folder is None:
        return [lambda: missing("cbmc", path)] if names else []
    options = OPTIONS.findall(text)
    links = " ".join(LINKS.findall(text)).split()
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"  # cbmc calls the solvers beside it

    def prove_one(name: str) -> Outcome:
        words = " ".join(line for whose, line in options if whose in (name, "each")).split()
        arguments = [str(folder / "cbmc"), "-I.", "-D__CPROVER__", "--function", name, str(path)]
        arguments += ["proofs/cbmc/cbmc_check.c", *links, *with_options(words), *more]
        return cbmc_outcome(f"{path.stem[5:]}: {name}", *run(arguments, root))

    return [partial(prove_one, name) for name in names]


def prove_cbmc(path: Path, only: str = "", root: Path = ROOT, more: tuple[str, ...] = ()) -> list[Outcome]:
    return [job() for job in cbmc_jobs(path, only, root, more)]


def cbmc_outcome(name: str, status: int, output: str, took: float) -> Outcome:
    counts = CHECKS.search(output)
    total = int(counts[2]) if counts else 1
    proved = total - int(counts[1]) if counts else 0
    if status != 0:
        proved = min(proved, total - 1)
    failures = "".join(f"{line}\n" for line in output.splitlines() if "FAILURE" in line or "rror" in line)
    refuted = "VERIFICATION FAILED" in output
    return Outcome("cbmc", name, proved, total, took, failures or output[-2000:], refuted)


# ---- spin ----


def spin_jobs(path: Path, only: str) -> list[Job]:
    runs = [(name, flags) for name, flags in RUN.findall(path.read_text()) if only in f"spin {path.stem} {name}"]
    if not shutil.which("spin"):
        return [lambda: missing("spin", path)] if runs else []
    return [partial(check_model, path, name, flags.split()) for name, flags in runs]


def check_model(path: Path, name: str, flags: list[str]) -> Outcome:
    """A run passes if spin finds no error; one whose flags have -DBROKEN... passes if it finds one."""
    defines = [flag for flag in flags if flag.startswith("-D")]
    arguments = [flag for flag in flags if not flag.startswith("-D")]
    broken = any(flag.startswith("-DBROKEN") for flag in defines)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        build = [["spin", "-a", *defines, str(path)], ["gcc", "-O2", "-w", "-DVECTORSZ=2048", "-o", "pan", "pan.c"]]
        for step in build:
            status, output, _ = run(step, Path(folder))
            if status != 0:
                return Outcome("spin", f"{path.stem}: {name}", 0, 1, time.monotonic() - started, output)
        status, output, _ = run(["./pan", "-m1000000", "-n", *arguments], Path(folder))
        took = time.monotonic() - started
    errors = re.search(r"errors: (\d+)", output)
    complete = status == 0 and "max search depth too small" not in output and "out of memory" not in output
    states = re.search(r"(\d+) states, stored", output)
    found = errors is not None and (int(errors[1]) > 0) == broken and (complete or broken)
    label = f"{path.stem}: {name} ({states[1] if states else '?'} states)"
    return Outcome("spin", label, int(found), 1, took, output)


def prepare() -> None:
    """What is missing is installed; what cannot be is said by the proofs that need it."""
    subprocess.run(["tools/setup.sh", "prove"], cwd=ROOT, check=False)
    if cbmc_folder() is None:
        subprocess.run(["tools/install_cbmc.sh", str(CACHE / "cbmc")], cwd=ROOT, check=False)
    if shutil.which("why3") and not WHY3_CONFIGURATION.exists():
        WHY3_CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
        run(["why3", "-C", str(WHY3_CONFIGURATION), "config", "detect"])


def properties(only: str):
    """All outcomes in order, as they come. Frama-C keeps every CPU busy by itself."""
    jobs = [job for path in sorted((ROOT / "proofs/spin").glob("*.pml")) for job in spin_jobs(path, only)]
    for path in sorted((ROOT / "proofs/cbmc").glob("cbmc_*.c")):
        jobs += cbmc_jobs(path.relative_to(ROOT), only)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda job: job(), jobs)
    for path in sorted((ROOT / "proofs/wp").glob("wp_*.c")):
        if only in f"wp {path.stem}":
            yield from prove_wp(path.relative_to(ROOT))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    prepare()
    passed = failed = 0
    for outcome in properties(options.only):
        verdict = "ok" if outcome.passed else "FAILED"
        print(f"{outcome.tool:4} {outcome.name}: {outcome.proved}/{outcome.total} {verdict} ({outcome.seconds:.1f} s)")
        if not outcome.passed:
            print(outcome.output, end="")
        sys.stdout.flush()
        passed += outcome.passed
        failed += not outcome.passed
    if passed + failed == 0:
        print(f"no property has \"{options.only}\" in its name")
        failed = 1
    print(f"prove-lib: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
