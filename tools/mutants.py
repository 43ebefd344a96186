#!/usr/bin/env python3
"""`make mutants`: switch off one check of the kernel at a time and see a test notice.

ONE=NAME tries one (or those with that in their names, or several with commas), JOBS=N runs so many at once, LIST=1
checks the list against the tree, prints it and runs nothing.

Each section of tests/mutants/*.txt is one mutant, in the form that tests/mutants/README.md describes. It is put into a
copy of the tree below build/mutants, built there and given to the test that it names. It is caught if that test fails
in the way that it names, and in no other: a build that fails, a run that ends late or with another message is none. The
copy as it is must pass each of these tests first. Last line: "N mutants, N caught, N survived".
"""
import argparse
import difflib
import os
import queue
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from qemu import Machine, explain
from qemu import run as run_machine

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tests" / "mutants"
COPIES = ROOT / "build" / "mutants"
SOUND_SECONDS = 1800  # the longest that a test of the tree as it is may take
HOST_SECONDS, MACHINE_SECONDS = 120, 300  # of a mutant, or LONGER times what that took
LONGER = 4
WORDS = "build/words.txt"  # part of the boot package; takes long to make
SAID = re.compile(r"^\[  FAILED  \] (\w+)$", re.M)
# What a program, or the kernel about it, says when something is wrong.
NOTICED = re.compile(r"^FAILED|PANIC|: check failed: |: fault: process 1 ")
TEST_SCALE = "4"  # host tests divide their rounds by it: a mutant is no rare event
FIELD = re.compile(r"(file|test|by|breaks): (.+)")
# Of user/demos/shortage, which breaks programs: what they say is no sign.
NOTICED_IN_SHORTAGE = re.compile(r"^WRONG|PANIC")
TEST = re.compile(r"host ([a-z_]+)|(self-tests|[a-z-]+|shortage(?: [a-z0-9-]+)+) on ([1-8]) CPUs?")
RAN = re.compile(r"^\[ RUN +\] (\w+)", re.M)
WELL = re.compile(r"^\[ +(?:OK|SKIPPED) \] (\w+)", re.M)  # too few rounds for some tests
# Each make is one of its own. Warnings are off: what a mutant leaves unused is no fault of it.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
MAKE = ["nice", "make", "-s", "MODE=release", "CC=gcc", "WARNINGS=-w"]


class Failure(Exception):
    """The list, or the tree as it is, is not what it must be."""


@dataclass
class Hunk:
    file: str
    old: str = ""
    new: str = ""


@dataclass
class Mutant:
    name: str
    place: str  # in the list
    test: str = ""
    by: str = ""  # what the test says when it has noticed
    breaks: str = ""
    hunks: list[Hunk] = field(default_factory=list)


# ---- the list ----


def read_line(mutant: Mutant, line: str) -> None:
    if match := FIELD.fullmatch(line):
        if match[1] == "file":
            mutant.hunks.append(Hunk(match[2]))
        elif getattr(mutant, match[1]):
            raise Failure(f"{mutant.place}: {mutant.name}: {match[1]} twice")
        else:
            setattr(mutant, match[1], match[2])
    elif mutant.hunks and line[0] in "-+|":
        mutant.hunks[-1].old += line[1:] + "\n" if line[0] in "-|" else ""
        mutant.hunks[-1].new += line[1:] + "\n" if line[0] in "+|" else ""
    else:
        raise Failure(f"{mutant.place}: {mutant.name}: what is this line? {line}")


