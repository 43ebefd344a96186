#!/usr/bin/env python3
"""What the documents name in backticks is in the tree: names with an underscore, names of three words and more with
hyphens (a trial, a mutant, a self-test), files and folders. Exceptions, each with its reason, are in
tools/exceptions.txt."""
import argparse
import re
import sys
from functools import lru_cache
from pathlib import PurePath

import names
import tree

DOCUMENTS = ("*.md", "docs/*.md", "docs/decisions/*.md")
# Where names are, beside the documents themselves. What the fuzzers were given is no name.
FOLDERS = (*tree.FOLDERS, "mk", "docs", ".ci")
NO_SOURCES = re.compile(r".*\.(?:md|svg)|docs/.*|tests/fuzz/corpus/.*")
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
QUOTED = re.compile(r"`([^`\n]+)`")
SUFFIXES = "c|h|S|py|sh|ld|mk|md|txt|json|cfg|conf|svg|pml"
FILE = re.compile(rf"(?<![\w./*<-])[\w./-]*[\w-]\.(?:{SUFFIXES})(?![\w*])")
FOLDER = re.compile(r"[\w.-]+(?:/[\w.-]+)+/?")
NAME = re.compile(r"(?<![\w%$.-])(?:[A-Za-z]\w*_\w+|[a-z]+(?:-[a-z0-9]+){2,})(?![\w*-])")
IDENTIFIER, HYPHENED = re.compile(r"[A-Za-z_]\w*"), re.compile(r"[a-z]+(?:-[a-z0-9]+)+")
STANDS_FOR_ANY = re.compile(r"NAME|NNNN|^build/")  # one name, number or file of many


@lru_cache
def paths() -> tuple[str, ...]:
    found = [path for folder in FOLDERS for path in (tree.ROOT / folder).rglob("*")]
    found += tree.ROOT.glob("*")
    return tuple(str(path.relative_to(tree.ROOT)) for path in found if path.is_file() and "__pycache__" not in path.parts)


@lru_cache
def places() -> frozenset[str]:
    """Every way to name a file or folder: its path, what is left of that without folders in front, without suffix."""
    found = set()
    for path in paths():
        parts = PurePath(path).parts
        for first in range(len(parts)):
            found.update("/".join(parts[first:last]) for last in range(first + 1, len(parts) + 1))
            found.add(str(PurePath(*parts[first:]).with_suffix("")))
    return frozenset(found)


@lru_cache
def words() -> frozenset[str]:
    """Of all that is no document. Comments of C do not count: they too may name what is gone."""
    found = set()
    for path in paths():
        if not NO_SOURCES.fullmatch(path):
            text = tree.code(path) if path.endswith((".c", ".h", ".S")) else tree.text(path)
            found.update(IDENTIFIER.findall(text), HYPHENED.findall(text))
    # STATUS_BAD_ARGUMENT is BAD_ARGUMENT where it is clear what is meant
    found.update(name.partition("_")[2] for name in tuple(found) if name.isupper())
    return frozenset(found)


def unknown(quoted: str) -> list[str]:
    """What nothing in the tree is called, of one pair of backticks."""
    missing = [name for name in NAME.findall(FILE.sub(" ", quoted)) if name not in words() and name not in places()]
    missing += [name for name in FILE.findall(quoted) if name not in places()]
    if FOLDER.fullmatch(quoted) and not FILE.fullmatch(quoted) and quoted.rstrip("/") not in places():
        missing.append(quoted)
    return [name for name in missing if not STANDS_FOR_ANY.search(name)]


def check() -> list[str]:
    complaints = []
    for document in sorted(path for pattern in DOCUMENTS for path in tree.ROOT.glob(pattern)):
        where = str(document.relative_to(tree.ROOT))
        text = FENCED.sub(lambda match: "\n" * match[0].count("\n"), tree.text(where))
        for number, line in enumerate(text.splitlines(), 1):
            for name in [name for quoted in QUOTED.findall(line) for name in unknown(quoted)]:
                if not names.is_excepted("document", where, name):
                    complaints.append(f"{where}:{number}: nothing is called {name}")
    return complaints


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    sys.exit("\n".join(check()) or 0)
