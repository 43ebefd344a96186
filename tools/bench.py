#!/usr/bin/env python3
"""Instruction counts of the system's operations, held against bench/limits.txt.

Boots the program `bench` on one emulated CPU whose time-stamp counter counts instructions, exactly and repeatably. It
prints "bench: NAME VALUE", one line an operation. bench/limits.txt has "NAME LIMIT reason": a value above its limit
fails, and so does a name on one side only. Last line: "bench: N passed, N failed".
"""
import os
import re
import sys
from pathlib import Path

from qemu import Machine, explain, run

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
LIMITS = Path("bench/limits.txt")
LOG = Path("build/logs/bench.log")
TIMEOUT = 300
VALUE = re.compile(r"^bench: (\S+) (\d+)\s*$", re.M)


def read_limits() -> dict[str, int]:
    lines = [line.split() for line in LIMITS.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return {words[0]: int(words[1]) for words in lines}


def main() -> int:
    machine = Machine(build=BUILD, append="init=bench once", icount=True, timeout=TIMEOUT, log=LOG)
    result = run(machine)
    if result.code != 0:
        print("\n".join(result.output.splitlines()[-40:] + explain(machine, result.output)))
        print(f"{machine}: {result.why}")
    limits = read_limits()
    values = {name: int(value) for name, value in VALUE.findall(result.output)}
    failed = result.code != 0
    for name in limits | values:
        value, limit = values.get(name), limits.get(name)
        verdict = "ok" if value is not None and limit is not None and value <= limit else "FAILED"
        failed += verdict != "ok"
        measured = "not measured" if value is None else value
        print(f"{name:40} {measured:>12} {'no limit' if limit is None else limit:>12}  {verdict}")
    passed = sum(name in limits and values[name] <= limits[name] for name in values)
    print(f"bench: {passed} passed, {int(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
