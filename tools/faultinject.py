#!/usr/bin/env python3
"""Let memory run out everywhere in the kernel, on purpose, and see that nothing breaks.

faultinject.py whole          each want of memory of every scenario, one by one; and of a boot with 1 and 2 CPUs
faultinject.py short          each 30th to 60th, of some scenarios, for `make test`
faultinject.py whole SET ...  these sets of user/demos/shortage alone, or "boot"
faultinject.py N [SET ...]    each N-th of all

The kernel is that of FAULTS=1 (CAPOS_FAULTS_BUILD); the program `shortage`, as init, says what is to be refused, a line
for each run. It runs under icount, so a run repeats. A boot in which memory is refused must end in one clear line, or
go on with fewer CPUs and say so. CAPOS_BUILD has the programs. Last line: "run-faultinject: N passed, N failed", where
a scenario is one, and a boot. Logs: build/logs.
"""
import os
import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from qemu import Machine, Result, explain, run

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
KERNEL = Path(os.environ.get("CAPOS_FAULTS_BUILD", "build/release-faults")) / "kernel.elf"
LOGS = Path("build/logs")
TIMEOUT = float(os.environ.get("CAPOS_TIMEOUT", "7200"))
AT_ONCE = max(1, min(2, (os.cpu_count() or 1)))

# What is booted: set, step of k where it is not asked for, and which of the scenarios (first, count).
WHOLE = [*(("programs", first, 2) for first in (0, 2, 4)), *(("processes", first, 20) for first in range(0, 260, 20)),
         *(("memory", first, 5) for first in (0, 5, 10)), ("stress", 0, 1)]
SHORT = [("programs", 29, 0, 999), *(("processes", 47, first, 8) for first in (0, 100, 180, 220)), ("memory", 61, 0, 999)]
BOOT_CPUS = (1, 2)
SHORT_BOOT_STEP = 13

RUN = re.compile(r"^run (.+), (none|from \d+ on|every \d+|\d+): asked (\d+) refused (\d+) told(?: (\S.*?))? ended (.*)$", re.M)
WRONG = re.compile(r"^(?:WRONG|broken:|shortage: ).*", re.M)
ENDED = re.compile(r"^capos: process \d+ shortage ended: (.*); free frames (\d+) before, (\d+) after$", re.M)
END = re.compile(r"^\d+ runs in the end, 0 failed$", re.M)
ASKED = re.compile(r"^boot: asked (\d+)$", re.M)
# What a boot may say of memory that it was refused: it is over, or goes on with less.
OVER = re.compile(r"^capos: (?:cannot boot: .*memory.*|cannot start \S+: out of memory|fault: process 1 \S+: out of memory .*)$", re.M)
LESS = re.compile(r"^capos: (?:cpus: .*memory.*|acpi: .*out of memory.*)$", re.M)


@dataclass
class Tally:
    """Of one scenario, or of all."""

    runs: int = 0
    most_k: int = 0
    refused: int = 0
    told: Counter = field(default_factory=Counter)
    ends: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, pattern: str, refused: int, told: str, end: str) -> None:
        self.runs += 1
        self.refused += refused
        if refused and pattern.isdigit():
            self.most_k = max(self.most_k, int(pattern))
        self.told.update({name: int(count) for name, _, count in (part.rpartition("=") for part in told.split(",") if part)})
        self.ends[re.sub(r", processes left", "", end)] += 1

    def merge(self, other: "Tally") -> None:
        self.runs += other.runs
        self.refused += other.refused
        self.told += other.told
        self.ends += other.ends

    def __str__(self) -> str:
        told = ", ".join(f"{name} {count}" for name, count in self.told.most_common())
        ends = ", ".join(f"{name} {count}" for name, count in self.ends.most_common(6))
        return f"{self.runs} runs, {self.refused} refusals: {told}; ended: {ends}"


def read_runs(output: str) -> dict[str, Tally]:
    """By scenario. A complaint belongs to the line before it."""
    tallies: dict[str, Tally] = {}
    last = None
    for line in output.splitlines():
        if found := RUN.match(line):
            last = tallies.setdefault(found[1], Tally())
            last.add(found[2], int(found[4]), found[5] or "", found[6])
        elif WRONG.match(line):
            (last or tallies.setdefault("start", Tally())).wrong.append(line)
    return tallies


def judge_runs(result: Result, tallies: dict[str, Tally]) -> list[str]:
    """What is wrong with the boot as a whole."""
    complaints = [] if result.code == 0 else [result.why]
    if not END.search(result.output):
        complaints.append("it did not come to the end of its runs")
    complaints += [f"{before} frames before, {after} after" for _, before, after in ENDED.findall(result.output)
                   if before != after]
    complaints += [f"the driver ended: {how}" for how, *_ in ENDED.findall(result.output) if how != "exit 0"]
    if not any(tally.refused for tally in tallies.values()):
        complaints.append("nothing was refused")
    return complaints


