#!/usr/bin/env python3
"""`make install` into an empty folder, and a program outside the tree built against it with pkg-config, in C and with each
compiler. Last line: "install: N passed, N failed".
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSUMER = ROOT / "tests" / "install" / "consumer.c"
EXPECTED = "3 frames taken, 7 left\n"


def output(command: list[str], **options) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def try_compiler(compiler: str, prefix: Path) -> bool:
    environment = os.environ | {"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    flags = output(["pkg-config", "--cflags", "--libs", "capos-memory"], env=environment).split()
    program = prefix / f"consumer-{compiler}"
    output([compiler, "-std=gnu2x", "-Wall", "-Wextra", "-Werror", str(CONSUMER), "-o", str(program), *flags])
    return output([str(program)]) == EXPECTED


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        output(["make", "-s", "install", f"PREFIX={prefix}"], cwd=ROOT, env=environment)
        for compiler in ("gcc", "clang"):
            try:
                results.append(try_compiler(compiler, prefix))
            except (subprocess.CalledProcessError, OSError) as error:
                print(f"{compiler}: {error}")
                results.append(False)
    print(f"install: {sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
