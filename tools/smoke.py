#!/usr/bin/env python3
"""Boot the system under QEMU and hold what it says against what must be so.

smoke.py shell   a session of the shell on machines that differ in board, CPUs and RAM; word counts as coreutils counts
smoke.py vm      the self-checking programs of user/demos, one after the other
smoke.py iso     the ISO through BIOS and UEFI, and boot/shim without an ISO
CAPOS_BUILD is the build directory. Last line: "run-NAME: N passed, N failed". Logs: build/logs.
"""
import os
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from qemu import Machine, Result, explain, run

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
LOGS = Path("build/logs")
TIMEOUT = float(os.environ.get("CAPOS_TIMEOUT", "180"))
AT_ONCE = max(1, min(4, (os.cpu_count() or 1)))
TOP_WORDS = 10

ENDED = re.compile(r"capos: process (\d+) (\S+) ended: (.*); free frames (\d+) before, (\d+) after")
FAULT = re.compile(r"capos: fault: process \d+ (\S+): (.+?) at 0x")
FAILURE = re.compile(r"^FAIL(?:ED|URE).*", re.M)
FRAMES = re.compile(r"^frames total (\d+) free (\d+)", re.M)
CHECKED = re.compile(r"^check: (\d+) invariants, (\d+) broken", re.M)
WORD = re.compile(r"^\s*(\d+) ([a-z]+)\s*$", re.M)
WORDS = re.compile(r"^words (\d+) distinct (\d+)", re.M)
PAGES = re.compile(r"^pages peak (\d+) final (\d+)", re.M)

# Each board, CPU count and RAM size at least twice, and the pairs that are known to differ: small RAM with the oldest
# board, RAM above 4 GiB with and without a hole, many CPUs on each board.
MACHINES = (
    Machine("q35", 1, "128M", BUILD),
    Machine("q35", 4, "128M", BUILD),
    Machine("q35", 1, "8G", BUILD),
    Machine("q35", 4, "16M", BUILD),
    Machine("pc", 1, "16M", BUILD),
    Machine("pc", 4, "8G", BUILD),
    Machine("microvm", 1, "16M", BUILD),
    Machine("microvm", 4, "128M", BUILD),
)
# Programs that other cases run, in their own way.
NOT_SELF_CHECKING = ("wordcount", "fault-probe", "bench")
# What fault-probe does, and what the kernel may call it (user_fault_name).
READ_ONLY, NO_EXECUTE = ("write to read-only",), ("execute of NX",)
PROBES = {
    "null": ("unreserved",),
    "unreserved": ("unreserved",),
    "uncommitted": ("uncommitted",),
    "decommitted": ("uncommitted",),
    "no-access": ("no access",),
    "write-read-only": READ_ONLY,
    "write-text": READ_ONLY,
    "write-constants": READ_ONLY,
    "write-capset": READ_ONLY,
    "execute-nx": NO_EXECUTE,
    "execute-ring": NO_EXECUTE,
    "exec-stack": NO_EXECUTE,
    "guard": ("guard",),
    "non-canonical": ("non-canonical",),
    "kernel-address": ("kernel address",),
    "kernel-execute": ("kernel address",),
    "div0": ("exception",),
    "ud2": ("exception",),
    "privileged": ("privileged",),
    "port": ("privileged",),
    "int3": ("exception", "privileged"),
    "int-page-fault": ("privileged",),
}
SESSION = "mem\nrun wordcount\nmem\ncheck\nhalt\n"


@dataclass
class Case:
    name: str
    machine: Machine
    input: str
    verify: Callable[[str], list[str]]


@lru_cache
def coreutils_count() -> tuple[list[tuple[int, str]], int, int]:
    """The ten most frequent words, all words and distinct words of the text, as coreutils count them."""
    pipeline = "tr -cs A-Za-z '\\n' | tr A-Z a-z | grep . | sort | uniq -c | sort -k1,1nr -k2,2"
    with open("build/words.txt", "rb") as text:
        done = subprocess.run(
            ["sh", "-c", pipeline], stdin=text, capture_output=True, check=True, env=dict(os.environ, LC_ALL="C")
        )
    counts = [(int(count), word) for count, word in map(str.split, done.stdout.decode().splitlines())]
    return counts[:TOP_WORDS], sum(count for count, _ in counts), len(counts)


def check_words(output: str) -> list[str]:
    top, words, distinct = coreutils_count()
    complaints = []
    seen = [(int(count), word) for count, word in WORD.findall(output)]
    if seen != top:
        complaints.append(f"wordcount's ten words are {seen}, coreutils say {top}")
    if (total := WORDS.search(output)) is None or (int(total[1]), int(total[2])) != (words, distinct):
        said = total[0] if total else "nothing"
        complaints.append(f"wordcount says {said!r}, coreutils say words {words} distinct {distinct}")
    if (pages := PAGES.search(output)) is None or not 0 < int(pages[1]) or int(pages[2]) > int(pages[1]):
        complaints.append(f"no sensible line \"pages peak P final F\": {pages and pages[0]}")
    return complaints


