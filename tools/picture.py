#!/usr/bin/env python3
"""Draw docs/pictures/session.svg: a session of the shell as the serial line gave it, nothing added or left out.

picture.py [BUILD]   boots BUILD (build/release) on two CPUs and types SESSION
"""
import argparse
import sys
from html import escape
from pathlib import Path

from qemu import Machine, run

PICTURE = Path("docs/pictures/session.svg")
SESSION = """run wordcount
run ipc-zerocopy-producer
alloc buf 4
run memoryobject-shared-child with shared: buf @memory
spawn endless spin
top 1
kill 6
run endless with timer @console
run fault-probe no-access
check
halt
"""
PROMPT = "capos> "

FONT = 13
LINE = 18
COLUMN = 7.83  # width of a character of a monospaced font of that size
MARGIN = 14
# First match gives a line its colour.
COLOURS = (
    ("capos: fault:", "#ff8f7a"),
    ("capos: ", "#8b98a9"),
    ("check: ", "#9fd68f"),
    ("producer: ok ", "#9fd68f"),
    ("", "#d7dde5"),
)
PROMPT_COLOUR, TYPED_COLOUR, GROUND = "#9fd68f", "#ffffff", "#12161c"


def span(text: str, colour: str) -> str:
    return f'<tspan fill="{colour}">{escape(text)}</tspan>'


def draw_line(line: str) -> str:
    if line.startswith(PROMPT):
        return span(PROMPT, PROMPT_COLOUR) + span(line.removeprefix(PROMPT), TYPED_COLOUR)
    return span(line, next(colour for start, colour in COLOURS if line.startswith(start)))


def draw(lines: list[str]) -> str:
    width = int(max(map(len, lines)) * COLUMN + 2 * MARGIN)
    height = len(lines) * LINE + 2 * MARGIN
    texts = [
        f'<text x="{MARGIN}" y="{MARGIN + (i + 1) * LINE - 5}" xml:space="preserve">{draw_line(line)}</text>'
        for i, line in enumerate(lines)
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT}">'
    )
    ground = f'<rect width="{width}" height="{height}" rx="8" fill="{GROUND}"/>'
    return "\n".join([head, "<title>A session of the capOS shell</title>", ground, *texts, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", nargs="?", type=Path, default=Path("build/release"))
    build = parser.parse_args().build
    result = run(Machine(smp=2, build=build, timeout=120), SESSION.encode())
    if result.code != 0:
        print(f"{result.output}\npicture: {result.why}", file=sys.stderr)
        return 1
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(result.output.strip().splitlines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
