#!/usr/bin/env python3
"""Compare where programs lie under Linux and under capOS: one program, address-print (user/demos/address-print), runs
here under setarch -R, -L, both and neither, linked at fixed addresses and position-independent; what it prints is held
against what it printed under capOS (build/layout/capos.json, which `make run-layout` leaves behind).

layout_linux.py [FILE]
A line for each thing that both do, and for each difference of the table in docs/layouts.md, which must be there too, or
is named as one that no run here can show. What this machine does not permit is left out, and said. Last line:
"layout-linux: N passed, N failed".
"""
import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from layout_print import FLEXIBLE_BASE, LOWEST_MAP, PAGE, TASK_SIZE, TEXT, THIRD, VECTOR, Wish
from layout_print import check_stack, list_of, page_up, parse

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ["user/demos/address-print/address_print.c", "tests/layout/address_linux.c", "lib/format.c", "lib/string.c"]
FLAGS = ["-std=gnu2x", "-O1", "-fno-stack-protector", "-Wall", "-Wextra", "-Werror", "-DCAPOS_HOST", "-I."]
FIXED, MOVABLE, INTERPRETED = "fixed", "movable", "interpreted"
LINKS = {FIXED: ["-static", "-no-pie"], MOVABLE: ["-static-pie", "-fPIE"], INTERPRETED: ["-pie", "-fPIE"]}
TABLE = ROOT / "docs" / "layouts.md"
KEPT = ROOT / "build" / "layout" / "capos.json"
STACK_LIMIT = 8 << 20
RUNS, FEW_RUNS = 200, 20
AGAIN = 6  # runs of a pair; one that differs by luck alone differs in one of these
STACK_PAGES, MMAP_PAGES = 1 << 22, 1 << 28
VDSO = 33  # a type of the vector


@dataclass(frozen=True)
class Mode:
    """How Linux is asked for a layout, and what capOS is asked for."""

    options: list[str]
    kind: str
    seed: int | None

    @property
    def is_classic(self) -> bool:
        return self.kind != "flexible"


MODES = {
    "flexible still": Mode(["-R"], "flexible", None),
    "flexible": Mode([], "flexible", 7),
    "classic still": Mode(["-R", "-L"], "classic", None),
    "classic": Mode(["-L"], "classic-random", 7),
}


@dataclass
class Pair:
    """What one program printed in both systems, in the same mode; capOS's classic kind with a seed; Linux again."""

    link: str
    mode: str
    linux: dict
    capos: dict
    other: dict
    again: list[dict]

    def both(self) -> list[dict]:
        return [self.linux, self.capos]

    @property
    def is_random(self) -> bool:
        return "still" not in self.mode


def limit_stack() -> None:
    resource.setrlimit(resource.RLIMIT_STACK, (STACK_LIMIT, resource.getrlimit(resource.RLIMIT_STACK)[1]))


def setarch(mode: str) -> list[str]:
    return ["setarch", "x86_64", *MODES[mode].options] if MODES[mode].options else []


def run_linux(program: Path, mode: str) -> dict:
    command = [*setarch(mode), str(program), "one", "two"]
    environment = {"PLACE": "here", "TEXT": "some words"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=limit_stack, env=environment)
    values = parse(done.stdout)
    values["stack_end"] = next(area[1] for area in values["maps"] if area[2] == "[stack]")
    skipped = ("[stack]", "[heap]", "[vsyscall]", "[uprobes]", str(program))
    areas = [area for area in values["maps"] if area[2] not in skipped and area[0] >= LOWEST_MAP]
    values["mmap"] = (min(area[0] for area in areas), max(area[1] for area in areas))
    return values


def of_capos(values: dict) -> dict:
    """JSON has no tuples; and the same names as for Linux."""
    values["maps"] = [tuple(area) for area in values["maps"]]
    areas = [area for area in values["maps"] if area[2] == "anonymous" and area[0] != values["heap"]]
    values["mmap"] = (min(area[0] for area in areas), max(area[1] for area in areas))
    values["stack_end"] = values["maps"][-1][1]
    return values


def missing_modes() -> dict[str, str]:
    """Modes that this machine does not permit, as in some containers, and what it says."""
    missing = {}
    for mode in MODES:
        done = subprocess.run([*setarch(mode), "true"], capture_output=True, text=True)
        if done.returncode != 0:
            missing[mode] = done.stderr.strip() or f"exit status {done.returncode}"
    return missing


