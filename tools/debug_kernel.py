"""The debug kernel on trial: each fault that it commits on purpose (kernel/debug/fault.c) must end in a panic that says
what was done, and whose addresses decode to the function that did it; a sound one must stay below its limits of time.
Cases of tools/smoke.py mutant. One CPU under icount: its clock counts instructions, whatever else the host does.
"""
import re
from dataclasses import replace
from pathlib import Path

import transcript
from qemu import READY, Machine, Step, explain
from suite import HALTED, Case

MACHINE = Machine(build=Path("build/debug"), icount=True)
# Microseconds under icount: so many thousand instructions of a debug kernel. A sound one stays below in all that these do.
LIMIT = 1000
# Faults that a debug kernel commits (kernel/debug/fault.c), and how it must find each out: what was done, and where.
AT = r"at 0x[0-9a-f]{16}"
BY_HAND, ONE_PAGE = r"\[0x10000000, 0x10008000\)", r"\[0x10000000, 0x10001000\)"
FAULTS = {
    "lock-order": rf"process\.lock taken {AT}: out of order, under heap_lock taken {AT}",
    "lock-same-class": rf"process\.lock taken {AT}: out of order, under process\.lock taken {AT}",
    "lock-again": rf"heap_lock taken {AT}: this CPU holds it already, under heap_lock taken {AT}",
    "lock-nameless": rf"a lock without a name taken {AT}: it was never named",
    "lock-not-held": rf"heap_lock given back {AT}: this CPU does not hold it",
    "lock-with-interrupts": rf"heap_lock taken with interrupts on, {AT}",
    "lock-over-window": rf"interrupts let in under heap_lock, taken {AT}",
    "lock-asleep": rf"heap_lock is still held where no lock may be, taken {AT}",
    "lock-too-long": rf"heap_lock was held for 10\d{{3}} us, limit {LIMIT}: taken {AT}, given back {AT}",
    "interrupts-off-too-long": rf"interrupts were off for 10\d{{3}} us, limit {LIMIT}: off {AT}, on {AT}",
    "page-executable": rf"page table, after an operation on {BY_HAND}: writable and executable, address 0x10001000",
    "page-of-another": rf"page table, after an operation on {BY_HAND}: the frame's owner is another, address 0x10002000",
    "page-uncounted": rf"page table, after an operation on {ONE_PAGE}: a table's counters do not agree with its entries, "
    "address 0x10000000",
    "page-elsewhere": rf"page table, after an operation on {ONE_PAGE}: writable and executable, address 0x10004000",
    "page-for-programs": r"kernel page table, after a page was mapped: user access, address 0xffffd0[0-9a-f]{10}",
    "heap-overrun": r"kernel/mem/heap\.c:\d+: redzones_hold\(.*\) does not hold",
    "heap-underrun": r"kernel/mem/heap\.c:\d+: redzones_hold\(.*\) does not hold",
    "heap-use-after-free": r"kernel/mem/heap\.c:\d+: poison_holds\(.*\) does not hold",
    "undefined-shift": r"undefined behaviour at kernel/debug/fault\.c:\d+:\d+: a shift by too many bits",
    "undefined-sum": r"undefined behaviour at kernel/debug/fault\.c:\d+:\d+: a sum is out of range",
    "undefined-index": r"undefined behaviour at kernel/debug/fault\.c:\d+:\d+: an index is beyond its array",
    "undefined-pointer": r"undefined behaviour at kernel/debug/fault\.c:\d+:\d+: a pointer is null",
    "stack-overrun": rf"a buffer on the stack was overrun by the function {AT}",
}
WORDS = {
    "page-elsewhere": "paranoid",
    "lock-too-long": f"limits={LIMIT}",
    "interrupts-off-too-long": f"limits={LIMIT}",
}
LIMITED = ("vm-contract", "spawn-contract")
# How such a run ends.
SOUND = r"""
[1-9]\d* passed, 0 failed
capos: process 1 .* ended: exit 0; .*
capos: limits: interrupts off for at most [1-9]\d* us: .*
capos: limits: locks held for at most [1-9]\d* us: .*
capos: limits: locks held over interrupt windows for at most [1-9]\d* us: address_space\.lock, .*
"""


def check_fault(name: str) -> transcript.Check:
    """A panic that says what the kernel has done, and whose addresses decode to the function that did it."""

    def verify(output: str) -> list[str]:
        said = re.search(r"PANIC: .*", output)
        if said is None or re.match(f"PANIC: {FAULTS[name]}", said[0]) is None:
            return [f"not \"{FAULTS[name]}\": {said[0] if said else 'no panic'}"]
        wanted = f"{name.replace('-', '_')} at fault.c:"
        return [] if any(wanted in line for line in explain(MACHINE, output)) else [f"no address is of {wanted}"]

    return verify


def case_of(name: str, words: str, seconds: float, check: transcript.Check, end: str) -> Case:
    return Case(name, replace(MACHINE, append=words, timeout=seconds), [check], [Step(READY, b"")], end)


def cases(seconds: float) -> list[Case]:
    """A run of a program under limits may take three times as long."""
    return [
        case_of(f"fault {name}", f"fault={name} {WORDS.get(name, '')}", seconds, check_fault(name), "kernel panic")
        for name in FAULTS
    ] + [
        case_of(f"limits, {program}", f"init={program} once limits={LIMIT}", 3 * seconds, transcript.check_lines(SOUND), HALTED)
        for program in LIMITED
    ]