def read_list() -> list[Mutant]:
    mutants = []
    for path in sorted(LIST.glob("*.txt")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            place = f"{path.relative_to(ROOT)}:{number}"
            if match := re.fullmatch(r"\[([a-z0-9-]+)\]", line):
                mutants.append(Mutant(match[1], place))
            elif not line or line.startswith("#"):
                continue
            elif not mutants:
                raise Failure(f"{place}: a line before the first mutant")
            else:
                read_line(mutants[-1], line)
    return mutants


def occurrences(hunk: Hunk) -> int:
    """Whole lines alone: the old text begins where a line does."""
    text = (ROOT / hunk.file).read_text()
    return ("\n" + text).count("\n" + hunk.old)


def check_list(mutants: list[Mutant]) -> list[str]:
    """Complaints: a mutant says all it must, and its old text stands in the tree exactly once."""
    complaints = []
    names = [mutant.name for mutant in mutants]
    complaints += [f"{name}: two mutants of that name" for name in sorted(set(names)) if names.count(name) > 1]
    for mutant in mutants:
        where = f"{mutant.place}: {mutant.name}"
        missing = [what for what in ("test", "by", "breaks", "hunks") if not getattr(mutant, what)]
        complaints += [f"{where}: no {what}" for what in missing]
        if mutant.test and not TEST.fullmatch(mutant.test):
            complaints.append(f"{where}: no such kind of test: {mutant.test}")
        for hunk in mutant.hunks:
            if not (ROOT / hunk.file).is_file():
                complaints.append(f"{where}: no file {hunk.file}")
            elif not hunk.old or hunk.old == hunk.new:
                complaints.append(f"{where}: nothing changes in {hunk.file}")
            elif (count := occurrences(hunk)) != 1:
                complaints.append(f"{where}: the old text is {count} times in {hunk.file}, not once")
    return complaints


# ---- copies of the tree ----


def tree_files() -> dict[str, bytes]:
    """All that is tracked or would be."""
    arguments = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(arguments, cwd=ROOT, capture_output=True, check=True).stdout
    names = sorted({name for name in listed.decode().split("\0") if name})
    return {name: (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file()}


class Copy:
    """One copy of the tree, with what was built of it. A file is written only if its content is another, so that make
    builds what depends on it and nothing else."""

    def __init__(self, number: int, files: dict[str, bytes]):
        self.path = COPIES / str(number)
        self.files = files
        for old in self.sources():
            if old not in files:
                (self.path / old).unlink()
        for name, content in files.items():
            self.write(name, content)
            (self.path / name).chmod((ROOT / name).stat().st_mode & 0o777)
        if (ROOT / WORDS).is_file():
            self.write(WORDS, (ROOT / WORDS).read_bytes())

    def sources(self) -> list[str]:
        paths = [path for path in self.path.rglob("*") if path.is_file()]
        names = [str(path.relative_to(self.path)) for path in paths]
        return [name for name in names if not name.startswith("build/")]

    def write(self, name: str, content: bytes) -> None:
        path = self.path / name
        if path.is_file() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def apply(self, mutant: Mutant) -> None:
        text = {hunk.file: "\n" + self.files[hunk.file].decode() for hunk in mutant.hunks}
        for hunk in mutant.hunks:
            text[hunk.file] = text[hunk.file].replace("\n" + hunk.old, "\n" + hunk.new)
        for name, changed in text.items():
            self.write(name, changed[1:].encode())

    def restore(self, mutant: Mutant) -> None:
        for hunk in mutant.hunks:
            self.write(hunk.file, self.files[hunk.file])

    def make(self, *goals: str) -> None:
        made = subprocess.run(
            [*MAKE, *goals], cwd=self.path, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if made.returncode != 0:
            raise Failure(f"it does not build: {(made.stdout + made.stderr).strip()[-2000:]}")


# ---- tests ----


@dataclass
class Verdict:
    """What a test said: the reasons why it failed, none if it passed; and where one can read the whole of it."""

    reasons: list[str]
    output: str


class Noticed(Exception):
    """The test has said what it should: how it goes on is of no interest, or it may not end at all."""


def is_said(by: str, reasons: list[str]) -> bool:
    """Alternatives are separated by " or "."""
    return any(way.strip() in reason for way in by.split(" or ") for reason in reasons)


def failed_tests(output: str) -> list[str]:
    """Of a host test's output: those that began and did not end well."""
    well = WELL.findall(output)
    return [test for test in RAN.findall(output) if test not in well]


def try_host(copy: Copy, name: str, by: str, seconds: float) -> Verdict:
    copy.make(f"build/host/test_{name}", f"T={name}")
    process = subprocess.Popen(
        ["nice", f"build/host/test_{name}"],
        cwd=copy.path,
        env=dict(os.environ, CAPOS_TEST_SCALE=TEST_SCALE),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    late = threading.Timer(seconds, process.kill)
    late.start()
    output = ""
    assert process.stdout is not None
    for line in process.stdout:
        output += line
        if (said := SAID.match(line)) and by and is_said(by, [said[1]]):
            process.kill()
            break
    status = process.wait()
    if not late.is_alive():
        return Verdict([*SAID.findall(output), f"no end after {seconds:.0f} s"], output)
    late.cancel()
    failed = failed_tests(output)
    if status != 0 and not failed:
        failed = [f"ended with status {status}"]
    return Verdict(failed, output)


class Watch:
    """A sink of the console that ends the run when the test has said what it should."""

    def __init__(self, by: str, noticed: re.Pattern):
        self.by, self.noticed, self.output = by, noticed, ""

    def write(self, chunk: bytes) -> None:
        self.output += chunk.decode(errors="replace").replace("\r", "")
        if self.by and is_said(self.by, complaints_in(self.output[: self.output.rfind("\n") + 1], self.noticed)):
            raise Noticed

    def flush(self) -> None:
        pass


def complaints_in(output: str, noticed: re.Pattern) -> list[str]:
    return [line for line in output.splitlines() if noticed.search(line)]


def machine_for(copy: Copy, program: str, cpus: int, seconds: float) -> Machine:
    """Built, with the mutant. A program with words behind it is one of a kernel in which memory runs out."""
    build = copy.path / "build" / "release"
    if " " in program:
        copy.make("kernel", "FAULTS=1")
        kernel = build.with_name("release-faults") / "kernel.elf"
        append = f"init={program.replace(' ', '+')} seed=1"
        return Machine(smp=cpus, build=build, kernel=kernel, append=append, timeout=seconds, icount=True)
    copy.make("kernel")
    append = "selftest protection check once init=nothing" if program == "self-tests" else f"init={program} once"
    return Machine(smp=cpus, build=build, append=append, timeout=seconds)


def try_machine(copy: Copy, program: str, cpus: int, by: str, seconds: float) -> Verdict:
    """The programs are those of the tree as it is: only the kernel is another."""
    machine = machine_for(copy, program, cpus, seconds)
    noticed = NOTICED_IN_SHORTAGE if " " in program else NOTICED
    watch = Watch(by, noticed)
    try:
        result = run_machine(machine, b"", (watch,))
    except Noticed:
        return Verdict(complaints_in(watch.output, noticed), watch.output)
    failed = complaints_in(result.output, noticed)
    well = 42 if program == "self-tests" else 0
    if result.code != well:
        failed.append(result.why)
    return Verdict(failed, "\n".join(result.output.splitlines()[-25:] + explain(machine, result.output)))


def try_test(copy: Copy, test: str, by: str = "", sound: float | None = None) -> Verdict:
    """`sound` is how many seconds it took on the tree as it is; None: this is that."""
    match = TEST.fullmatch(test)
    assert match is not None
    least = HOST_SECONDS if match[1] else MACHINE_SECONDS
    seconds = SOUND_SECONDS if sound is None else max(least, LONGER * sound)
    if match[1]:
        return try_host(copy, match[1], by, seconds)
    return try_machine(copy, match[2], int(match[3]), by, seconds)


# ---- the run ----


class Run:
    def __init__(self, mutants: list[Mutant], jobs: int, verbose: bool):
        files = tree_files()
        self.copies = [Copy(number, files) for number in range(jobs)]
        self.verbose = verbose
        self.lock = threading.Lock()
        self.mutants = mutants
        self.complaints: list[str] = []
        self.sound: dict[str, float] = {}  # tests that pass on the tree as it is, and their seconds
        self.caught = 0

    def say(self, text: str) -> None:
        with self.lock:
            print(text, flush=True)

    def each(self, items: list, function) -> None:
        """Call function(copy, item) for all items, with one thread a copy."""
        waiting: queue.SimpleQueue = queue.SimpleQueue()
        for item in items:
            waiting.put(item)

        def work(copy: Copy) -> None:
            while True:
                try:
                    item = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    function(copy, item)
                except Exception as error:  # a thread must not take the others' results along
                    self.complain(f"{item}: {error}")

        threads = [threading.Thread(target=work, args=(copy,), daemon=True) for copy in self.copies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def complain(self, text: str) -> None:
        with self.lock:
            self.complaints.append(text)
            print(text, flush=True)

    def try_sound(self, copy: Copy, test: str) -> None:
        started = time.monotonic()
        verdict = try_test(copy, test)
        seconds = time.monotonic() - started
        self.say(f"sound: {test}: {'FAILED' if verdict.reasons else 'passed'} ({seconds:.0f} s)")
        if verdict.reasons:
            self.complain(f"the tree as it is fails {test}: {verdict.reasons[:4]}\n{verdict.output[-3000:]}")
        else:
            self.sound[test] = seconds

    def try_mutant(self, copy: Copy, mutant: Mutant) -> None:
        if mutant.test not in self.sound:
            self.say(f"{mutant.name}: SURVIVED: {mutant.test} fails without it")
            return
        started = time.monotonic()
        copy.apply(mutant)
        try:
            verdict = try_test(copy, mutant.test, mutant.by, self.sound[mutant.test])
        except Failure as failure:
            verdict = Verdict([], str(failure))
        finally:
            copy.restore(mutant)
        caught = is_said(mutant.by, verdict.reasons)
        seconds = time.monotonic() - started
        said = "; ".join(verdict.reasons[:3]) or "nothing"
        how = f"caught by {mutant.test}: {mutant.by}" if caught else f"SURVIVED {mutant.test}, which said: {said}"
        self.say(f"{mutant.name}: {how} ({seconds:.0f} s)")
        if caught:
            with self.lock:
                self.caught += 1
        if self.verbose or not caught:
            self.say("\n".join(f"  | {line}" for line in [*verdict.reasons, *verdict.output.splitlines()[-15:]]))

    def place(self, mutant: Mutant) -> tuple:
        """In the order: the quickest test first. Neighbours change the same file: what is built for one is half of what
        the next one needs."""
        return self.sound.get(mutant.test, 0), mutant.test, mutant.hunks[0].file

    def all(self) -> int:
        tests = sorted({mutant.test for mutant in self.mutants})
        if any(not test.startswith("host ") for test in tests):
            for copy in self.copies:
                copy.make("build/release/boot.cpio")
        self.each(tests, self.try_sound)
        self.each(sorted(self.mutants, key=self.place), self.try_mutant)
        survived = len(self.mutants) - self.caught
        print(f"{len(self.mutants)} mutants, {self.caught} caught, {survived} survived")
        return 1 if survived or self.complaints else 0


def chosen(mutants: list[Mutant], one: str) -> list[Mutant]:
    """Those that `one` names; all, if it names none. A whole name is that one alone."""
    found: dict[str, Mutant] = {}
    for part in one.split(","):
        named = [mutant for mutant in mutants if mutant.name == part] or [it for it in mutants if part in it.name]
        if not named:
            near = difflib.get_close_matches(part, [mutant.name for mutant in mutants], 3, 0.5)
            raise Failure(f'no mutant has "{part}" in its name' + (f"; near it: {', '.join(near)}" if near else ""))
        found.update({mutant.name: mutant for mutant in named})
    return list(found.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", default="", metavar="NAME", help="those with that in their names; several with commas")
    parser.add_argument("--jobs", type=int, default=1, help="copies of the tree, each with a mutant of its own")
    parser.add_argument("--list", action="store_true", help="check the list, print the names, and try none")
    parser.add_argument("--verbose", action="store_true", help="show what each test said")
    options = parser.parse_args()
    try:
        mutants = read_list()
        if complaints := check_list(mutants):
            raise Failure("\n".join(complaints))
        mutants = chosen(mutants, options.one)
        if options.list:
            print("\n".join(f"{mutant.name}: {mutant.test}: {mutant.by}" for mutant in mutants))
            print(f"{len(mutants)} mutants, each with its place in the tree")
            return 0
        return Run(mutants, max(1, options.jobs), options.verbose).all()
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
