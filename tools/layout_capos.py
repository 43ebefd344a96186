#!/usr/bin/env python3
"""Where programs lie under capOS, held against lib/layout on the host and against the numbers of the profile.

The shell starts address-print, fixed and position-independent, in each kind of layout, on 1, 2, 4 and 8 CPUs; what it
prints is kept in build/layout/capos.json, for tools/layout_linux.py. 200 spawns show how random the places are, by
tests that are calibrated first; a boot with the same `seed=N` must repeat them. What must be refused is tried in each
kind. `layout PID values` of live processes must be what capos-layout says, and make its figure.

layout_capos.py [--record]   only the file, in one boot
CAPOS_BUILD is the build directory. Last line: "run-layout: N passed, N failed". Logs: build/logs.
"""
import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import layout_chance
import layout_linux
import transcript
from layout_print import FLEXIBLE_BASE, PAGE, TASK_SIZE, TEXT, THIRD, Wish
from layout_print import ask, check_maps, check_places, check_stack, check_strings, page_up, parse, program_of
from qemu import Machine, explain, run

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
TOOL = BUILD / "capos-layout"
KEPT = Path("build/layout/capos.json")
LOGS = Path("build/logs")
TIMEOUT = float(os.environ.get("CAPOS_TIMEOUT", "180"))
AT_ONCE = max(1, min(4, (os.cpu_count() or 1)))
CPUS = (1, 2, 4, 8)
ARGUMENTS = ["one", "two"]
SPAWNS, FEW = 200, 12
SEED, OTHER_SEED = 20, 21  # of the machine
BITS = {"stack": 22, "mmap": 28, "image": 28, "heap": 18}  # of the profile amd64
KINDS = ("classic", "classic-random", "flexible")
WISHES = [
    Wish(is_movable, kind, seed, offset, stack)
    for is_movable in (False, True)
    for kind in KINDS
    for seed, offset, stack in ((None, False, "8M"), (7, False, "8M"), (8, True, "64K"), (9, False, "1G"))
]
LIVE = [Wish(False, "classic"), Wish(False, "classic-random", 7), Wish(False, "flexible", 8, True, "64M")]

BASES = re.compile(r"^bases 0x(\w+) 0x(\w+) 0x(\w+) 0x(\w+) (\w{32})$", re.M)
EDGE = re.compile(r"^edge (.*): (.*)$", re.M)
HEAP_END = re.compile(r"^edge_number heap_end 0x(\w+)$", re.M)
OVERFLOW = re.compile(r"^capos: fault: process \d+ fault-probe: stack overflow at 0x(\w+) ", re.M)
ENTROPY = re.compile(r"^capos: entropy: (.*)$", re.M)
VALUES = re.compile(r"^profile amd64\n(?:\w+ .*\n)+?task_size .*\n", re.M)
WORDS = re.compile(r"^amd64, [a-z-]+: mmap_base .*\n(?:0x.*\n)+", re.M)

# What the system answers to `address-print edges`; all of it is in a transcript, and nothing else.
HOLE, GUARD = ("at 0", "in the hole", "at the end of the hole", "above the stack"), ("at the start of the guard",)
GUARD += ("at the end of the guard", "in the stack's room")
EDGES = {f"{verb} {where}": "not user address" for where in HOLE for verb in ("map", "reserve")}
EDGES |= {f"{verb} {where}": "occupied" for where in GUARD for verb in ("map", "reserve")}
EDGES |= {f"{verb} {where}": "not reserved" for where in GUARD for verb in ("commit", "protect", "unmap")}
EDGES |= {f"{verb} on the CapSet": "bootstrap range" for verb in ("map", "reserve")}
EDGES |= {f"hint {where}": "elsewhere" for where in (*HOLE, *GUARD, "on the CapSet")}
EDGES |= {f"heap: {step}": "ok" for step in ("ask", "page in the way", "up to it", "ask again")}
EDGES |= {f"heap: {step}": "heap meets mapping" for step in ("a byte further", "past its area")}
EDGES |= {"heap: after that": "as before", "unmap of it": "ok"}

