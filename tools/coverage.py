#!/usr/bin/env python3
"""`make coverage`: which lines and branches the tests reach, as a table, and line by line as build/coverage/html/index.html.

lib/ is counted by gcov in the host tests; the kernel by a QEMU plugin in whole boots of builds of its own (MODE=coverage,
and with FAULTS=1), so kernel/ here is what programs and self-tests reach in a machine, without the host tests. Each function with lines that
nothing reaches must stand in tests/coverage/unreached.txt with its reason, and each that stands there must have some.
Branches of CHECK and ASSERT count for nothing: their other side is a panic. ONLY=lib or ONLY=kernel does one of the two.
Last line: "coverage: N passed, N failed".
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path("build/coverage")
FAULTS_BUILD = Path("build/coverage-faults")  # in which memory runs out
OUT = BUILD / "executed"  # a folder for each kernel: what tools/qemu.py saw executed of it
HTML = BUILD / "html"
REASONS = Path("tests/coverage/unreached.txt")
KERNEL_SUITES = (["tools/smoke.py", "shell"], ["tools/smoke.py", "vm"], ["tools/smoke.py", "iso"],
                 ["tools/hostile.py", "spawn"], ["tools/hostile.py", "hostile"],
                 ["tools/hostile.py", "stress", "--seconds", "10"], ["tools/protection.py"],
                 ["tools/processes.py", "memoryobject-shared"], ["tools/processes.py", "ipc-zerocopy"],
                 ["tools/processes.py", "kv"], ["tools/layout_capos.py"], ["tools/fuzz_rings.py", "--seconds", "10"],
                 ["tools/faultinject.py", "short"])
# Folder: least parts of lines and of branches, in percent.
GOALS = {"lib": (98.0, 95.0), "kernel/mem": (92.0, 0.0), "kernel/cap": (92.0, 0.0)}
STATEMENT = re.compile(r"\b(?:CHECK|ASSERT)\(")
COUNTS = re.compile(r"\d+ passed, \d+ failed\s*\Z")
LINE_ROW = re.compile(r"^(\S+\.[chS])\s+(\d+)\s+(0x[0-9a-f]+)")


@dataclass
class Source:
    """One file: how often each line with code was reached, and each branch of a line."""

    lines: dict[int, int] = field(default_factory=dict)
    branches: dict[int, list[int]] = field(default_factory=dict)


Sources = dict[str, Source]


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess:
    own = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(command, env=own | environment, capture_output=True, text=True)


def require(command: list[str], **environment: str) -> str:
    done = run(command, **environment)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


# ---- lib: gcov ----


def add_gcov(sources: Sources, report: dict) -> None:
    for file in report["files"]:
        if not file["file"].startswith("lib/"):
            continue
        source = sources.setdefault(file["file"], Source())
        for line in file["lines"]:
            number = line["line_number"]
            source.lines[number] = source.lines.get(number, 0) + line["count"]
            counts = [branch["count"] for branch in line["branches"]]
            before = source.branches.get(number, [])
            if len(before) == len(counts):
                counts = [a + b for a, b in zip(before, counts)]
            if counts and len(counts) >= len(before):
                source.branches[number] = counts


def measure_lib() -> Sources:
    sources: Sources = {}
    folder = ROOT / "build/host-coverage"
    require(["make", "-s", "host-tests", "HOST=host-coverage"])
    for data in folder.rglob("*.gcda"):
        data.unlink()
    tests = sorted(str(path) for path in folder.glob("test_*"))
    # unoptimised and counting, they take their time: fewer rounds reach the same lines
    done = require(["tools/test_lib.py", "--label", "host tests", *tests], CAPOS_TEST_SCALE="4")
    print(done.splitlines()[-1], flush=True)
    for data in sorted(folder.rglob("*.gcda")):
        text = require(["gcov", "--json-format", "--stdout", "--branch-probabilities", str(data)])
        for line in text.splitlines():
            add_gcov(sources, json.loads(line))
    return sources


# ---- kernel: blocks that QEMU has executed ----


def line_table(elf: Path) -> list[tuple[int, str, int]]:
    """(address, file, line), sorted: where the code of a line begins. objdump names a file by its basename alone, which
    is enough here (tools/names.py)."""
    tracked = {Path(path).name: path for path in require(["git", "ls-files", "*.[chS]"]).splitlines()}
    rows = []
    for line in require(["objdump", "--dwarf=decodedline", str(elf)]).splitlines():
        if (match := LINE_ROW.match(line)) and match[1] in tracked:
            rows.append((int(match[3], 16), tracked[match[1]], int(match[2])))
    return sorted(rows)


def executed_ranges(folder: Path) -> list[tuple[int, int]]:
    found = set()
    for file in folder.glob("*.blocks"):
        for line in file.read_text().splitlines():
            address, size = line.split()
            if int(address, 16) >> 63:
                found.add((int(address, 16), int(size)))
    return sorted(found)


def measure_kernel() -> Sources:
    shutil.rmtree(OUT, ignore_errors=True)
    builds = (BUILD, FAULTS_BUILD)
    for build in builds:
        (OUT / build.name).mkdir(parents=True)
    require(["make", "-s", "build", "MODE=coverage"])
    require(["make", "-s", "kernel", "MODE=coverage", "FAULTS=1"])
    for mode, compiler in (("debug", "gcc"), ("release", "clang")):
        require(["make", "-s", "build", f"MODE={mode}", f"CC={compiler}"])
    require(["make", "-s", "iso", f"{BUILD}/shim.cpio", "MODE=coverage"])
    require(["gcc", "-O2", "-shared", "-fPIC", "-o", str(OUT / "executed_blocks.so"), "tools/coverage/executed_blocks.c"])
    for suite in KERNEL_SUITES:
        done = run(suite, CAPOS_BUILD=str(BUILD), CAPOS_FAULTS_BUILD=str(FAULTS_BUILD), CAPOS_COVERAGE=str(OUT))
        if not COUNTS.search(done.stdout):
            sys.exit(f"{' '.join(suite)} gives no counts:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        last = done.stdout.splitlines()[-1]
        print(last if done.returncode == 0 else f"{last} (what it reached counts all the same)", flush=True)
    sources: Sources = {}
    for build in builds:
        add_kernel(sources, line_table(build / "kernel.elf"), executed_ranges(OUT / build.name))
    return sources


def add_kernel(sources: Sources, rows: list[tuple[int, str, int]], ranges: list[tuple[int, int]]) -> None:
    """A line is reached if the first instruction of one of its pieces was, in one of the kernels."""
    starts = [row[0] for row in rows]
    for _, file, line in rows:
        sources.setdefault(file, Source()).lines.setdefault(line, 0)
    for address, size in ranges:
        # the row that the block begins in, and all that begin inside it
        first = max(bisect_right(starts, address) - 1, 0)
        while first > 0 and starts[first - 1] == starts[first]:
            first -= 1
        for start, file, line in rows[first:bisect_right(starts, address + size - 1)]:
            sources[file].lines[line] += 1


# ---- what is counted ----


def checked_lines(path: str) -> set[int]:
    """Lines of CHECK and ASSERT statements."""
    text = Path(path).read_text()
    lines: set[int] = set()
    for match in STATEMENT.finditer(text):
        depth, at = 1, match.end()
        while depth and at < len(text):
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        lines |= set(range(text.count("\n", 0, match.start()) + 1, text.count("\n", 0, at) + 2))
    return lines


def functions_of(path: str) -> list[tuple[int, int, str]]:
    text = require(["ctags", "--languages=C", "--langmap=C:.c.h", "--fields=+ne", "--kinds-C=f", "-f", "-", path])
    found = []
    for line in text.splitlines():
        name, *rest = line.split("\t")
        fields = dict(part.split(":", 1) for part in rest if re.match(r"(line|end):\d+$", part))
        if "line" in fields and "end" in fields:
            found.append((int(fields["line"]), int(fields["end"]), name))
    return sorted(found)


def drop_checks(sources: Sources) -> None:
    for path, source in sources.items():
        excluded = checked_lines(path)
        source.branches = {line: counts for line, counts in source.branches.items() if line not in excluded}


def share(hit: int, count: int) -> float:
    return 100.0 * hit / count if count else 100.0


def folder_of(path: str) -> str:
    return path.rsplit("/", 1)[0]


def table(sources: Sources) -> tuple[list[str], int]:
    """One line a folder with its goal, and how many goals are missed."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for path, source in sources.items():
        counts = [count for of_line in source.branches.values() for count in of_line]
        for i, value in enumerate((sum(map(bool, source.lines.values())), len(source.lines),
                                   sum(map(bool, counts)), len(counts))):
            sums[folder_of(path)][i] += value
    text, missed = [], 0
    for folder, (lines, all_lines, branches, all_branches) in sorted(sums.items()):
        of_lines, of_branches = share(lines, all_lines), share(branches, all_branches)
        entry = f"{folder:22} lines {of_lines:6.2f} % of {all_lines:5}"
        entry += f"   branches {of_branches:6.2f} % of {all_branches:5}" if all_branches else ""
        if goal := GOALS.get(folder):
            well = of_lines >= goal[0] and of_branches >= goal[1]
            entry += f"   goal {goal[0]:g} %" + (f", {goal[1]:g} %" if goal[1] else "") + ("" if well else "   MISSED")
            missed += not well
        text.append(entry)
    return text, missed