# ---- what both do: title -> (which pairs, what holds of each) ----


def order(pair: Pair) -> bool:
    return all(
        one["image_end"] <= one["heap"] < one["mmap"][0] < one["mmap"][1] < one["stack"] < one["stack_end"]
        for one in pair.both()
    )


def order_in_image(pair: Pair) -> bool:
    return all(one["text"] < one["data"] < one["bss"] < one["image_end"] for one in pair.both())


def flexible_still(pair: Pair) -> bool:
    """Linux's highest mapping is the program itself, if that is position-independent."""
    highest = max(pair.linux["mmap"][1], page_up(pair.linux["image_end"]))
    return highest == pair.capos["mmap"][1] == FLEXIBLE_BASE


def flexible_random(pair: Pair) -> bool:
    least = TASK_SIZE - (STACK_PAGES + MMAP_PAGES) * PAGE - (130 << 20)
    return all(least <= one["mmap"][1] < TASK_SIZE - STACK_LIMIT for one in pair.both())


def directions(pair: Pair) -> bool:
    upward = pair.capos["mmap_2"] > pair.capos["mmap_1"]
    steps = {abs(one["mmap_2"] - one["mmap_1"]) for one in pair.both()}
    return upward == MODES[pair.mode].is_classic == (pair.linux["mmap_2"] > pair.linux["mmap_1"]) and steps == {PAGE}


def whole_pages(pair: Pair) -> bool:
    numbers = [one[name] for one in pair.both() for name in ("image", "heap", "mmap_1", "stack_end")]
    return not any(number % PAGE for number in numbers + [edge for one in pair.both() for edge in one["mmap"]])


def strings_in_order(pair: Pair) -> bool:
    """No byte between them: each starts where the one before ends."""
    linux, capos = pair.both()
    gaps = [b - a for one in pair.both() for a, b in zip(list_of(one, "argv"), list_of(one, "argv")[1:])]
    return gaps[1] == gaps[3] == len("one") + 1 and gaps[0] == len(linux["execfn_text"]) + 1 and capos["argc"] == 3


SAME: dict[str, tuple[Callable[[Pair], bool], Callable[[Pair], bool]]] = {
    "text of a fixed program at 0x400000": (
        lambda pair: pair.link == FIXED,
        lambda pair: pair.linux["image"] == pair.capos["image"] == TEXT,
    ),
    "order: image, heap, mappings, stack": (lambda pair: pair.link == FIXED, order),
    "order in the image: text, data, bss": (lambda pair: True, order_in_image),
    "heap on the page above the image": (
        lambda pair: pair.link == FIXED and not pair.is_random,
        lambda pair: pair.linux["heap"] == page_up(pair.linux["image_end"])
        and pair.capos["heap"] == page_up(pair.capos["thread_local"]),
    ),
    "classic: the first mapping at TASK_SIZE / 3, the same number": (
        lambda pair: pair.mode == "classic still" and pair.link == FIXED,
        lambda pair: pair.linux["mmap"][0] == pair.capos["mmap"][0] == THIRD,
    ),
    "classic, random: less than 2^28 pages above TASK_SIZE / 3": (
        lambda pair: pair.mode == "classic" and pair.link == FIXED,
        lambda pair: all(0 <= one["mmap"][0] - THIRD < MMAP_PAGES * PAGE for one in pair.both()),
    ),
    "flexible: mappings end 128 MiB below STACK_TOP, the same number": (
        lambda pair: pair.mode == "flexible still" and pair.link != INTERPRETED,
        flexible_still,
    ),
    "flexible, random: the gap and less than 2^28 pages below": (lambda pair: pair.mode == "flexible", flexible_random),
    "stack ends at TASK_SIZE": (
        lambda pair: not pair.is_random,
        lambda pair: pair.linux["stack_end"] == pair.capos["stack_end"] == TASK_SIZE,
    ),
    "stack, random: less than 2^22 pages below STACK_TOP": (
        lambda pair: pair.is_random,
        lambda pair: all(0 <= TASK_SIZE - one["stack_end"] < STACK_PAGES * PAGE for one in pair.both()),
    ),
    "direction of mappings, one beside the other": (lambda pair: True, directions),
    "the break goes up, by a page": (
        lambda pair: True,
        lambda pair: all(one["heap"] <= one["break"] == one["break_later"] - PAGE for one in pair.both()),
    ),
    "all boundaries are whole pages": (lambda pair: True, whole_pages),
    "first stack as the System V ABI says": (
        lambda pair: True,
        lambda pair: not any(check_stack(one) for one in pair.both()),
    ),
    "arguments one behind the other": (lambda pair: True, strings_in_order),
    "all types of the vector that capOS gives": (
        lambda pair: True,
        lambda pair: set(VECTOR) <= set(pair.linux["vector"]) and set(VECTOR) <= set(pair.capos["vector"]),
    ),
    "PHDR, PHENT, PAGESZ, CLKTCK mean the same; EXECFN names the program": (
        lambda pair: True,
        lambda pair: all(pair.linux[f"aux_{kind}"] == pair.capos[f"aux_{kind}"] for kind in (4, 6, 17))
        and all(one["execfn_text"] for one in pair.both()),
    ),
}

