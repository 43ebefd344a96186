#!/usr/bin/env python3
"""Functions, files and parameter lists within CONTRIBUTING.md's limits."""
import argparse
import sys

import tree

FUNCTION_LINES = 70
FILE_LINES = 600
PARAMETERS = 6


def parameter_count(signature: str) -> int:
    inner = signature.strip()[1:-1].strip()
    if inner in ("", "void"):
        return 0
    depth = commas = 0
    for character in inner:
        depth += (character in "([{") - (character in ")]}")
        commas += character == "," and depth == 0
    return commas + 1


def check() -> list[str]:
    complaints = []
    for path in tree.files(".c", ".h", ".S"):
        lines = tree.text(path).count("\n")
        if lines > FILE_LINES:
            complaints.append(f"{path}: {lines} lines, {FILE_LINES} at most")
    for function in tree.functions():
        where = f"{function['path']}:{function['line']}: {function['name']}"
        lines = function.get("end", function["line"]) - function["line"] + 1
        count = parameter_count(function.get("signature", "()"))
        if lines > FUNCTION_LINES:
            complaints.append(f"{where}: {lines} lines, {FUNCTION_LINES} at most")
        if count > PARAMETERS:
            complaints.append(f"{where}: {count} parameters, {PARAMETERS} at most")
    return complaints


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    sys.exit("\n".join(check()) or 0)
