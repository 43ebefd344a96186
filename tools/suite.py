"""What the suites share that boot machines and look at what these say: a case, its run, its report, the last line."""
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import qemu
from bochs import BochsMachine
from transcript import Check

LOGS = Path("build/logs")
HALTED = "the guest halted with code 0"
TWO_AT_ONCE = max(1, min(2, (os.cpu_count() or 1)))


@dataclass
class Case:
    """One run: the machine, the checks of its transcript, what is typed, how it must end, and what runs the machine."""

    name: str
    machine: qemu.Machine | BochsMachine
    checks: list[Check]
    input: list[qemu.Step] | bytes = field(default_factory=list)
    end: str = HALTED
    run: Callable = qemu.run


def try_case(suite: str, case: Case) -> tuple[Case, qemu.Result, list[str]]:
    log = LOGS / f"{suite}-{re.sub(r'[^a-z0-9]+', '-', case.name.lower())}.log"
    case.machine = replace(case.machine, log=log)
    result = case.run(case.machine, case.input)
    complaints = [] if result.why == case.end else [result.why]
    for check in case.checks:
        complaints += check(result.output)
    return case, result, complaints


def report(case: Case, result: qemu.Result, complaints: list[str], figures: str) -> None:
    """A line; if it failed also what was wrong, and how the guest ended."""
    verdict = "FAILED" if complaints else "ok"
    print(f"{case.name}: {verdict} ({'; '.join([f'{result.seconds:.1f} s', *filter(None, [figures])])})", flush=True)
    if not complaints:
        return
    for complaint in complaints:
        print(f"  {complaint}")
    print(f"  the whole run: {case.machine.log}")
    if result.why == case.end:
        return
    for line in result.output.splitlines()[-qemu.TAIL_LINES :] + qemu.explain(case.machine, result.output):
        print(f"  | {line}", flush=True)


def run_cases(suite: str, cases: list[Case], at_once: int, figures: Callable[[str], str] = lambda output: "") -> list[bool]:
    """Report each, in their order; `figures` is what a transcript has to show. Whether each went well."""
    outcomes = []
    LOGS.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(at_once) as pool:
        jobs = [pool.submit(try_case, suite, case) for case in cases]
        for job in jobs:
            case, result, complaints = job.result()
            report(case, result, complaints, figures(result.output))
            outcomes.append(not complaints)
    return outcomes


def finish(label: str, outcomes: list[bool]) -> int:
    """The last line of a suite, and its exit status."""
    print(f"{label}: {sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1