# ---- what differs, and must: the row of docs/layouts.md -> the same ----

DIFFERENT: dict[str, tuple[Callable[[Pair], bool], Callable[[Pair], bool]]] = {
    "static position-independent program": (
        lambda pair: pair.link == MOVABLE,
        lambda pair: pair.linux["image"] >= THIRD > pair.capos["heap"] >= pair.capos["image_end"]
        and not 0 <= pair.linux["heap"] - pair.linux["image_end"] < MMAP_PAGES,
    ),
    "position-independent program with an interpreter": (
        lambda pair: pair.link == INTERPRETED and not pair.is_random,
        lambda pair: pair.linux["image"] // PAGE == TASK_SIZE // 3 * 2 // PAGE
        and pair.linux["aux_7"] != 0 == pair.capos["aux_7"],
    ),
    "heap offset": (
        lambda pair: pair.link == FIXED and pair.is_random,
        lambda pair: pair.linux["heap"] > pair.linux["image_end"] + PAGE
        and pair.capos["heap"] == page_up(pair.capos["thread_local"]),
    ),
    "classic, randomised": (
        lambda pair: pair.mode == "classic" and pair.link == FIXED,
        lambda pair: pair.linux["mmap"][0] > THIRD == pair.other["mmap"][0],
    ),
    "guard": (
        lambda pair: True,
        lambda pair: pair.capos["maps"][-2][2] == "guard"
        and pair.capos["stack_end"] - pair.capos["maps"][-2][0] == STACK_LIMIT + (1 << 20)
        and not any(area[2] == "guard" for area in pair.linux["maps"]),
    ),
    "offset of the stack within its page": (
        lambda pair: pair.is_random,
        lambda pair: pair.capos["stack_end"] - pair.capos["argv"] == pair.other["stack_end"] - pair.other["argv"]
        and len({one["stack_end"] - one["argv"] for one in [pair.linux, *pair.again]}) > 1,
    ),
    "thread-local storage of the first thread": (
        lambda pair: pair.link == FIXED,
        lambda pair: pair.linux["heap"] <= pair.linux["thread_local"] < pair.linux["break"]
        and pair.capos["image_end"] <= pair.capos["thread_local"] < pair.capos["heap"],
    ),
    "code of the kernel's own (vdso), its type 33 in the vector": (
        lambda pair: True,
        lambda pair: any(area[2] == "[vdso]" for area in pair.linux["maps"])
        and VDSO in pair.linux["vector"]
        and VDSO not in pair.capos["vector"],
    ),
    "more types in the vector (PLATFORM, HWCAP2, MINSIGSTKSZ, RSEQ ...)": (
        lambda pair: True,
        lambda pair: bool(set(pair.linux["vector"]) - set(pair.capos["vector"]) - {VDSO})
        and set(pair.capos["vector"]) - set(pair.linux["vector"]) == {0x1000, 0x1001},
    ),
    "top of the first stack": (
        lambda pair: True,
        lambda pair: pair.linux["aux_31"] == pair.linux["stack_end"] - 8 - len(pair.linux["execfn_text"]) - 1
        and pair.capos["aux_31"] == pair.capos["argv_0"]
        and pair.capos["argv_2"] + len("two") + 1 == pair.capos["stack_end"],
    ),
}
# Rows of the table that no run of this program can show here.
NOT_SHOWN = {
    "gap of the flexible kind": "one number less another that is random",
    "classic, end of mappings": "85 TiB of mappings away",
    "unlimited stack": "other architectures; capOS's refusal is spawn-contract's",
}