def unreached(sources: Sources) -> dict[str, list[int]]:
    """"path function": its lines that nothing reaches."""
    found: dict[str, list[int]] = defaultdict(list)
    for path, source in sorted(sources.items()):
        functions = functions_of(path)
        for line in sorted(line for line, count in source.lines.items() if not count):
            name = next((name for start, end, name in functions if start <= line <= end), "-")
            found[f"{path} {name}"].append(line)
    return found


def read_reasons() -> dict[str, str]:
    """Lines "path function: reason"; # begins a comment."""
    reasons = {}
    for line in REASONS.read_text().splitlines():
        if line and not line.startswith("#"):
            place, _, reason = line.partition(": ")
            reasons[place] = reason
    return reasons


def compare_reasons(sources: Sources) -> list[str]:
    found, reasons = unreached(sources), read_reasons()
    counted = {path for path in sources if folder_of(path) in GOALS}
    complaints = [f"{place}: not reached: lines {', '.join(map(str, lines))}; no reason in {REASONS}"
                  for place, lines in found.items() if place.split()[0] in counted and place not in reasons]
    return complaints + [f"{REASONS}: {place}: all of it is reached" for place in reasons
                         if place.split()[0] in counted and place not in found]


def write_html(sources: Sources, what: str) -> None:
    info = BUILD / f"{what}.info"
    with open(info, "w") as file:
        for path, source in sorted(sources.items()):
            file.write(f"SF:{ROOT / path}\n")
            for line, counts in sorted(source.branches.items()):
                file.writelines(f"BRDA:{line},0,{i},{count}\n" for i, count in enumerate(counts))
            file.writelines(f"DA:{line},{count}\n" for line, count in sorted(source.lines.items()))
            file.write("end_of_record\n")
    require(["genhtml", "--quiet", "--branch-coverage", "--prefix", str(ROOT), "--title", f"capOS: {what}", "-o",
             str(HTML / what), str(info)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="?", choices=("lib", "kernel"))
    only = parser.parse_args().only
    os.chdir(ROOT)
    BUILD.mkdir(parents=True, exist_ok=True)
    goals = failed = 0
    for what, measure, prefix in (("lib", measure_lib, "lib/"), ("kernel", measure_kernel, "kernel/")):
        if only not in (None, what):
            continue
        sources = {path: source for path, source in measure().items() if path.startswith(prefix)}
        drop_checks(sources)
        text, missed = table(sources)
        complaints = compare_reasons(sources)
        print("\n".join(text + complaints), flush=True)
        write_html(sources, what)
        print(f"{HTML}/{what}/index.html")
        goals += sum(folder in GOALS for folder in {folder_of(path) for path in sources}) + 1
        failed += missed + bool(complaints)
    print(f"coverage: {goals - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
