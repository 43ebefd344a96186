"""What the checks share: the tree's files, each file's role and compiler flags, and a cache of what a tool said."""
import hashlib
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("abi", "lib", "kernel", "boot", "user", "tests", "bench", "proofs", "tools")
CACHE = ROOT / "build" / "cache"
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\')', re.S)


@lru_cache
def files(*suffixes: str) -> tuple[str, ...]:
    """Every source file with one of the suffixes, as a path from the root, sorted."""
    found = []
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in suffixes and path.is_file():
                found.append(str(path.relative_to(ROOT)))
    return tuple(sorted(found))


@lru_cache
def text(path: str) -> str:
    return (ROOT / path).read_text()


@lru_cache
def code(path: str) -> str:
    """The text without comments; every line stays on its line."""
    return COMMENT.sub(lambda match: match[1] or "\n" * match[0].count("\n") or " ", text(path))


@lru_cache
def dependencies(path: str) -> frozenset[str]:
    """The tree's files that a file includes, itself among them."""
    seen, waiting = set(), [path]
    while waiting:
        name = waiting.pop()
        if name not in seen and (ROOT / name).exists():
            seen.add(name)
            waiting += INCLUDE.findall(text(name))
    return frozenset(seen)


def role(path: str) -> str:
    """Which flags of mk/flags.mk a file is compiled with."""
    if path.startswith("boot/"):
        return "SHIM"
    if path.startswith("user/"):
        return "USER"
    if path.startswith(("tests/", "bench/", "proofs/", "tools/")):
        return "HOST"
    return "KERNEL"


@lru_cache
def flags(name: str, compiler: str) -> tuple[str, ...]:
    """The flags of a role, from the Makefile, which is the one place that has them."""
    make = ["make", "-s", f"print-{name}_FLAGS", f"CC={compiler}"]
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    done = subprocess.run(make, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return tuple(done.stdout.split())


@lru_cache
def fingerprint(tool: str) -> str:
    return subprocess.run([tool, "--version"], capture_output=True, text=True).stdout


def cached_run(arguments: list[str], path: str, configuration: str = "") -> str:
    """The complaints of a tool about one file, "" for none. A clean file is asked about again only if it changed, or
    what it includes."""
    digest = hashlib.sha256("\0".join(arguments + [configuration, fingerprint(arguments[0])]).encode())
    for name in sorted(dependencies(path)):
        digest.update(name.encode() + b"\0" + text(name).encode() + b"\0")
    entry = CACHE / digest.hexdigest()
    if entry.exists():
        return ""
    done = subprocess.run(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode == 0:
        CACHE.mkdir(parents=True, exist_ok=True)
        entry.touch()
        return ""
    return done.stdout.strip() or f"{path}: {arguments[0]} ended with status {done.returncode}"


def in_parallel(function, items) -> list[str]:
    """Complaints about all items; those without complaint left out."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [complaint for complaint in pool.map(function, items) if complaint]


def line_of(path: str, position: int) -> int:
    return code(path).count("\n", 0, position) + 1


def functions(prototypes: bool = False) -> list[dict]:
    """All C functions as ctags sees them: name, path, line, end, signature; "file" only on static ones."""
    import json

    arguments = ["ctags", "--output-format=json", "--fields=+neSf", f"--kinds-C={'p' if prototypes else 'f'}"]
    arguments += ["--languages=C", "--langmap=C:.c.h", "-I", "STATUS_MUST_USE,_Noreturn", "-o", "-", "-L", "-"]
    names = "\n".join(files(".c", ".h"))
    done = subprocess.run(arguments, cwd=ROOT, input=names, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
