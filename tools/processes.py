#!/usr/bin/env python3
"""Programs that are several processes, each as init of a machine of its own: on 1, 2, 4 and 8 CPUs, and on 4 CPUs by
the debug and clang builds.

processes.py memoryobject-shared   one memory object, mapped by parent and child
processes.py ipc-zerocopy          four records through shared pages; calls carry numbers and checksums
processes.py kv [OPERATIONS]       a key-value service, and clients that are killed on the way
CAPOS_BUILD is the build directory. Last line: "run-NAME: N passed, N failed". Logs: build/logs.
"""
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import transcript
from qemu import Machine
from suite import Case, finish, run_cases

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
BUILDS = (Path("build/debug"), Path("build/release-clang"))
CPUS = (1, 2, 4, 8)
START_SECONDS, OPERATIONS_PER_SECOND = 120, 50  # of a machine that has ten times as much to do
KV_OPERATIONS = 20000

WORD = (1 << 64) - 1
MESSAGE = re.compile(r"^(?:FAILED|LOST|LEAKED)\b.*|.*\bFAILED\b.*", re.M)
CONSUMED = re.compile(r"^consumer: record (\d+): (\d+) bytes, checksum 0x([0-9a-f]+)$", re.M)
KV_SPEED = re.compile(r"^kv: (\d+) requests served in (\d+) ms: (\d+) a second; (\d+) answers verified$", re.M)
KV_CHECKED = re.compile(r"^kv: (\d+) invariants of the kernel, (\d+) broken", re.M)
KV_END = re.compile(r"^kv: (\d+) operations, (\d+) kills, (\d+) lost, (\d+) leaked$", re.M)
RECORDS, RECORD_BYTES = 4, 4088


@dataclass
class Program:
    """What is started, and what its transcript must say; `summary` is what a reader wants to see of it."""

    init: str
    check: transcript.Check
    summary: re.Pattern
    seconds: float = START_SECONDS


def check_shared(output: str) -> list[str]:
    """The requirements of this one are a script of their own."""
    script = Path(__file__).with_name("qemu-memoryobject-shared-smoke.sh")
    done = subprocess.run([script, "-"], input=output, capture_output=True, text=True)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()


def random_byte(seed: int) -> int:
    """The lowest byte of the first number of user/protocol/random_sequence.h."""
    word = (seed + 0x9E3779B97F4A7C15) & WORD
    word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & WORD
    word = ((word ^ word >> 27) * 0x94D049BB133111EB) & WORD
    return (word ^ word >> 31) & 0xFF


def record_line(sequence: int) -> tuple[str, str, str]:
    """What the consumer must say of a record that it was told nothing of but number and checksum."""
    length = 1 + (RECORD_BYTES - 1) * sequence // (RECORDS - 1)
    checksum = 0xCBF29CE484222325
    for index in range(length):
        checksum = ((checksum ^ random_byte(sequence << 32 | index)) * 0x100000001B3) & WORD
    return str(sequence), str(length), f"{checksum:x}"


def check_records(output: str) -> list[str]:
    complaints = []
    if (seen := CONSUMED.findall(output)) != (wanted := [record_line(sequence) for sequence in range(RECORDS)]):
        complaints.append(f"the consumer saw the records {seen}, not {wanted}")
    lines = ["producer: transferred one memory object", "consumer: record 0 refused: checksum"]
    lines += [f"producer: ok exchanged: record {sequence}" for sequence in range(RECORDS)]
    lines += ["consumer: unmapped and released"]
    said = output.splitlines()
    complaints += [f"{said.count(line)} times, not once: {line}" for line in lines if said.count(line) != 1]
    if (counts := transcript.COUNTS.findall(output)) != [("7", "0")]:
        complaints.append(f"\"N passed, N failed\" says {counts}, not 7 and 0")
    return complaints


def check_kv(operations: int) -> transcript.Check:
    def verify(output: str) -> list[str]:
        complaints = []
        if (end := KV_END.search(output)) is None:
            return ["no line \"kv: N operations, N kills, N lost, N leaked\""]
        if int(end[1]) != operations or int(end[2]) == 0 or end[3] != "0" or end[4] != "0":
            complaints.append(f"of {operations} operations, with some kills, nothing lost, nothing leaked: {end[0]}")
        if "kv: the service answers and refuses as it must" not in output.splitlines():
            complaints.append("no line that the service answers and refuses as it must")
        if (speed := KV_SPEED.search(output)) is None or int(speed[4]) < operations / 2:
            complaints.append(f"too few answers were verified: {speed and speed[0]}")
        if (checked := KV_CHECKED.search(output)) is None or checked[1] == "0" or checked[2] != "0":
            complaints.append(f"invariants of the kernel: {checked and checked[0]}")
        return complaints

    return verify


def program(name: str, operations: int) -> Program:
    if name == "memoryobject-shared":
        return Program("memoryobject-shared-parent", check_shared, transcript.COUNTS)
    if name == "ipc-zerocopy":
        return Program("ipc-zerocopy-producer", check_records, transcript.COUNTS)
    summary = re.compile(f"{KV_SPEED.pattern}|{KV_END.pattern}", re.M)
    seconds = START_SECONDS + operations / OPERATIONS_PER_SECOND
    return Program(f"kv+{operations}", check_kv(operations), summary, seconds)


def check_end(wanted: Program) -> transcript.Check:
    """What holds for all of them: the program ended well, and with it each frame that it had came back."""
    name = wanted.init.partition("+")[0]

    def verify(output: str) -> list[str]:
        ended = transcript.ENDED.findall(output)
        complaints = [] if [(process, how) for _, process, how, _, _ in ended] == [(name, "exit 0")] else [f"init ended so: {ended}"]
        complaints += [f"{before} free frames before, {after} after" for *_, before, after in ended if before != after]
        return complaints + MESSAGE.findall(output)

    return verify


def cases(wanted: Program) -> list[Case]:
    machine = Machine(append=f"init={wanted.init} once", timeout=wanted.seconds)
    checks = [check_end(wanted), wanted.check]
    return [
        Case(f"{wanted.init}, {build.name}, smp {cpus}", replace(machine, smp=cpus, build=build), checks)
        for build, cpus in [*((BUILD, cpus) for cpus in CPUS), *((build, 4) for build in BUILDS)]
    ]


def main() -> int:
    names = ("memoryobject-shared", "ipc-zerocopy", "kv")
    if not 2 <= len(sys.argv) <= 3 or sys.argv[1] not in names:
        sys.exit(__doc__)
    name = sys.argv[1]
    wanted = program(name, int(sys.argv[2]) if len(sys.argv) == 3 else KV_OPERATIONS)

    def figures(output: str) -> str:
        return "; ".join(match[0].removeprefix("kv: ") for match in wanted.summary.finditer(output))

    # one after the other: a guest of 8 CPUs is enough for a host
    return finish(f"run-{name}", run_cases(name, cases(wanted), at_once=1, figures=figures))


if __name__ == "__main__":
    sys.exit(main())
