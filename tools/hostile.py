#!/usr/bin/env python3
"""Boot the self-checking programs of several processes, each as init, and hold what they say against what must be so.

hostile.py spawn                            the contract of processes, on each number of CPUs and by each build
hostile.py hostile                          the attacks, on each number of CPUs, and by the debug build
hostile.py stress [--seconds N] [--cpus N,N...] [--seed N]
CAPOS_BUILD is the build directory. Last line: "run-NAME: N passed, N failed". Logs: build/logs.
"""
import argparse
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from qemu import Machine, Result, explain, run
from transcript import COUNTS, ENDED, FAILURE, Check, check_passed

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
LOGS = Path("build/logs")
TIMEOUT = float(os.environ.get("CAPOS_TIMEOUT", "900"))
AT_ONCE = max(1, min(2, (os.cpu_count() or 1)))
CPUS = (1, 2, 4, 8)
DEBUG, CLANG = Path("build/debug"), Path("build/release-clang")
# What a suite boots, and what with beside BUILD on all numbers of CPUs.
PROGRAMS = {"spawn": ("spawn-contract", ((DEBUG, 2), (CLANG, 2))), "hostile": ("hostile", ((DEBUG, 4),))}
HALTED = "the guest halted with code 0"

STRESS = re.compile(r"^operations (\d+), faults injected (\d+), kills (\d+), calls answered (\d+), children (\d+)$", re.M)
STRESS_FRAMES = re.compile(r"^frames at start (\d+), at end (\d+)$", re.M)
BROKEN = re.compile(r"^(?:role |.*: check failed: ).*", re.M)


@dataclass
class Case:
    """One run, the checks of its transcript, and how long it may take."""

    name: str
    machine: Machine
    checks: list[Check]


def check_end(program: str) -> Check:
    """The program ended well, and as many frames are free as before it."""

    def verify(output: str) -> list[str]:
        ended = [(name, how) for _, name, how, _, _ in ENDED.findall(output)]
        complaints = [] if ended == [(program, "exit 0")] else [f"what ended: {ended}"]
        complaints += [f"{before} frames before, {after} after" for *_, before, after in ENDED.findall(output)
                       if before != after]
        return complaints + FAILURE.findall(output) + BROKEN.findall(output)

    return verify


def check_stress(seconds: int) -> Check:
    def verify(output: str) -> list[str]:
        complaints = []
        frames, figures, counts = STRESS_FRAMES.search(output), STRESS.search(output), COUNTS.search(output)
        if frames is None or frames[1] != frames[2]:
            complaints.append(f"frames: {frames and frames[0]}")
        if figures is None or any(int(number) == 0 for number in figures.groups()):
            complaints.append(f"figures: {figures and figures[0]}")
        # A look at the invariants for each second, and the trial itself.
        if counts is None or (int(counts[1]), counts[2]) != (seconds + 1, "0"):
            complaints.append(f"looks at the invariants: {counts and counts[0]}, not one for each of {seconds} seconds")
        return complaints

    return verify


def machine(build: Path, cpus: int, init: str, timeout: float = TIMEOUT) -> Machine:
    return Machine("q35", cpus, "128M", build, append=f"init={init} once", timeout=timeout)


def try_case(suite: str, case: Case) -> tuple[Case, Result, list[str]]:
    case.machine.log = LOGS / f"{suite}-{re.sub(r'[^a-z0-9]+', '-', case.name.lower())}.log"
    result = run(case.machine)
    complaints = [] if result.why == HALTED else [result.why]
    for check in case.checks:
        complaints += check(result.output)
    return case, result, complaints


def figures_of(output: str) -> str:
    """What a good run has to show."""
    lines = [match[0] for match in (STRESS.search(output), STRESS_FRAMES.search(output)) if match]
    return "; ".join(lines or [" passed, ".join(count) + " failed" for count in COUNTS.findall(output)])


def report(case: Case, result: Result, complaints: list[str]) -> None:
    verdict = "FAILED" if complaints else "ok"
    print(f"{case.name}: {verdict} ({result.seconds:.1f} s; {figures_of(result.output)})", flush=True)
    if not complaints:
        return
    for complaint in complaints:
        print(f"  {complaint}")
    print(f"  the whole run: {case.machine.log}")
    if result.code is None:
        for line in result.output.splitlines()[-30:] + explain(case.machine, result.output):
            print(f"  | {line}", flush=True)


def stress_cases(options: argparse.Namespace) -> list[Case]:
    init = f"stress+{options.seconds}" + (f"+{options.seed}" if options.seed else "")
    checks = [check_end("stress"), check_stress(options.seconds)]
    timeout = options.seconds + TIMEOUT
    return [
        Case(f"stress {options.seconds} s smp {cpus}", machine(BUILD, cpus, init, timeout), checks)
        for cpus in options.cpus
    ]


def cases_of(options: argparse.Namespace) -> list[Case]:
    if options.suite == "stress":
        return stress_cases(options)
    program, others = PROGRAMS[options.suite]
    checks = [check_end(program), check_passed(program, is_init=True)]
    return [
        Case(f"{program}, {build.name}, smp {cpus}", machine(build, cpus, program), checks)
        for build, cpus in [*((BUILD, cpus) for cpus in CPUS), *others]
    ]


def numbers(text: str) -> list[int]:
    """For argparse: numbers of CPUs, with commas between them."""
    found = [int(word) for word in text.split(",")]
    if any(number < 1 for number in found):
        raise ValueError
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=("spawn", "hostile", "stress"))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--cpus", type=numbers, default=[4], help="one or more, with commas between them")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    outcomes = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(try_case, options.suite, case) for case in cases_of(options)]
        for job in jobs:
            case, result, complaints = job.result()
            report(case, result, complaints)
            outcomes.append(not complaints)
    print(f"run-{options.suite}: {sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
