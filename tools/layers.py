#!/usr/bin/env python3
"""A file includes its own folder and the floors that it stands on, never a higher one (CONTRIBUTING.md, Floors)."""
import argparse
import sys

import tree

KERNEL = tuple("abi lib kernel/arch kernel/boot kernel/mem kernel/task kernel/cap kernel/debug kernel".split())
# What a folder may see. The longest matching prefix is the file's floor.
MAY_SEE = {floor: KERNEL[: i + 1] for i, floor in enumerate(KERNEL)}
MAY_SEE["boot/shim"] = ("abi", "lib", "boot/shim")
MAY_SEE["user/runtime"] = ("abi", "lib", "user/runtime")
MAY_SEE["user/testing"] = ("abi", "lib", "user/runtime", "user/protocol", "user/testing")
MAY_SEE["user/protocol"] = ("abi", "lib", "user/protocol")
MAY_SEE["tools"] = ("abi", "lib", "tools")
# A test is built with all that it tests.
for floor in ("tests", "bench", "proofs"):
    MAY_SEE[floor] = KERNEL + ("boot/shim", "user/runtime", "user/shell", "user/protocol", floor)


def floor_of(path: str) -> str:
    folder = path.rsplit("/", 1)[0]
    while folder and folder not in MAY_SEE:
        if folder.startswith("user/"):
            return folder  # each program is a floor of its own
        folder = folder.rpartition("/")[0]
    return folder


def check() -> list[str]:
    complaints = []
    for path in tree.files(".c", ".h", ".S"):
        own = floor_of(path)
        may_see = MAY_SEE.get(own, ("abi", "lib", "user/runtime", "user/testing", "user/protocol", own))
        for match in tree.INCLUDE.finditer(tree.text(path)):
            where = f"{path}:{tree.text(path).count(chr(10), 0, match.start()) + 1}"
            if not (tree.ROOT / match[1]).exists():
                complaints.append(f'{where}: "{match[1]}" is not a path from the root')
            elif floor_of(match[1]) not in may_see:
                complaints.append(f"{where}: {own} includes {match[1]}, which is no floor below it")
    return complaints


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    sys.exit("\n".join(check()) or 0)