def boot(name: str, init: str, words: str = "", cpus: int = 1, memory: str = "64M") -> tuple[Machine, Result]:
    log = LOGS / f"faultinject-{name}.log"
    machine = Machine("q35", cpus, memory, BUILD, kernel=KERNEL, append=f"init={init} seed=1 {words}", timeout=TIMEOUT,
                      icount=cpus == 1, log=log)
    return machine, run(machine)


def try_set(name: str, step: int, first: int, count: int) -> tuple[str, list[str], dict[str, Tally]]:
    label = name if count > 900 else f"{name} {first} to {first + count - 1}"
    machine, result = boot(label.replace(" ", "-"), f"shortage+{name}+{step}+{first}+{count}")
    tallies = read_runs(result.output)
    complaints = judge_runs(result, tallies)
    if result.code is None:
        complaints += [f"  | {line}" for line in result.output.splitlines()[-20:] + explain(machine, result.output)]
    return f"{label} ({result.seconds:.0f} s)", complaints, tallies


def judge_boot(result: Result) -> tuple[str, list[str]]:
    """How a boot ended in which one want of memory was refused."""
    over, less = OVER.findall(result.output), LESS.findall(result.output)
    if result.code == 1 and len(over) == 1:
        return re.sub(r"^capos: |process 1 | at 0x.*", "", over[0]), []
    if result.code == 0 and END.search(result.output):
        return f"goes on: {less[0][7:]}" if less else "goes on with all", []
    return "wrong", [result.why, *result.output.splitlines()[-5:]]


def try_boots(cpus: int, step: int) -> tuple[str, list[str], Counter]:
    """Each step-th want of memory from the first instruction to the first of a program."""
    init = "shortage+nothing+1"
    _, result = boot(f"boot-{cpus}", init, "once", cpus, "32M")
    asked = ASKED.search(result.output)
    if result.code != 0 or asked is None:
        return f"boot smp {cpus}", [result.why], Counter()
    ways: Counter = Counter()
    complaints = []
    for k in range(1, int(asked[1]) + 1, step):
        way, wrong = judge_boot(boot(f"boot-{cpus}", init, f"once shortage={k}", cpus, "32M")[1])
        ways[way] += 1
        complaints += [f"shortage={k}: {line}" for line in wrong]
    return f"boot smp {cpus}, {asked[1]} wants", complaints, ways


def report_set(label: str, complaints: list[str], tallies: dict[str, Tally], whole: Tally) -> tuple[int, int]:
    print(f"{label}: {'FAILED' if complaints else 'ok'}")
    for complaint in complaints:
        print(f"  {complaint}")
    for name, tally in tallies.items():
        print(f"  {name}: {'FAILED' if tally.wrong else 'ok'} (k to {tally.most_k}; {tally}; broken {len(tally.wrong)})")
        for line in tally.wrong[:5]:
            print(f"    {line}")
        whole.merge(tally)
    sys.stdout.flush()
    wrong = sum(bool(tally.wrong) for tally in tallies.values()) + bool(complaints)
    return len(tallies) + 1 - wrong, wrong


def main() -> int:
    words = sys.argv[1:]
    if not words or not re.fullmatch("whole|short|[1-9][0-9]*", words[0]):
        sys.exit(__doc__)
    step = int(words[0]) if words[0].isdigit() else SHORT_BOOT_STEP if words[0] == "short" else 1
    sets = SHORT if words[0] == "short" else [(name, step, first, count) for name, first, count in WHOLE]
    sets = [each for each in sets if not words[1:] or each[0] in words[1:]]
    boots = BOOT_CPUS if not words[1:] or "boot" in words[1:] else ()
    whole, passed, failed = Tally(), 0, 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(try_set, *each) for each in sets]
        boot_jobs = [pool.submit(try_boots, cpus, step) for cpus in boots]
        for job in jobs:
            right, wrong = report_set(*job.result(), whole)
            passed, failed = passed + right, failed + wrong
        for job in boot_jobs:
            label, complaints, ways = job.result()
            print(f"{label}: {'FAILED' if complaints else 'ok'}")
            for line in [*complaints, *(f"{count} x {way}" for way, count in ways.most_common())]:
                print(f"  {line}")
            passed, failed = passed + (not complaints), failed + bool(complaints)
    print(f"all: {whole}")
    print(f"run-faultinject: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
