#!/usr/bin/env python3
"""Instruction counts of the system's operations, beside the goals of bench/goals.json; then the host benchmarks.

Boots the program `bench` on one emulated CPU whose time-stamp counter counts instructions, exactly and repeatably. It
checks its own work and prints "bench: NAME VALUE", one line an operation; goals, peers and values go to
build/bench.json. A goal is something to reach, not a limit: what fails is a program that does not end well, and a name
that only one side has. Arguments are host benchmarks. Last line: "bench: N passed, N failed".
"""
import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from qemu import Machine, explain, run

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
GOALS = Path("bench/goals.json")
VALUES = Path("build/bench.json")
LOG = Path("build/logs/bench.log")
TIMEOUT = 300
VALUE = re.compile(r"^bench: (\S+) ([0-9.]+)\s*$", re.M)


def measure() -> tuple[dict[str, float], bool]:
    """Value by name, and whether the guest ended well."""
    machine = Machine(build=BUILD, append="init=bench once seed=1", icount=True, timeout=TIMEOUT, log=LOG)
    result = run(machine)
    if result.code != 0:
        print("\n".join(result.output.splitlines()[-40:] + explain(machine, result.output)))
        print(f"{machine}: {result.why}")
    return {name: float(value) for name, value in VALUE.findall(result.output)}, result.code == 0


def verdict(value: float | None, row: dict | None) -> str:
    if value is None:
        return "FAILED: not measured"
    if row is None:
        return "FAILED: no goal"
    return "ok" if value <= row["goal"] else "ok, above the goal"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="*", help="host benchmarks")
    programs = parser.parse_args().program
    goals = {row["name"]: row for row in json.loads(GOALS.read_text())}
    values, ended_well = measure()
    rows = [row | {"value": values.get(row["name"])} for row in goals.values()]
    VALUES.write_text(json.dumps(rows, indent=1) + "\n")
    verdicts = ["ok" if ended_well else "FAILED"]
    print(f"{'':30} {'measured':>10} {'goal':>8} {'peer':>8}")
    for name in goals | values:
        row, value = goals.get(name), values.get(name)
        verdicts.append(verdict(value, row))
        numbers = f"{'-' if value is None else value:>10} {row['goal'] if row else '-':>8}"
        peer = f"{row['peer_value']:>8} {row['peer']}, {row['unit']}" if row else ""
        print(f"{name:30} {numbers} {peer:55} {verdicts[-1]}")
    for program in programs:
        print(f"--- {program}", flush=True)
        verdicts.append("ok" if subprocess.run([program]).returncode == 0 else "FAILED")
    passed = sum(one.startswith("ok") for one in verdicts)
    print(f"bench: {passed} passed, {len(verdicts) - passed} failed")
    return 0 if passed == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
