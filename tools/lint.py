#!/usr/bin/env python3
"""Layout, stand-alone headers, the warnings of both compilers, clang-tidy and cppcheck."""
import argparse
import os
import subprocess
import sys

import tree

COMPILERS = ("gcc", "clang")
# Wrong in this version: it takes an array that is filled by a call or by { 0 } for one never written, a flexible array
# for one element, and follows a call past the check of its pointer and a loop past its condition; the compilers,
# clang-analyzer and UBSan look for the same faults. Not wrong but meant so: the linker script's start and end symbols
# are one object's, CHECK(false && "why") says why, and a pointer that goes to the kernel as a number is for the kernel
# to write to.
CPPCHECK_SUPPRESSED = (
    "uninitvar",
    "objectIndex",
    "ctunullpointer",
    "ctuuninitvar",
    "shiftTooManyBits",
    "comparePointers",
    "incorrectStringBooleanError",
)
# Tests name odd numbers, overwrite strings in buffers and call a random source twice in one expression.
# clang-analyzer is for what runs in the guest: tests run under sanitizers.
TIDY_NOT_IN_TESTS = (
    "-clang-analyzer-*,-bugprone-implicit-widening-of-multiplication-result,-bugprone-not-null-terminated-result,"
    "-misc-redundant-expression"
)
# A twentieth of the paths that clang-analyzer follows through a function by default, to stay under a minute; `make analyze`
# follows all.
ANALYZER_BOUND = ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=12000")


def check_format() -> list[str]:
    arguments = ["clang-format", "--dry-run", "-Werror"] + list(tree.files(".c", ".h"))
    done = subprocess.run(arguments, cwd=tree.ROOT, capture_output=True, text=True)
    wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
    return [f"{path}: run clang-format -i" for path in wrong]


def check_headers() -> list[str]:
    """Each header compiles on its own."""

    def compile_alone(path: str) -> str:
        arguments = ["gcc", *tree.flags(tree.role(path), "gcc"), "-fsyntax-only", "-x", "c", path]
        return tree.cached_run(arguments, path)

    return tree.in_parallel(compile_alone, tree.files(".h"))


def check_warnings() -> list[str]:
    """Both compilers, release and debug."""

    def compile_one(job: tuple[str, str, str]) -> str:
        path, compiler, define = job
        arguments = [compiler, *tree.flags(tree.role(path), compiler), define, "-fsyntax-only", path]
        return tree.cached_run(arguments, path)

    jobs = [(path, compiler, "-DNDEBUG") for path in tree.files(".c") for compiler in COMPILERS]
    jobs += [(path, "clang", "-DCAPOS_DEBUG") for path in tree.files(".c") if tree.role(path) != "HOST"]
    return tree.in_parallel(compile_one, jobs)


def check_tidy() -> list[str]:
    configuration = (tree.ROOT / ".clang-tidy").read_text()

    def tidy(path: str) -> str:
        arguments = ["clang-tidy", "--quiet", "--warnings-as-errors=*", path]
        if tree.role(path) == "HOST":
            arguments.append(f"--checks={TIDY_NOT_IN_TESTS}")
        arguments += ["--", *tree.flags(tree.role(path), "clang"), *ANALYZER_BOUND]
        return tree.cached_run(arguments, path, configuration)

    return tree.in_parallel(tidy, tree.files(".c"))


def check_cppcheck() -> list[str]:
    state = tree.ROOT / "build" / "cppcheck"
    state.mkdir(parents=True, exist_ok=True)
    arguments = ["cppcheck", "-q", f"--cppcheck-build-dir={state}", f"-j{os.cpu_count()}", "--error-exitcode=1"]
    arguments += ["--enable=warning,performance,portability", "--std=c11", "--inline-suppr", "-I.", "-D__CPROVER__"]
    arguments += ["-D__x86_64__", "-DCAPOS_DEBUG", "--template={file}:{line}: {message} [{id}]"]
    arguments += ["--template-location="]
    arguments += [f"--suppress={name}" for name in CPPCHECK_SUPPRESSED]
    arguments += [path for path in tree.files(".c") if tree.role(path) != "HOST"]  # those run under sanitizers
    done = subprocess.run(arguments, cwd=tree.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return [done.stdout.strip()] if done.returncode else []


CHECKS = {
    "format": check_format,
    "headers": check_headers,
    "warnings": check_warnings,
    "clang-tidy": check_tidy,
    "cppcheck": check_cppcheck,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check", nargs="*", help=f"{', '.join(CHECKS)}; all, if none is named")
    wanted = parser.parse_args().check or list(CHECKS)
    if strange := [name for name in wanted if name not in CHECKS]:
        parser.error(f"no check {strange[0]}")
    sys.exit("\n".join(complaint for name in wanted for complaint in CHECKS[name]()) or 0)