# What the other suites show of layouts (tests/smoke), which must not be lost.
SHOWN = {
    "elf-smoke": "bss-is-zero stack-is-aligned arguments-are-given auxiliary-vector-is-good random-bytes-are-random "
    "stack-has-its-size-and-a-guard stack-grows layout-is-as-told nothing-is-mapped-elsewhere",
    "vm-contract": "break-grows-and-shrinks heap-is-the-programs-own mappings-keep-together stack-grows-on-demand "
    "lazy-memory-is-charged-at-once touch-needs-no-quota stack-has-a-guard",
    "spawn-contract": "layouts-are-as-asked position-independent-programs-run classic-maps-from-a-third "
    "same-seed-same-layout layouts-are-random stack-grows-to-its-limit stack-ends-at-its-limit "
    "much-bss-takes-no-frames each-kind-is-told-and-mended region-grows thread-stack-has-a-guard "
    "stack-of-a-thread-grows handler-is-told-of-a-stack-overflow handler-is-told-of-a-stack-over-its-ledger",
}


def boot(name: str, typed: str, cpus: int = 1, words: str = "") -> tuple[str, list[str]]:
    """The transcript of a session of the shell, and complaints about how it went."""
    machine = Machine("q35", cpus, "128M", BUILD, append=f"once {words}".strip(), timeout=TIMEOUT)
    machine = replace(machine, log=LOGS / f"layout-{name}.log")
    result = run(machine, f"{typed}check\nexit\n".encode())
    output = result.output
    if result.why == "the guest halted with code 0":
        return output, transcript.check_init("exit 0")(output) + transcript.check_invariants(output)
    tail = [f"| {line}" for line in output.splitlines()[-30:] + explain(machine, output)]
    return output, [result.why, f"the whole run: {machine.log}", *tail]


# ---- each kind ----


def run_line(wish: Wish, *arguments: str) -> str:
    return f"run {' '.join([wish.program, *arguments])} with {wish.words()}\n"


def file_of(name: str) -> Path:
    return BUILD / "user" / name


def layout_of(wish: Wish) -> dict:
    return ask(TOOL, wish, program_of(file_of(wish.program)).image_bytes)


def check_numbers(wish: Wish, values: dict) -> list[str]:
    """The profile's own numbers, which are not lib/layout's to decide."""
    rules = {"text at 0x400000": wish.is_movable or values["image"] == TEXT}
    rules["image above text"] = values["image"] >= TEXT
    if wish.kind == "classic":
        rules["the first mapping at TASK_SIZE / 3, exactly"] = values["mmap_1"] == THIRD
    if wish.kind == "classic-random" and wish.seed is not None:
        rules["the first mapping above TASK_SIZE / 3"] = THIRD < values["mmap_1"] < THIRD + (PAGE << BITS["mmap"])
    if wish.seed is None:
        rules["the stack ends at STACK_TOP"] = values["maps"][-1][1] == TASK_SIZE
    if wish.seed is None and wish.kind == "flexible" and wish.stack == "8M":
        rules["the first mapping ends at the mmap base"] = values["mmap_1"] + PAGE == FLEXIBLE_BASE
    if not wish.heap_offset:
        rules["the heap directly above the image"] = 0 <= values["heap"] - values["image_end"] <= 2 * PAGE
    return [f"not so: {rule}" for rule, holds in rules.items() if not holds]


def check_wish(wish: Wish, text: str) -> list[str]:
    values, layout = parse(text), layout_of(wish)
    if "end" not in text.splitlines():
        return [f"{wish.program} with {wish.words()} did not come to its end"]
    complaints = check_places(values, layout, program_of(file_of(wish.program))) + check_maps(values, layout)
    complaints += check_stack(values) + check_strings(values, layout["stack"][1], wish.program, ARGUMENTS)
    return [f"{wish.program} with {wish.words()}: {said}" for said in complaints + check_numbers(wish, values)]


def try_kinds(cpus: int) -> tuple[list[str], list[dict], list[tuple]]:
    """Complaints; what was printed; and the bases of two runs for which nothing was asked."""
    typed = "".join(run_line(wish, *ARGUMENTS) for wish in WISHES) + "run address-print-pie bases\n" * 2
    output, complaints = boot(f"kinds-smp-{cpus}", typed, cpus)
    said = [text for name, text in transcript.runs_of(output) if name.startswith("address-print")]
    if len(said) != len(WISHES) + 2:
        return complaints + [f"{len(said)} runs, not {len(WISHES) + 2}"], [], []
    complaints += [line for wish, text in zip(WISHES, said) for line in check_wish(wish, text)]
    if not (entropy := ENTROPY.search(output)) or "nothing is random" in entropy[1]:
        complaints.append(f"entropy: {entropy and entropy[1]}")
    if len(bases := BASES.findall(output)) != 2:
        complaints.append(f"bases of a run for which nothing was asked: {bases}")
    runs = [{"wish": asdict(wish), "values": parse(text)} for wish, text in zip(WISHES, said)]
    return complaints, runs, bases


