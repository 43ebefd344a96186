#!/usr/bin/env python3
"""`make test`: every suite in order, one line each, a suite's own output only if it fails; then the sum of all.

Arguments (MODE=..., CC=...) go to make. The last line is "N passed, N failed".
"""
import os
import re
import subprocess
import sys
import time

# Each with its own arguments for make.
SUITES = [line.split() for line in """
check
test-lib
sanitize-lib
tsan-lib
analyze
test-install
fuzz-corpus
fuzz SECONDS=60
run-smoke
run-vm
run-spawn
run-layout
run-memoryobject-shared
run-ipc-zerocopy
run-kv
run-hostile
run-stress SECONDS=8 CPUS=1,2,4,8
run-fuzz SECONDS=15 CPUS=4
run-faultinject FORM=short
run-mutant
run-protection
run-bochs-short
run-gdb
run-iso
bench
""".split("\n") if line]
# Each suite is a make of its own, not a job of the one that started this.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
COUNTS = re.compile(r"(\d+) passed, (\d+) failed\s*\Z")


def run(suite: str, *arguments: str) -> tuple[int, int]:
    """Passed and failed of one suite; a suite that gives no counts, or counts at odds with its status, has failed."""
    started = time.monotonic()
    make = subprocess.run(
        ["make", "-s", suite, *arguments, *sys.argv[1:]],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = make.stdout.decode(errors="replace").strip()
    # make's own complaint comes after the suite's last line
    lines = [line for line in output.splitlines() if not line.startswith("make: ***") and not line.startswith("make[")]
    counts = COUNTS.search("\n".join(lines))
    passed, failed = (int(counts[1]), int(counts[2])) if counts else (0, 0)
    if make.returncode != 0 and failed == 0:
        failed = 1
    if failed:
        print(output)
    print(f"{suite}: {passed} passed, {failed} failed ({time.monotonic() - started:.0f} s)", flush=True)
    return passed, failed


def main() -> int:
    if not all(re.fullmatch(r"[A-Z]+=.*", word) for word in sys.argv[1:]):
        sys.exit(__doc__)
    results = [run(*suite) for suite in SUITES]
    failed = sum(result[1] for result in results)
    print(f"{sum(result[0] for result in results)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
