#!/usr/bin/env python3
"""`make analyze`: gcc -fanalyzer, and the clang static analyser without the bound that `make check` sets it, on all that
runs in the guest. Results are kept in build/cache. Last line: "analyze: N passed, N failed"."""
import argparse
import sys

import tree

# What is meant so, or taken wrongly by this version.
EXCEPTIONS = {
    "kernel/task/spawn.c": ("-Wno-analyzer-use-of-uninitialized-value",),  # add_entry sets it whenever it answers OK
    "user/demos/fault-probe/fault_probe.c": ("-Wno-analyzer-write-to-const",),  # it is there to be refused
}
GCC = ("-fanalyzer", "-O2", "-c", "-o", "/dev/null")
CLANG = ("--analyze", "--analyzer-output", "text", "-Xclang", "-analyzer-werror")


def guest_files() -> list[str]:
    """Tests and tools run under sanitizers."""
    return [path for path in tree.files(".c") if tree.role(path) != "HOST"]


def check_gcc(path: str) -> str:
    return tree.cached_run(["gcc", *tree.flags(tree.role(path), "gcc"), *GCC, *EXCEPTIONS.get(path, ()), path], path)


def check_clang(path: str) -> str:
    return tree.cached_run(["clang", *CLANG, *tree.flags(tree.role(path), "clang"), path], path)


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    failed = 0
    for name, check in {"gcc -fanalyzer": check_gcc, "clang --analyze": check_clang}.items():
        complaints = tree.in_parallel(check, guest_files())
        print(f"{name}: {f'{len(complaints)} files with complaints' if complaints else 'ok'}", flush=True)
        print("".join(complaint + "\n" for complaint in complaints), end="", flush=True)
        failed += bool(complaints)
    print(f"analyze: {2 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