def check_frames(output: str) -> list[str]:
    """No process costs a frame for good, and each reading of free frames is the same."""
    ended = ENDED.findall(output)
    complaints = [] if ended else ["no process ended"]
    for process, name, _, before, after in ended:
        if before != after:
            complaints.append(f"process {process} {name}: {before} free frames before it, {after} after it")
    readings = FRAMES.findall(output)
    if len(set(readings)) > 1:
        complaints.append(f"`mem` gave different readings: {readings}")
    return complaints


def check_invariants(output: str) -> list[str]:
    checked = CHECKED.findall(output)
    complaints = [] if checked else ["no line \"check: N invariants, N broken\""]
    for invariants, broken in checked:
        if int(invariants) == 0 or int(broken) != 0:
            complaints.append(f"{broken} of {invariants} invariants are broken")
    return complaints


def check_session(output: str) -> list[str]:
    missing = [] if len(FRAMES.findall(output)) >= 2 else ["not two readings of `mem`"]
    return missing + check_words(output) + check_frames(output) + check_invariants(output)


def check_programs(names: list[str]) -> Callable[[str], list[str]]:
    """Each program ran, called its own run a success, and left no frame behind."""

    def verify(output: str) -> list[str]:
        how = {name: how for _, name, how, _, _ in ENDED.findall(output)}
        complaints = [f"{name}: {how.get(name, 'did not run')}" for name in names if how.get(name) != "exit 0"]
        complaints += FAILURE.findall(output)
        return complaints + check_frames(output) + check_invariants(output)

    return verify


def shell_cases() -> list[Case]:
    return [Case(str(machine), machine, SESSION, check_session) for machine in MACHINES]


def check_faults(output: str) -> list[str]:
    """Each probe ends its process, for the right reason, and nothing else."""
    seen = [kind for name, kind in FAULT.findall(output) if name == "fault-probe"]
    complaints = FAILURE.findall(output)
    if len(seen) != len(PROBES):
        complaints.append(f"{len(PROBES)} probes, {len(seen)} faults: {seen}")
    for (probe, kinds), kind in zip(PROBES.items(), seen):
        if kind not in kinds:
            complaints.append(f"probe {probe}: the kernel says {kind!r}, not {' or '.join(kinds)!r}")
    return complaints + check_frames(output) + check_invariants(output)


def vm_cases() -> list[Case]:
    """Each self-checking demo alone, then all twice in one session on four CPUs, by each build; then all faults."""
    names = sorted(path.name for path in Path("user/demos").iterdir() if (BUILD / "user" / path.name).exists())
    names = [name for name in names if name not in NOT_SELF_CHECKING]
    session = "check\nhalt\n"
    machine = Machine("q35", 1, "128M", BUILD)
    cases = [Case(name, machine, f"run {name}\n{session}", check_programs([name])) for name in names]
    everything = "".join(f"run {name}\n" for name in names + names) + session
    faults = "".join(f"run fault-probe {probe}\n" for probe in PROBES) + session
    for build in (BUILD, Path("build/debug"), Path("build/release-clang")):
        many = replace(machine, smp=4, build=build)
        cases.append(Case(f"all twice, {build.name}", many, everything, check_programs(names)))
        cases.append(Case(f"faults, {build.name}", many, faults, check_faults))
    return cases


def iso_cases() -> list[Case]:
    iso = Machine("q35", 2, "256M", BUILD, iso=BUILD / "capos.iso")
    shim = Machine("q35", 2, "256M", BUILD, kernel=BUILD / "shim.elf", package=BUILD / "shim.cpio")
    machines = {
        "iso, BIOS": iso,
        "iso, BIOS, pc": replace(iso, machine="pc", smp=1, memory="64M"),
        "iso, UEFI": replace(iso, uefi=True),
        "shim, PVH": shim,
    }
    return [Case(name, machine, SESSION, check_session) for name, machine in machines.items()]


def try_case(suite: str, case: Case) -> tuple[Case, Result, list[str]]:
    log = LOGS / f"{suite}-{re.sub(r'[^a-z0-9]+', '-', case.name.lower())}.log"
    case.machine = replace(case.machine, timeout=TIMEOUT, log=log)
    result = run(case.machine, case.input.encode())
    complaints = [] if result.code == 0 else [result.why]
    return case, result, complaints + case.verify(result.output)


def report(case: Case, result: Result, complaints: list[str]) -> None:
    print(f"{case.name}: {'ok' if not complaints else 'FAILED'} ({result.seconds:.1f} s)", flush=True)
    if not complaints:
        return
    for complaint in complaints:
        print(f"  {complaint}")
    print(f"  the whole run: {case.machine.log}")
    if result.code == 0:
        return
    for line in result.output.splitlines()[-40:] + explain(case.machine, result.output):
        print(f"  | {line}", flush=True)


def main() -> int:
    suites = {"shell": ("run-smoke", shell_cases), "vm": ("run-vm", vm_cases), "iso": ("run-iso", iso_cases)}
    if len(sys.argv) != 2 or sys.argv[1] not in suites:
        sys.exit(__doc__)
    label, cases = suites[sys.argv[1]]
    failed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(try_case, sys.argv[1], case) for case in cases()]
        for job in jobs:
            case, result, complaints = job.result()
            report(case, result, complaints)
            failed += bool(complaints)
    print(f"{label}: {len(jobs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
