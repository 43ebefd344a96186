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
from pathlib import Path

from qemu import Machine
from suite import TWO_AT_ONCE, Case, finish, run_cases
from transcript import COUNTS, ENDED, FAILURE, Check, check_passed

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
TIMEOUT = float(os.environ.get("CAPOS_TIMEOUT", "900"))
CPUS = (1, 2, 4, 8)
DEBUG, CLANG = Path("build/debug"), Path("build/release-clang")
# What a suite boots, and what with beside BUILD on all numbers of CPUs.
PROGRAMS = {"spawn": ("spawn-contract", ((DEBUG, 2), (CLANG, 2))), "hostile": ("hostile", ((DEBUG, 4),))}

STRESS = re.compile(r"^operations (\d+), faults injected (\d+), kills (\d+), calls answered (\d+), children (\d+)$", re.M)
STRESS_FRAMES = re.compile(r"^frames at start (\d+), at end (\d+)$", re.M)
BROKEN = re.compile(r"^(?:role |.*: check failed: ).*", re.M)


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


def figures_of(output: str) -> str:
    """What a good run has to show."""
    lines = [match[0] for match in (STRESS.search(output), STRESS_FRAMES.search(output)) if match]
    return "; ".join(lines or [" passed, ".join(count) + " failed" for count in COUNTS.findall(output)])


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
    return finish(f"run-{options.suite}", run_cases(options.suite, cases_of(options), TWO_AT_ONCE, figures_of))


if __name__ == "__main__":
    sys.exit(main())
