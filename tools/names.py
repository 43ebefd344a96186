#!/usr/bin/env python3
"""Names and words of the tree: unique file names, external functions named after their file and used by another one,
and nothing that CONTRIBUTING.md forbids. Exceptions, each with its reason, are in tools/exceptions.txt."""
import argparse
import re
import sys
from collections import Counter
from fnmatch import fnmatch
from pathlib import PurePath

import tree

# rule: (pattern, what is wrong); where it is allowed stands in exceptions.txt under the rule's name
FORBIDDEN = {
    "raw": (r"\.raw\b", "`.raw` belongs to lib/address.h, lib/range.* and kernel/arch"),
    "asm": (r"\b(?:__asm__|asm)\b", "inline assembly belongs to kernel/arch, boot/shim and user/runtime"),
    "dead": (r"^[ \t]*#[ \t]*if[ \t]+0\b", "no code under #if 0"),
    "c-subset": (r"\b(?:_Generic|_Alignas|__auto_type|__cleanup__)\b|\(\(cleanup\(", "not in the tree's C"),
}
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


def read_exceptions() -> dict[str, list[tuple[str, str]]]:
    """rule -> (file pattern, name pattern)"""
    exceptions: dict[str, list[tuple[str, str]]] = {}
    for number, line in enumerate((tree.ROOT / "tools/exceptions.txt").read_text().splitlines(), 1):
        fields = line.split(None, 3)
        if not fields or line.startswith("#"):
            continue
        if len(fields) < 4:
            sys.exit(f"tools/exceptions.txt:{number}: not \"rule file name reason\"")
        exceptions.setdefault(fields[0], []).append((fields[1], fields[2]))
    return exceptions


EXCEPTIONS = read_exceptions()


def is_excepted(rule: str, path: str, name: str = "*") -> bool:
    return any(fnmatch(path, where) and fnmatch(name, what) for where, what in EXCEPTIONS.get(rule, []))


def check_basenames() -> list[str]:
    by_name: dict[str, list[str]] = {}
    for path in tree.files(".c", ".h", ".S"):
        by_name.setdefault(PurePath(path).name, []).append(path)
    return [
        f"one name, several files: {' '.join(paths)}"
        for paths in by_name.values()
        if len([path for path in paths if not is_excepted("basename", path)]) > 1
    ]


def check_words() -> list[str]:
    complaints = []
    for path in tree.files(".c", ".h", ".S"):
        for rule, (pattern, why) in FORBIDDEN.items():
            if (path.endswith(".S") and rule == "asm") or is_excepted(rule, path):
                continue
            for match in re.finditer(pattern, tree.code(path), re.M):
                complaints.append(f"{path}:{tree.line_of(path, match.start())}: {why}")
        for match in UNFINISHED.finditer(tree.text(path)):
            line = tree.text(path).count("\n", 0, match.start()) + 1
            complaints.append(f"{path}:{line}: {match[0]}: finish it, or write it down in docs/")
    return complaints


def check_prefixes(externals: list[dict]) -> list[str]:
    complaints = []
    for function in externals:
        name, path = function["name"], PurePath(function["path"])
        own = [path.stem]
        if path.is_relative_to("user/demos"):
            own.append(path.parent.name.replace("-", "_"))  # a program's files may share the program's name
        if name == "main" or any(f"_{word}_" in f"_{name}_" for word in own):
            continue
        if is_excepted("prefix", function["path"], name):
            continue
        complaints.append(f"{function['path']}:{function['line']}: {name} does not have {path.stem}_ in its name")
    return complaints


def check_uses(externals: list[dict]) -> list[str]:
    """An external function of kernel, lib or shim is named in another file's code; prototypes do not count."""
    identifier = re.compile(r"\b[A-Za-z_]\w*\b")
    places: dict[str, Counter] = {}
    for path in tree.files(".c", ".h", ".S", ".ld"):
        for name, count in Counter(identifier.findall(tree.code(path))).items():
            places.setdefault(name, Counter())[path] = count
    for prototype in tree.functions(prototypes=True):
        places[prototype["name"]][prototype["path"]] -= 1
    complaints = []
    for function in externals:
        name, path = function["name"], function["path"]
        if path.startswith("user/") or name == "main":
            continue  # the runtime is a library: programs that are not in the tree use it too
        used = any(count > 0 for where, count in places[name].items() if where != path)
        if not used and not is_excepted("unused", path, name):
            own_uses = places[name][path] > 1
            what = "is used in its own file only: make it static" if own_uses else "is used nowhere"
            complaints.append(f"{path}:{function['line']}: {name} {what}")
    return complaints


def check() -> list[str]:
    externals = [
        function
        for function in tree.functions()
        if not function.get("file") and function["path"].endswith(".c") and tree.role(function["path"]) != "HOST"
    ]
    return check_basenames() + check_words() + check_prefixes(externals) + check_uses(externals)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    sys.exit("\n".join(check()) or 0)
