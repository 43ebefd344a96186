#!/usr/bin/env python3
"""Programs in ring 3 that submit operations at random (user/demos/ring-fuzz), on several CPUs; or twice alike on one.

fuzz_rings.py [--seconds N] [--cpus N,N...] [--seed N]     random traffic; the seed is printed
fuzz_rings.py --icount [--seconds N] [--seed N]            on one CPU that counts instructions: two runs must be the same

Seconds are the guest's. Every look at the invariants must hold, ledgers and frames must end as they began, no answer
be one that there should not be. A quarter of the answers must be OK, and most operations have been carried out; in a
long run each must have been, and been refused. CAPOS_BUILD is the build directory. Last line: "run-fuzz: N passed, N failed". Logs: build/logs.
"""
import argparse
import hashlib
import os
import re
import sys
import time
from pathlib import Path

from hostile import check_end, numbers
from qemu import Machine, Result, explain, run

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
LOGS = Path("build/logs")
TIMEOUT = float(os.environ.get("CAPOS_TIMEOUT", "900"))
SOME, ENOUGH = 4000, 50000  # submissions of a run that must have reached most operations, and all of them in both ways
OFTEN = 200  # submissions of an operation of which that can be said
MOST_OPERATIONS = 0.8

ROW = re.compile(r"^([a-z][a-z -]*?) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$", re.M)
SUM = re.compile(r"^(\d+) submissions, hash ([0-9a-f]+)$", re.M)
WORKERS = re.compile(r"^workers \d+: exited \d+, faulted \d+, killed \d+; enters \d+, refused \d+$", re.M)
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
# What a worker does to itself is its own affair.
FAULT = re.compile(r"^capos: fault: .*\n", re.M)
# They need a thread that handles faults, and another one that has one: there may be none.
BY_CHANCE = ("thread fault-wait", "thread fault-resume")


def check_table(output: str, submissions: int) -> list[str]:
    """What was reached: enough, for so many submissions."""
    rows = [(name, *map(int, numbers_of_row)) for name, *numbers_of_row in ROW.findall(output)]
    complaints = [] if rows else ["there is no table"]
    answers = sum(sum(row[2:]) for row in rows)
    if sum(row[2] for row in rows) * 4 < answers:
        complaints.append("less than a quarter of the answers is OK")
    if submissions >= SOME and sum(row[2] != 0 for row in rows) < len(rows) * MOST_OPERATIONS:
        complaints.append("too few operations were ever carried out")
    for name, submitted, ok, *refused in rows if submissions >= ENOUGH else ():
        if submitted >= OFTEN and ok == 0 and name not in BY_CHANCE:
            complaints.append(f"{name} was never carried out")
        if submitted >= OFTEN and not any(refused):
            complaints.append(f"{name} was never refused")
    return complaints


def check_run(result: Result, seconds: int) -> list[str]:
    complaints = [] if result.code == 0 else [result.why]
    complaints += check_end("ring-fuzz")(FAULT.sub("", result.output))
    counts, total = COUNTS.search(result.output), SUM.search(result.output)
    if counts is None or (int(counts[1]), counts[2]) != (seconds + 1, "0"):
        complaints.append(f"looks at the invariants: {counts and counts[0]}, not one for each of {seconds} seconds")
    if total is None:
        complaints.append("no sum of what was submitted")
    else:
        complaints += check_table(result.output, int(total[1]))
    return complaints


def boot(name: str, cpus: int, seconds: int, seed: int, icount: bool) -> Result:
    machine = Machine("q35", cpus, "128M", BUILD, append=f"init=ring-fuzz+{seconds}+{seed} once seed={seed}",
                      timeout=seconds * (60 if icount else 2) + TIMEOUT, icount=icount, log=LOGS / f"fuzz-{name}.log")
    result = run(machine)
    complaints = check_run(result, seconds)
    total, workers = SUM.search(result.output), WORKERS.search(result.output)
    print(f"{name}: {'FAILED' if complaints else 'ok'} (seed {seed}, {result.seconds:.1f} s; {total and total[0]}; "
          f"{workers and workers[0]})", flush=True)
    for complaint in complaints:
        print(f"  {complaint}")
    if complaints:
        print(f"  the whole run: {machine.log}")
    if result.code is None:
        for line in result.output.splitlines()[-30:] + explain(machine, result.output):
            print(f"  | {line}")
    result.code = None if complaints else 0
    return result


def print_table(output: str) -> None:
    """Of the last run: what was reached."""
    at, end = output.find("operation  "), output.find("workers ")
    print(output[at:end], end="")


def run_twice(seconds: int, seed: int) -> list[bool]:
    results = [boot(f"icount-{number}", 1, seconds, seed, True) for number in (1, 2)]
    hashes = [hashlib.sha256(result.output.encode()).hexdigest() for result in results]
    print(f"transcripts: {hashes[0][:16]} and {hashes[1][:16]}")
    return [result.code == 0 for result in results] + [hashes[0] == hashes[1]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--cpus", type=numbers, default=[4], help="one or more, with commas between them")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--icount", action="store_true")
    options = parser.parse_args()
    if options.icount:
        outcomes = run_twice(options.seconds, options.seed)
    else:
        results = [boot(f"smp-{cpus}", cpus, options.seconds, options.seed, False) for cpus in options.cpus]
        print_table(results[-1].output)
        outcomes = [result.code == 0 for result in results]
    print(f"run-fuzz: {sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
