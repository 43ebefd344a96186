#!/usr/bin/env python3
"""capOS from its own ISO on Bochs, with two CPUs that check protection as the hardware does.

bochs_test.py short   the self-tests, stale translations and PCIDs, the protection suite of rings 0 and 3
bochs_test.py long    the same; a session of the shell; contracts of memory and of processes; the protection suite by the
                      debug build; and a kernel without TLB shootdowns, which must be found out
CAPOS_BUILD is the build directory; the ISOs in it are those of mk/bochs.mk. Last line: "run-bochs: N passed, N failed".
Logs: build/logs, Bochs's own beside them.
"""
import os
import re
import sys
from pathlib import Path

import transcript
from bochs import BochsMachine, lines_at, run
from hostile import check_end
from protection import DEVIATIONS_OF_BOCHS, check_ring0, check_ring3
from smoke import END, MUTANT, MUTANT_PANIC, SESSION
from suite import HALTED, Case, finish, run_cases

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
DEBUG = Path("build/debug")
TIMEOUT = float(os.environ.get("CAPOS_TIMEOUT", "300"))
CPUS = 2
CPU = re.compile(r"^capos: cpu: GenuineIntel: (.+)$", re.M)
WANTED = {"nx", "smep", "smap", "umip", "pge", "pcid", "invpcid", "fsgsbase"}
PCIDS = re.compile(r"^capos: selftest: spaces are loaded with PCIDs (\d+) and (\d+)$", re.M)


def case_of(name: str, iso: Path, checks: list[transcript.Check], lines: str = "", end: str = HALTED, kernel: Path | None = None) -> Case:
    """One boot, and what is typed at each prompt."""
    machine = BochsMachine(iso, iso.parent, kernel, cpus=CPUS, timeout=TIMEOUT)
    return Case(name, machine, checks, lines_at(transcript.PROMPT.encode(), lines), end, run)


def check_features(output: str) -> list[str]:
    """The CPU has what this is for, by the kernel's own line."""
    cpu = CPU.search(output)
    lacks = WANTED - set(cpu[1].split() if cpu else [])
    return [f"the CPU lacks {sorted(lacks)}: {cpu and cpu[0]}"] if lacks else []


def check_pcids(output: str) -> list[str]:
    """Spaces are loaded with PCIDs of their own, which the self-test has read back from CR3."""
    pcids = PCIDS.search(output)
    return [] if pcids and "0" not in pcids.groups() and pcids[1] != pcids[2] else [f"PCIDs: {pcids and pcids[0]}"]


def protection(name: str, build: Path) -> Case:
    checks = [check_features, check_pcids, transcript.check_cpus(CPUS), transcript.check_selftest(CPUS, has_pcid=True)]
    checks += [transcript.check_interrupts, check_ring0(CPUS, DEVIATIONS_OF_BOCHS)]
    checks += [check_ring3(set()), check_end("protection")]
    return case_of(name, build / "bochs-protection.iso", checks)


def contract(program: str) -> Case:
    checks = [transcript.check_cpus(CPUS), check_end(program), transcript.check_passed(program, is_init=True)]
    return case_of(program, BUILD / f"bochs-{program}.iso", checks)


def long_cases() -> list[Case]:
    session = [check_features, transcript.check_cpus(CPUS), transcript.check_session]
    return [
        case_of("session of the shell", BUILD / "capos.iso", session, SESSION + END),
        contract("vm-contract"),
        contract("spawn-contract"),
        protection("protection, debug", DEBUG),
        case_of("no shootdown", MUTANT.parent / "bochs-protection.iso", [transcript.check_says(MUTANT_PANIC)],
             end="kernel panic", kernel=MUTANT),
    ]


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in ("short", "long"):
        sys.exit(__doc__)
    cases = [protection("protection", BUILD)] + (long_cases() if sys.argv[1] == "long" else [])
    return finish("run-bochs", run_cases("bochs", cases, at_once=1))


if __name__ == "__main__":
    sys.exit(main())
