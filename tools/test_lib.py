#!/usr/bin/env python3
"""Run host tests (cmocka programs), two or more at a time, and count them.

test_lib.py --label NAME PROGRAM... [--valgrind PROGRAM...]
Shows the output of the programs that failed, then one line: "NAME: N passed, N failed".
"""
import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

LIMIT_SECONDS = 120
SANITIZER_SCALE = "4"  # tests divide their iteration counts by CAPOS_TEST_SCALE
VALGRIND_SCALE = "50"
ASAN_OPTIONS = "detect_invalid_pointer_pairs=2:detect_stack_use_after_return=1:strict_string_checks=1"
VALGRIND = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--errors-for-leak-kinds=definite"]


@dataclass
class Outcome:
    name: str
    passed: int
    failed: int
    output: str


def run(program: str, wrapper: list[str], scale: str | None) -> Outcome:
    environment = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1", ASAN_OPTIONS=ASAN_OPTIONS)
    if scale:
        environment.setdefault("CAPOS_TEST_SCALE", scale)
    name = Path(program).name + (" (valgrind)" if wrapper else "")
    try:
        done = subprocess.run(
            wrapper + [program],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=LIMIT_SECONDS,
        )
        output, status = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace") + f"no end after {LIMIT_SECONDS} s\n"
        status = -1
    started = len(re.findall(r"^\[ RUN +\]", output, re.M))
    passed = len(re.findall(r"^\[ +OK \]", output, re.M))
    skipped = len(re.findall(r"^\[  SKIPPED \] \w+$", output, re.M)) // 2  # each is listed twice
    failed = started - passed - skipped
    if failed == 0 and (status != 0 or started == 0):
        failed = 1  # a leak at the end, a crash outside a test, or no test at all
        output += f"{name} ended with status {status} after {started} tests\n"
    return Outcome(name, passed, failed, output)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label", required=True)
    parser.add_argument("--valgrind", nargs="*", default=[])
    parser.add_argument("programs", nargs="*")
    options = parser.parse_args()
    scale = SANITIZER_SCALE if options.label == "sanitize-lib" else None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(run, program, [], scale) for program in options.programs]
        jobs += [pool.submit(run, program, VALGRIND, VALGRIND_SCALE) for program in options.valgrind]
        outcomes = [job.result() for job in jobs]
    for outcome in outcomes:
        if outcome.failed:
            print(f"--- {outcome.name}\n{outcome.output}", end="")
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    if not outcomes:
        print("no test of that name")
        failed = 1
    print(f"{options.label}: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