def judge(label: str, table: dict, pairs: list[Pair], missing: dict[str, str]) -> list[tuple[str, bool]]:
    """A title whose pairs are all left out is left out too; one that has none at all is wrong."""
    results = []
    for title, (applies, holds) in table.items():
        chosen = [pair for pair in pairs if applies(pair)]
        if not chosen and missing:
            print(f"left out: {label}: {title}")
        else:
            wrong = [f"{pair.link}, {pair.mode}" for pair in chosen if not holds(pair)]
            where = f" ({'; '.join(wrong)})" if wrong else ""
            results.append((f"{label}: {title}{where}", bool(chosen) and not wrong))
    return results


def documented() -> list[str]:
    """First column of the table of differences."""
    text = TABLE.read_text()
    return re.findall(r"^\| ([^|]+) \|.*$", text[text.index("| Difference |") :], re.M)[2:]


def check_table() -> list[tuple[str, bool]]:
    rows, known = documented(), [*DIFFERENT, *NOT_SHOWN]
    results = [(f"docs/layouts.md has a row \"{row}\"", row in rows) for row in known if row not in rows]
    results += [(f"a check of the row \"{row}\" of docs/layouts.md", False) for row in rows if row not in known]
    return results or [(f"docs/layouts.md: {len(rows)} differences, {len(DIFFERENT)} of them looked at", True)]


def check_luck(program: Path, count: int, missing: dict[str, str]) -> list[tuple[str, bool]]:
    """Many runs: random offsets rarely meet, and none is there when none is asked for."""
    results = []
    for mode, least in (("flexible", count * 98 // 100), ("flexible still", 1)):
        runs = [run_linux(program, mode) for _ in range(count if least > 1 else 5)] if mode not in missing else []
        for name in ("stack_end", "mmap_1", "heap") if runs else ():
            distinct = len({one[name] for one in runs})
            good = distinct >= least if least > 1 else distinct == 1
            results.append((f"same: {mode}: {name}: {distinct} places in {len(runs)} runs", good))
    return results


@dataclass
class Programs:
    folder: Path
    paths: dict[str, Path] = field(default_factory=dict)

    def build(self) -> None:
        for link, options in LINKS.items():
            self.paths[link] = self.folder / f"address-print-{link}"
            command = ["gcc", *FLAGS, *options, "-o", str(self.paths[link]), *SOURCES]
            subprocess.run(command, check=True, cwd=ROOT)


def pairs_of(programs: Programs, file: Path, missing: dict[str, str]) -> list[Pair]:
    capos = {Wish(**run["wish"]): of_capos(run["values"]) for run in json.loads(file.read_text())}
    pairs = []
    for link, program in programs.paths.items():
        for mode in MODES.keys() - missing.keys():
            wish = Wish(link != FIXED, MODES[mode].kind, MODES[mode].seed)
            other = capos[Wish(link != FIXED, "classic", 7)]
            linux, *again = [run_linux(program, mode) for _ in range(AGAIN)]
            pairs.append(Pair(link, mode, linux, capos[wish], other, again))
    return pairs


def compare(file: Path, is_short: bool) -> list[bool]:
    """Say how each comparison went."""
    missing = missing_modes()
    for mode, why in missing.items():
        print(f"left out: \"{mode}\" ({' '.join(setarch(mode))}): {why}")
    with tempfile.TemporaryDirectory() as folder:
        programs = Programs(Path(folder).resolve())
        programs.build()
        pairs = pairs_of(programs, file, missing)
        results = judge("same", SAME, pairs, missing) + judge("differs", DIFFERENT, pairs, missing) + check_table()
        results += check_luck(programs.paths[FIXED], FEW_RUNS if is_short else RUNS, missing)
    for row, why in NOT_SHOWN.items():
        print(f"not shown: {row}: {why}")
    for title, passed in results:
        print(f"Linux, {title}: {'ok' if passed else 'FAILED'}")
    return [passed for _, passed in results]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=KEPT)
    outcomes = compare(parser.parse_args().file, is_short=False)
    print(f"layout-linux: {sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
