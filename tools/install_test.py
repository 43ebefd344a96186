#!/usr/bin/env python3
"""`make install` into an empty folder, a program outside the tree built against it with pkg-config, in C and with each
compiler, and the installed capos-layout; the figures of docs/pictures are those that it draws. Last line: "install: N
passed, N failed".
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


def try_layout_tool(prefix: Path) -> bool:
    """Known numbers, a layout that cannot be, an option that is none."""
    tool = [str(prefix / "bin" / "capos-layout")]

    def run(arguments: list[str], given: str = "") -> tuple[int, str]:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        done = subprocess.run(tool + arguments, input=given, **pipes)
        return done.returncode, done.stdout

    def ends(arguments: list[str], status: int, said: str, given: str = "") -> bool:
        code, output = run(arguments, given)
        return code == status and said in output

    def reads_what_it_prints() -> bool:
        """Between other lines, in each form; and not what is broken anywhere."""
        wish = ["-p", "ia32", "-k", "flexible", "-s", "512M", "-r", "3"]
        values = run([*wish, "--values"])[1]
        lines = values.splitlines(keepends=True)
        log = "console: hello\n" + values.replace("\n", "\r\n") + "console: goodbye\n"
        broken = [lines[:at] + lines[at + 1 :] for at in range(1, len(lines))]
        broken += [[*lines[:at], lines[at].replace("0x", "0x1", 1), *lines[at + 1 :]] for at in range(2, len(lines))]
        broken = [part for part in broken if part != lines]
        return (
            all(run(["-f", "-", *form], log) == run([*wish, *form]) for form in ([], ["--values"], ["--svg"]))
            and len(broken) > 20
            and all(run(["-f", "-"], "".join(part))[0] == 1 for part in broken)
            and ends(["-f", "-"], 1, ":1: no layout", "nothing\n")
            and ends(["-f", "-"], 1, "not what --values prints here", values.replace("kind flexible", "kind tall"))
            and ends(["-f", "-"], 1, "of different profiles", values + run(["--values"])[1])
            and ends(["-f", "/nowhere/at/all"], 1, "/nowhere/at/all:0: ")
        )

    return (
        ends(["--values", "--kind", "classic", "-p", "ia32"], 0, "\nmmap_base 0x40000000\n")
        and ends(["--kind", "flexible"], 0, "0x7ffff7fff000 - 0x7fffff6ff000    119 MiB  Gap")
        and ends(["-k", "classic", "-p", "ia32", "-s", "unlimited"], 1, "ia32, classic: layout stack too large")
        and ends(["--stack", "8Q"], 2, "stack: 8Q")
        and reads_what_it_prints()
        and ends(["--help"], 0, "usage: capos-layout")
        and (prefix / "share" / "man" / "man1" / "capos-layout.1").exists()
    )


def pictures_are_fresh(environment: dict[str, str]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        output(["make", "-s", "layout-pictures", f"PICTURES={folder}"], cwd=ROOT, env=environment)
        drawn = sorted(Path(folder).iterdir())
        kept = [ROOT / "docs" / "pictures" / picture.name for picture in drawn]
        return bool(drawn) and all(a.read_bytes() == b.read_bytes() for a, b in zip(drawn, kept))


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
        for name, passed in (
            ("capos-layout", try_layout_tool(prefix)),
            ("pictures", pictures_are_fresh(environment)),
        ):
            results.append(passed)
            if not passed:
                print(f"{name}: not as expected")
    print(f"install: {sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
