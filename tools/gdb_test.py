#!/usr/bin/env python3
"""The gdb commands of tools/gdb_capos.py, on a guest that stands still in the middle of wordcount.

Then the guest goes on and must end as if nothing had been. Last line: "run-gdb: N passed, N failed".
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import transcript
from qemu import Machine, run

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
LOG = Path("build/logs/gdb-test.log")
TIMEOUT = 120
INPUT = b"endpoint door\nclient bell door 7\nspawn endless\nrun wordcount\nkill 2\ncheck\nhalt\n"
CALLS_BEFORE_STOP = 300  # the condition is asked each time, which is slow
SCRIPT = f"""\
set pagination off
set confirm off
add-symbol-file {{build}}/user/wordcount
target remote {{socket}}
break word_table_add if $capos_runs("wordcount")
ignore 1 {CALLS_BEFORE_STOP}
continue
echo <processes>\\n
capos-processes
echo <tree>\\n
capos-tree
echo <threads>\\n
capos-threads
echo <threads-of-one>\\n
capos-threads 1
echo <queues>\\n
capos-queues
echo <endpoints>\\n
capos-endpoints
echo <walk-program>\\n
capos-walk $rip
echo <walk-program-by-pid>\\n
capos-walk $rip 3
echo <walk-kernel>\\n
capos-walk &kernel_main
echo <walk-nothing>\\n
capos-walk 0
echo <frames>\\n
capos-frames
echo <caps>\\n
capos-caps
echo <ledgers>\\n
capos-ledgers 3
echo <end>\\n
delete
detach
"""
PROCESS = re.compile(r"^(.) +(\d+) (\S+) +0x[0-9a-f]+ +(\d+) +(\d+) +(\d+) +(\d+)$", re.M)
CAPABILITY = re.compile(r"^ +\d+ generation +\d+ CAP_SLOT_LIVE +INTERFACE_(\w+)", re.M)
PARENT = re.compile(r"^( *)process (\d+) (\S+): 1 threads, .*frame_grant (\d+)/(\d+), ", re.M)
THREAD = re.compile(r"^ +(\d+) +0 (\w+) +0 +\d+ +(?:since )?[\d.]+ +(\d+)  (.*)$", re.M)
QUEUE = re.compile(r"^cpu 0: runs process 3 wordcount thread 0; (\d+) ready, (\d+) with a deadline, \d+ switches$", re.M)
LEDGER = re.compile(r"^LEDGER_(\w+) +(\d+) +(\d+) +(\d+)$", re.M)
USE = re.compile(r"^FRAME_(\w+) +(\d+)$", re.M)


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^<([a-z-]+)>$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def check_processes(text: str) -> bool:
    """Three, the last one runs, and it has memory of all kinds."""
    rows = PROCESS.findall(text)
    named = [row[:3] for row in rows]
    wanted = [("*", "3", "wordcount"), (" ", "2", "endless"), (" ", "1", "shell")]
    return named == wanted and all(int(number) > 0 for number in rows[0][3:])


def check_tree(text: str) -> bool:
    """The shell above its two programs, each within its limits."""
    rows = PARENT.findall(text)
    within = all(int(used) <= int(limit) for *_, used, limit in rows)
    return [row[:3] for row in rows] == [("", "1", "shell"), ("  ", "2", "endless"), ("  ", "3", "wordcount")] and within


def check_threads(text: str, pids: str) -> bool:
    """One of each process; the shell waits for two processes and for ^C, and the clock will wake the one asleep."""
    rows = {pid: (int(switches), sorted(opened.split())) for pid, _, switches, opened in THREAD.findall(text)}
    opens = {"1": ["CONSOLE_READ", "PROCESS_WAIT", "PROCESS_WAIT"], "2": ["SLEEP"], "3": []}
    return sorted(rows) == list(pids) and all(rows[pid][0] > 0 and rows[pid][1] == opens[pid] for pid in pids)


def check_queues(text: str) -> bool:
    """The program runs; the sleeper is asleep with a deadline, or woken just now. The shell waits for input, without one."""
    queue = QUEUE.search(text)
    return queue is not None and int(queue[1]) + int(queue[2]) == 1 and text.count("  priority ") == int(queue[1])


def check_walk(text: str, flag: str, kind: str) -> bool:
    """Down to a page of this kind, with this flag, readable and executable."""
    entries = re.findall(r"^(?:PML4|PDPT|PD|PT) .*= 0x[0-9a-f]{16}  (.*), (\w+)$", text, re.M)
    flags, said_kind = (entries[-1][0].split(), entries[-1][1]) if entries else ([], "")
    executable = "P" in flags and "W" not in flags and "NX" not in flags
    return " is physical 0x" in text and executable and flag in flags and said_kind == kind


def check_frames(text: str) -> bool:
    """The uses add up to all frames, and both books agree on the free ones."""
    uses = {name: int(count) for name, count in USE.findall(text)}
    total = re.search(r"^all of RAM +(\d+)$", text, re.M)
    free = re.search(r"^free: (\d+) in the bitmap, (\d+) on stacks$", text, re.M)
    if total is None or free is None:
        return False
    return sum(uses.values()) == int(total[1]) and uses["FREE"] == int(free[1]) + int(free[2]) and uses["ANONYMOUS"] > 0


def check_caps(text: str) -> bool:
    found = set(CAPABILITY.findall(text))
    return found == {"CONSOLE", "BOOT_PACKAGE", "VIRTUAL_MEMORY"}


def check_ledgers(text: str) -> bool:
    rows = {name: [int(number) for number in numbers] for name, *numbers in LEDGER.findall(text)}
    return (
        len(rows) == 6
        and all(used <= peak <= limit for used, limit, peak in rows.values())
        and rows["FRAME_GRANT"][0] > 0
        and rows["IMAGE"][0] > 0
    )


CHECKS = {
    "processes": check_processes,
    "tree": check_tree,
    "threads": lambda text: check_threads(text, "123"),
    "threads-of-one": lambda text: check_threads(text, "1"),
    "queues": check_queues,
    "endpoints": lambda text: text.strip() == "endpoint 1: 1 owners, 1 clients, 2 references",
    "walk-program": lambda text: check_walk(text, "U", "PAGE_IMAGE"),
    "walk-program-by-pid": lambda text: check_walk(text, "U", "PAGE_IMAGE"),
    "walk-kernel": lambda text: check_walk(text, "G", "PAGE_EMPTY"),
    "walk-nothing": lambda text: "not present, PAGE_EMPTY" in text,
    "frames": check_frames,
    "caps": check_caps,
    "ledgers": check_ledgers,
}


def run_gdb(socket: str, script: Path) -> str:
    """What gdb says. It would not wait for the socket itself."""
    script.write_text(SCRIPT.format(build=BUILD, socket=socket))
    deadline = time.monotonic() + TIMEOUT
    while not os.path.exists(socket) and time.monotonic() < deadline:
        time.sleep(0.01)
    arguments = ["gdb", "-q", "-nx", "-batch", str(BUILD / "kernel.elf"), "-x", "tools/gdb_capos.py", "-x", str(script)]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    return done.stdout + done.stderr


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="capos-") as scratch, ThreadPoolExecutor(1) as pool:
        socket = f"{scratch}/gdb"
        machine = Machine(build=BUILD, gdb=f"unix:{socket},server=on,wait=off", timeout=TIMEOUT, log=LOG)
        guest = pool.submit(run, machine, INPUT)
        said = run_gdb(socket, Path(scratch, "script"))
        result = guest.result()
    outcomes = {name: name in sections(said) and check(sections(said)[name]) for name, check in CHECKS.items()}
    complaints = transcript.check_words(result.output) + transcript.check_invariants(result.output)
    outcomes["guest goes on"] = result.code == 0 and not complaints
    for name, passed in outcomes.items():
        print(f"{name}: {'ok' if passed else 'FAILED'}")
    failed = list(outcomes.values()).count(False)
    if failed:
        print(f"{said}\nthe guest: {result.why} {complaints}; {LOG}")
    print(f"run-gdb: {len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
