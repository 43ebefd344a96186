#!/usr/bin/env python3
"""The hardware's protection tried from ring 0 (the word `protection`) and from ring 3 (user/demos/protection), in QEMU:
by all builds on one CPU and on two, and on a CPU that lacks half of it.

CAPOS_BUILD is the build directory. Last line: "run-protection: N passed, N failed". Logs: build/logs.
"""
import os
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import transcript
from hostile import check_end
from qemu import Machine
from suite import TWO_AT_ONCE, Case, finish, run_cases

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
BUILDS = (BUILD, Path("build/debug"), Path("build/release-clang"))
TIMEOUT = float(os.environ.get("CAPOS_TIMEOUT", "60"))
WORDS = "selftest protection check init=protection once"

RING0_LIST, RING3_LIST = Path("tests/smoke/protection-ring0.txt"), Path("tests/smoke/protection.txt")
RING0 = re.compile(r"^capos: protection: cpu (\d+): (ok|FAILED|left out) ([a-z0-9-]+): (.*)$", re.M)
RING0_COUNTS = re.compile(r"^capos: protection: cpu (\d+): (\d+) passed, (\d+) failed, (\d+) left out$", re.M)
RING3 = re.compile(r"^(ok|FAILED|left out) ([a-z0-9-]+)(?:: (.*))?$", re.M)
ERROR = re.compile(r": expected vector (\d+) error 0x([0-9a-f]+) |^expected vector (\d+) error 0x([0-9a-f]+) ")
FAULT = re.compile(r"^capos: fault: process \d+ (\S+): .*, error 0x([0-9a-f]+)\)$", re.M)
LAST = "nothing-is-left"  # of ring 3: frames, ledgers and invariants after all cases
# What Bochs is known to do otherwise than the hardware may: it keeps nothing over a load of CR3, whatever that says.
DEVIATIONS_OF_BOCHS = {"pcid-comes-back", "pcid-and-invlpg-of-another"}


def check_list(path: Path, names: list[str]) -> list[str]:
    """The cases that were asked or left out are those of the list, each once."""
    wanted, seen = Counter(path.read_text().splitlines()), Counter(names)
    complaints = [f"{path.name} has {name}, the transcript has not" for name in (wanted - seen).elements()]
    return complaints + [f"{path.name} has no line {name}, or not so often" for name in (seen - wanted).elements()]


def deviating(cases: list[tuple[str, str, str]]) -> set[str]:
    return {name for result, name, text in cases if result == "ok" and text.startswith("deviates: ")}


def check_ring0(cpus: int, deviations: set[str] | None = None) -> transcript.Check:
    """Every CPU ran each case of the list, and none failed; those that deviate are these, if that is said."""

    def verify(output: str) -> list[str]:
        complaints = []
        lines = RING0.findall(output)
        counts = {int(cpu): tuple(map(int, numbers)) for cpu, *numbers in RING0_COUNTS.findall(output)}
        for cpu in range(cpus):
            cases = [(result, name, text) for number, result, name, text in lines if int(number) == cpu]
            results = Counter(result for result, *_ in cases)
            complaints += [f"cpu {cpu}: {text}" for text in check_list(RING0_LIST, [name for _, name, _ in cases])]
            if counts.get(cpu) != (results["ok"], results["FAILED"], results["left out"]):
                complaints.append(f"cpu {cpu}: the lines are {dict(results)}, it counts {counts.get(cpu)}")
            complaints += [f"cpu {cpu}: FAILED {name}: {text}" for result, name, text in cases if result == "FAILED"]
            if deviations is not None and deviating(cases) != deviations:
                complaints.append(f"cpu {cpu}: these deviate: {sorted(deviating(cases))}, not {sorted(deviations)}")
        if sorted(counts) != list(range(cpus)):
            complaints.append(f"ring 0: these CPUs have counts: {sorted(counts)}")
        return complaints

    return verify


def check_errors(output: str, cases: list[tuple[str, str, str]]) -> list[str]:
    """The kernel's line about each fault has the error code that the case wants."""
    said = dict(FAULT.findall(output))
    complaints = []
    for result, name, text in cases:
        wanted = ERROR.search(text)
        error = (wanted[2] or wanted[4]) if wanted else None
        if error != said.get(name):
            complaints.append(f"{name}: the kernel says error 0x{said.get(name)}, not 0x{error}")
    return complaints


def check_ring3(deviations: set[str] | None = None) -> transcript.Check:
    """Each case of the list, none failed, and what the kernel said of each is what the program wanted."""

    def verify(output: str) -> list[str]:
        cases = [case for case in RING3.findall(output) if case[1] != LAST]
        names = [name for _, name, _ in cases]
        good = sum(result == "ok" for result, *_ in cases)
        complaints = [f"FAILED {name}: {text}" for result, name, text in cases if result == "FAILED"]
        complaints += check_list(RING3_LIST, names)
        if f"ok {LAST}" not in output.splitlines():
            complaints.append(f"no line \"ok {LAST}\"")
        if (counts := transcript.COUNTS.findall(output)) != [(str(good + 1), "0")]:
            complaints.append(f"ring 3: {good} lines and {LAST}, counts {counts}")
        if deviations is not None and deviating(cases) != deviations:
            complaints.append(f"ring 3: these deviate: {sorted(deviating(cases))}, not {sorted(deviations)}")
        return complaints + check_errors(output, cases)

    return verify


def checks(cpus: int) -> list[transcript.Check]:
    end = check_end("protection")
    return [end, transcript.check_selftest(cpus), check_ring0(cpus), check_ring3()]


def cases() -> list[Case]:
    machine = Machine("q35", 1, "128M", BUILD, append=WORDS, timeout=TIMEOUT)
    found = [
        Case(f"protection, {build.name}, smp {cpus}", replace(machine, build=build, smp=cpus), checks(cpus))
        for build in BUILDS
        for cpus in (1, 2)
    ]
    old = replace(machine, smp=2, extra=["-cpu", "qemu64,-fsgsbase,-pge"])
    return found + [Case("protection, CPU without SMEP, SMAP, UMIP", old, checks(2))]


def figures(output: str) -> str:
    ring0 = RING0_COUNTS.search(output)
    ring3 = transcript.COUNTS.search(output)
    return f"ring 0 on each CPU: {ring0[2] if ring0 else 'no'} cases; ring 3: {ring3[1] if ring3 else 'no'}"


def main() -> int:
    return finish("run-protection", run_cases("run", cases(), TWO_AT_ONCE, figures))


if __name__ == "__main__":
    sys.exit(main())
