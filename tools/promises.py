#!/usr/bin/env python3
"""ARCHITECTURE.md, section 9: what each promise names is there, and each mutant stands beside a promise.

A row names in backticks what keeps the promise (functions and files), which tests hold it, and which mutants break it.
A test is a host test's file and its functions, a line of a program that checks itself, or a target of make.
"""
import argparse
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

import mutants
import tree

QUOTED = re.compile(r"`([^`]+)`")
FILE = re.compile(r"[\w./-]+\.(?:c|h|S|py|sh|ld|mk|txt)|[\w-]+(?:/[\w-]+)+")
STRING = re.compile(r'"((?:\\.|[^"\\])*)"')
TARGET = re.compile(r"make ([a-z-]+)(?: [A-Z]+=\S+)*")
SPEAKERS = ("user/demos/", "user/testing/", "kernel/debug/")  # a test is known by what these print
SOURCES = (".c", ".h", ".S", ".py", ".sh", ".ld", ".pml")


@dataclass
class Row:
    line: int
    number: str  # "" beyond the requirements
    kept: str
    held: str
    mutants: list[str]


def rows() -> list[Row]:
    found = []
    lines = (tree.ROOT / "ARCHITECTURE.md").read_text().splitlines()
    for line in range(lines.index("## 9. Promises"), len(lines)):
        cells = [cell.strip() for cell in lines[line].split(" | ")]
        cells = [cells[0].removeprefix("|").strip(), *cells[1:-1], cells[-1].removesuffix("|").strip()]
        if not lines[line].startswith("|") or set(lines[line]) <= set("|- ") or "Promise" in cells:
            continue
        number = cells.pop(0) if cells[0].isdigit() else ""
        if len(cells) != 4:
            sys.exit(f"ARCHITECTURE.md:{line + 1}: not promise, kept by, held by, mutants")
        found.append(Row(line + 1, number, cells[1], cells[2], QUOTED.findall(cells[3])))
    return found


@lru_cache
def words() -> frozenset[str]:
    """Of all code, and of the names of its files; comments of C do not count."""
    found: set[str] = set()
    for path in tree.files(*SOURCES):
        text = tree.code(path) if path.endswith((".c", ".h", ".S")) else tree.text(path)
        found.update(re.findall(r"[A-Za-z_]\w*", text), [PurePath(path).stem])
    return frozenset(found)


@lru_cache
def strings() -> frozenset[str]:
    paths = [path for path in tree.files(".c") if path.startswith(SPEAKERS)]
    return frozenset(["", *(text for path in paths for text in STRING.findall(tree.code(path)))])


@lru_cache
def targets() -> frozenset[str]:
    makefiles = [tree.ROOT / "Makefile", *(tree.ROOT / "mk").glob("*.mk")]
    return frozenset(name for path in makefiles for name in re.findall(r"^([a-z-]+):(?!=)", path.read_text(), re.M))


@lru_cache
def is_file(name: str) -> bool:
    return (tree.ROOT / name).exists() or any(path.endswith("/" + name) for path in tree.files(*SOURCES))


def is_said(part: str) -> bool:
    """A program prints it: whole, from two strings, or beginning so."""
    if part.endswith("..."):
        return any(text.startswith(part[:-3].rstrip()) for text in strings())
    return any(part[:at] in strings() and part[at:] in strings() for at in range(1, len(part) + 1))


def is_line(name: str) -> bool:
    """A line "NAME" or "refuse OPERATION: WHY" of a program that checks itself."""
    if is_said(name):
        return True
    parts = re.split(r"^refuse |: |^: ", name)
    return all(is_said(part) for part in parts if part not in ("", "...", "OPERATION"))


def is_there(name: str) -> bool:
    if match := TARGET.fullmatch(name):
        return match[1] in targets()
    if all(part in words() for part in re.split(r"[.=]", name)):
        return True
    return bool(FILE.fullmatch(name) and is_file(name)) or is_line(name)


def check_host_tests(row: Row) -> list[str]:
    """`test_NAME` is a file of tests/host, or a function of the file named last."""
    complaints, path = [], ""
    for name in QUOTED.findall(row.held):
        if not name.startswith("test_"):
            continue
        if is_file(f"tests/host/{name}.c") and not (path and is_test(path, name)):
            path = f"tests/host/{name}.c"
        elif not path or not is_test(path, name):
            complaints.append(f"no test {name}" + (f" in {path}" if path else ""))
    return complaints


def is_test(path: str, name: str) -> bool:
    return re.search(rf"cmocka_unit_test\w*\(\s*{name}\b", tree.code(path)) is not None


def check_row(row: Row, known: dict[str, mutants.Mutant]) -> list[str]:
    others = [name for name in QUOTED.findall(row.held) if not name.startswith("test_")]
    complaints = [f"{name} is nowhere" for name in [*QUOTED.findall(row.kept), *others] if not is_there(name)]
    complaints += check_host_tests(row)
    complaints += [f"no mutant {name}" for name in row.mutants if name not in known]
    if not row.mutants and row.kept != "all of it":
        complaints.append("no mutant breaks it")
    for name in row.mutants:
        if name in known and known[name].test.startswith("host "):
            test = "test_" + known[name].test.removeprefix("host ")
            if f"`{test}`" not in row.held:
                complaints.append(f"{name} is caught by {test}, which the row does not name")
    return [f"ARCHITECTURE.md:{row.line}: {complaint}" for complaint in complaints]


def check_noticed(mutant: mutants.Mutant) -> list[str]:
    """The test that it names is there, and can say what it is to say."""
    complaints = []
    for way in (way.strip() for way in mutant.by.split(" or ")):
        if match := re.fullmatch(r"host (\w+)", mutant.test):
            path = f"tests/host/test_{match[1]}.c"
            if not is_file(path) or not is_test(path, way):
                complaints.append(f"{mutant.place}: {mutant.name}: no test {way} in {path}")
        elif way.startswith("FAILED ") and not is_line(way.removeprefix("FAILED ")):
            complaints.append(f"{mutant.place}: {mutant.name}: nothing says {way}")
    return complaints


def check_mutants(found: list[Row], known: list[mutants.Mutant]) -> list[str]:
    complaints = []
    for mutant in known:
        complaints += check_noticed(mutant)
        beside = [row.number for row in found if mutant.name in row.mutants]
        if not beside:
            complaints.append(f"{mutant.place}: {mutant.name} stands beside no promise of ARCHITECTURE.md")
        elif mutant.breaks.isdigit() and mutant.breaks not in beside:
            complaints.append(f"{mutant.place}: {mutant.name} does not stand beside promise {mutant.breaks}")
    return complaints


def check() -> list[str]:
    known = mutants.read_list()
    found = rows()
    complaints = mutants.check_list(known) + check_mutants(found, known)
    for row in found:
        complaints += check_row(row, {mutant.name: mutant for mutant in known})
    return complaints


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    sys.exit("\n".join(check()) or 0)