def keep(runs: list[dict]) -> None:
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(runs, indent=1) + "\n")


# ---- chance ----


def try_bases(name: str, count: int, cpus: int, words: str) -> tuple[list[tuple], list[str]]:
    """The bases of so many spawns, with random offsets for all parts."""
    typed = "run address-print-pie bases with layout flexible, layout_heap_offset\n" * count
    output, complaints = boot(name, typed, cpus, words)
    if len(bases := BASES.findall(output)) != count:
        complaints.append(f"{len(bases)} spawns, not {count}")
    return bases, complaints


def offsets(bases: list[tuple]) -> dict[str, list[int]]:
    """In pages, by the part, as the table in docs/layouts.md has them."""
    numbers = [[int(word, 16) for word in line[:4]] for line in bases]
    image_end = program_of(file_of("address-print-pie")).image_bytes
    highest = TASK_SIZE - layout_of(Wish(True, "flexible", 1))["gap"]
    apart = {
        "stack": [TASK_SIZE - page_up(argv) for _, _, _, argv in numbers],
        "mmap": [highest - (page + PAGE) for _, _, page, _ in numbers],
        "image": [image - TEXT for image, _, _, _ in numbers],
        "heap": [heap - image - image_end for image, heap, _, _ in numbers],
    }
    return {part: [number // PAGE for number in sample] for part, sample in apart.items()}


def check_chance(bases: list[tuple]) -> list[str]:
    complaints = []
    for part, sample in offsets(bases).items():
        complaints += layout_chance.check(part, sample, BITS[part])
    if len({words for *_, words in bases}) != len(bases):
        complaints.append("AT_RANDOM of two spawns is the same")
    return complaints


def check_differ(one: list[tuple], other: list[tuple]) -> list[str]:
    """No spawn of the one has a place or random bytes of the same spawn of the other."""
    return [f"both have {same}" for a, b in zip(one, other) for same in [set(a) & set(b)] if same]


# ---- what is refused ----


def check_edges(wish: Wish, said: list[str]) -> list[str]:
    """Of three runs: what address-print tried, a touch of the guard's first byte, and a recursion into the guard."""
    layout = layout_of(wish)
    complaints = []
    seen = dict(EDGE.findall(said[0]))
    wrong = [(what, answer) for what, answer in EDGES.items() if seen.get(what) != answer]
    complaints += [f"{what}: {seen.get(what)}, not {answer}" for what, answer in wrong]
    complaints += [f"not expected: {what}" for what in seen.keys() - EDGES.keys()]
    if set(answer for what, answer in EDGE.findall(said[0]) if what == "unmap of it") != {"ok"}:
        complaints.append("a mapping beside its hint is not there")
    if [int(end, 16) for end in HEAP_END.findall(said[0])] != [layout["heap"][1]]:
        complaints.append(f"the heap ends at {HEAP_END.findall(said[0])}")
    touched, recursed = ([int(address, 16) for address in OVERFLOW.findall(text)] for text in said[1:])
    if touched != [layout["guard"][0]]:
        complaints.append(f"touch of the guard: stack overflow at {touched}, not 0x{layout['guard'][0]:x}")
    if len(recursed) != 1 or not layout["guard"][1] - 16 * PAGE <= recursed[0] < layout["guard"][1]:
        complaints.append(f"recursion: stack overflow at {recursed}, not below 0x{layout['guard'][1]:x}")
    return [f"{wish.words()}: {complaint}" for complaint in complaints]


def try_edges() -> list[str]:
    """In each kind, with offsets and without."""
    wishes = [Wish(False, kind, seed, stack=stack) for kind in KINDS for seed, stack in ((None, "8M"), (7, "64K"))]
    probes = ("address-print edges", "fault-probe guard", "fault-probe recursion")
    typed = "".join(f"run {probe} with {wish.words()}\n" for wish in wishes for probe in probes)
    output, complaints = boot("edges", typed)
    said = [text for _, text in transcript.runs_of(output)]
    if len(said) != len(wishes) * len(probes):
        return complaints + [f"{len(said)} runs"]
    return complaints + [line for i, wish in enumerate(wishes) for line in check_edges(wish, said[3 * i : 3 * i + 3])]


def check_shown() -> list[str]:
    """Run by run-vm and run-spawn, which fail if a line of these lists is not said."""
    shown = [(program, line) for program, lines in SHOWN.items() for line in lines.split()]
    lost = [(program, line) for program, line in shown if line not in transcript.passing_lines(program)]
    return [f"{program} does not show {line}" for program, line in lost]


# ---- live processes ----


def tool(arguments: list[str], given: str = "") -> str:
    done = subprocess.run([str(TOOL), *arguments], input=given, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else f"exit status {done.returncode}: {done.stderr}"


def without_sizes(text: str) -> str:
    """The shell and the host round sizes each in its own way."""
    return re.sub(r" +\d+(?:\.\d)? \w+?(?=  )", "", text)


def try_live() -> list[str]:
    """`layout PID values` is what capos-layout says of the same wish, and what it draws from."""
    typed = "".join(f"spawn endless with {wish.words()}\n" for wish in LIVE)
    typed += "".join(f"layout {process} values\nlayout {process}\n" for process in range(2, 2 + len(LIVE)))
    output, complaints = boot("live", typed + "layout 2 figures\n")
    complaints += transcript.check_says("layout: `values` or nothing behind the PID, not figures")(output)
    size = program_of(file_of("endless")).image_bytes
    values = [tool(["--values", "--image", str(size), *wish.options()]) for wish in LIVE]
    if (seen := VALUES.findall(output)) != values:
        complaints.append(f"values of live processes: {seen}, not {values}")
    words, drawn = WORDS.findall(output), tool(["--from", "-"], output)
    if without_sizes("\n".join(words)) != without_sizes(drawn):
        complaints.append(f"`layout` says {words}, capos-layout {drawn}")
    figure = tool(["--from", "-", "--svg"], output)
    shown = {address for text in words for line in text.splitlines()[1:] for address in re.findall(r"0x(\w{12})", line)}
    missing = [address for address in sorted(shown) if f">0x{int(address, 16):x}</text>" not in figure]
    if not figure.endswith("</svg>\n") or not shown or missing:
        complaints.append(f"the figure of live processes lacks {missing}: {figure[:200]}")
    (KEPT.parent / "live.svg").write_text(figure)
    return complaints


# ---- all ----


def try_all(report: Callable[[str, list[str]], None]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        kinds = {cpus: pool.submit(try_kinds, cpus) for cpus in CPUS}
        many = pool.submit(try_bases, "chance", SPAWNS, 1, f"seed={SEED}")
        again = pool.submit(try_bases, "same-seed", FEW, 4, f"seed={SEED}")
        other = pool.submit(try_bases, "other-seed", FEW, 1, f"seed={OTHER_SEED}")
        edges, live = pool.submit(try_edges), pool.submit(try_live)
        unasked = []
        for cpus, job in kinds.items():
            complaints, runs, bases = job.result()
            report(f"{len(WISHES)} layouts as capos-layout says, smp {cpus}", complaints)
            unasked.append(bases)
            if cpus == 1 and runs:
                keep(runs)
        pairs = [(one, other) for i, one in enumerate(unasked) for other in unasked[:i]]
        report("without a seed each boot is another", [said for pair in pairs for said in check_differ(*pair)])
        for part in sorted(BITS):
            report(f"calibration of the tests: {part}", layout_chance.calibrate(SPAWNS, BITS[part]))
        bases, complaints = many.result()
        report(f"{SPAWNS} spawns: distinct, and fair by chi-square", complaints or check_chance(bases))
        repeated, complaints = again.result()
        complaints += [f"{one}, not {first}" for one, first in zip(repeated, bases) if one != first]
        report("the same seed, the same places", complaints)
        others, complaints = other.result()
        report("another seed, other places", complaints or check_differ(bases, others))
        report("hole, window, guard, heap and stack: what is refused", edges.result())
        report("live processes as text and as a figure", live.result())
    report("what other suites show", check_shown())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="only write down what the kinds print")
    if parser.parse_args().record:
        complaints, runs, _ = try_kinds(1)
        print("".join(f"{complaint}\n" for complaint in complaints), end="")
        if runs:
            keep(runs)
        return 1 if complaints else 0
    outcomes = []

    def report(name: str, complaints: list[str]) -> None:
        print(f"{name}: {'FAILED' if complaints else 'ok'}", flush=True)
        for complaint in complaints:
            print(f"  {complaint}")
        outcomes.append(not complaints)

    KEPT.unlink(missing_ok=True)
    try_all(report)
    if KEPT.exists():
        outcomes += layout_linux.compare(KEPT, is_short=True)
    else:
        report("comparison with Linux", ["there is nothing to compare with"])
    print(f"run-layout: {sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
