#!/usr/bin/env python3
"""Run fuzzers (libFuzzer programs), as many at a time as there are CPUs.

fuzz.py [--seconds N] PROGRAM...
Without --seconds only the inputs of tests/fuzz/corpus/NAME are replayed. With it the search goes on from these and from
build/fuzz/corpus/NAME, where new inputs go, with the words of tests/fuzz/NAME.dict if there are any. An input that breaks
something is kept beside the program.
Last line: "fuzz: N passed, N failed".
"""
import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path("tests/fuzz/corpus")
MAX_INPUT_BYTES = 1 << 16
REPLAY_TIMEOUT = 120
LAST_COUNTS = re.compile(r"^#(\d+)\s+(?:DONE|INITED).*?cov: (\d+) ft: (\d+)(?: corp: (\d+))?", re.M)


@dataclass
class Outcome:
    name: str
    passed: bool
    summary: str
    output: str


def fuzz(program: Path, seconds: int) -> Outcome:
    seeds = CORPUS / program.name
    inputs = [path for path in seeds.glob("*") if path.is_file()]
    if not inputs:
        return Outcome(program.name, False, f"no input in {seeds}", "")
    arguments = [str(program), f"-artifact_prefix={program}-", f"-max_len={MAX_INPUT_BYTES}", "-timeout=60"]
    if seconds:
        found = program.parent / "corpus" / program.name
        found.mkdir(parents=True, exist_ok=True)
        words = Path(f"tests/fuzz/{program.name}.dict")
        arguments += [f"-dict={words}"] if words.exists() else []
        arguments += [f"-max_total_time={seconds}", "-print_final_stats=1", str(found), str(seeds)]
    else:
        arguments += ["-runs=0", str(seeds)]
    done = subprocess.run(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds + REPLAY_TIMEOUT,
    )
    output = done.stdout.decode(errors="replace")
    runs, branches, features, corpus = (LAST_COUNTS.findall(output)[-1:] or [("?", "?", "?", "?")])[0]
    summary = f"{len(inputs)} inputs kept, {runs} runs, {branches} branches and {features} features reached"
    if seconds:
        summary += f", {corpus} inputs found worth keeping"
    return Outcome(program.name, done.returncode == 0, summary, output)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("programs", nargs="*", type=Path)
    options = parser.parse_args()
    if not options.programs:
        sys.exit("fuzz.py: no fuzzer of that name")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda program: fuzz(program, options.seconds), options.programs))
    for outcome in outcomes:
        print(f"{outcome.name}: {'ok' if outcome.passed else 'FAILED'}: {outcome.summary}")
        if not outcome.passed:
            print(outcome.output)
    failed = sum(not outcome.passed for outcome in outcomes)
    print(f"fuzz: {len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
