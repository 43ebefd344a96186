#!/usr/bin/env python3
"""Compare the layouts of Linux with those of lib/layout: the program tests/layout/address_print.c runs under setarch -R, -L,
both, and neither, linked at fixed addresses and position-independent; what it prints is held against what
`capos-layout --values` says for the same stack limit.

layout_linux.py CAPOS_LAYOUT
A line for each thing that both do, and for each known difference (docs/layouts.md has the reasons), which must be there
too. Last line: "layout-linux: N passed, N failed".
"""
import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tests" / "layout" / "address_print.c"
FLAGS = ["-std=gnu2x", "-O1", "-fno-stack-protector", "-Wall", "-Wextra", "-Werror"]
LINKS = {"fixed": ["-static", "-no-pie"], "movable": ["-static-pie", "-fPIE"]}
# mode: (setarch's options, kind of lib/layout)
MODES = {
    "flexible still": (["-R"], "flexible"),
    "flexible": ([], "flexible"),
    "classic still": (["-R", "-L"], "classic"),
    "classic": (["-L"], "classic-random"),
}
STACK_LIMIT = 8 << 20
RUNS = 200
PAGE = 4096
STACK_PAGES, MMAP_PAGES = 1 << 22, 1 << 28
# PHDR PHENT PHNUM PAGESZ BASE ENTRY UID EUID GID EGID HWCAP CLKTCK SECURE RANDOM EXECFN: kernel/task/user_stack.c
VECTOR_OF_BOTH = {3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 16, 17, 23, 25, 31}
NOT_IN_MMAP = ("[stack]", "[heap]", "[vsyscall]", "[uprobes]")


def limit_stack():
    resource.setrlimit(resource.RLIMIT_STACK, (STACK_LIMIT, resource.getrlimit(resource.RLIMIT_STACK)[1]))


def run_linux(program: Path, mode: str) -> dict:
    """What the program says: name -> number; "maps": (start, end, name) in order; "vector": types in order."""
    command = ["setarch", "x86_64", *MODES[mode][0], str(program), "one", "two words"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=limit_stack)
    values: dict = {"maps": [], "vector": [], "mode": mode}
    for line in done.stdout.splitlines():
        name, *words = line.split(" ", 3)
        if name == "map":
            values["maps"].append((int(words[0], 16), int(words[1], 16), words[2] if len(words) > 2 else ""))
        elif name == "execfn_text":
            values[name] = " ".join(words)
        else:
            values[name] = int(words[0], 0)
        if name.startswith("aux_"):
            values["vector"].append(int(name[4:]))
    own = [area for area in values["maps"] if area[2] == str(program)]
    values["image"] = (own[0][0], max(area[1] for area in own))
    areas = [area for area in values["maps"] if area[2] not in (*NOT_IN_MMAP, str(program)) and area[0] > 1 << 32]
    values["mmap"] = (min(area[0] for area in areas), max(area[1] for area in areas))
    values["stack_end"] = next(area[1] for area in values["maps"] if area[2] == "[stack]")
    return values


def ask_capos(tool: Path, mode: str, link: str, image: int) -> dict:
    arguments = ["--values", "--kind", MODES[mode][1], "--stack", str(STACK_LIMIT), "--image", str(image)]
    if "still" not in mode:
        arguments += ["--seed", "1"]
    if link == "movable":
        arguments += ["--movable"]
    values: dict = {}
    for line in subprocess.run([str(tool), *arguments], capture_output=True, text=True, check=True).stdout.splitlines():
        name, *words = line.split()
        numbers = [int(word, 16) for word in words if word.startswith("0x")]
        values[name] = tuple(numbers) if len(numbers) == 2 else numbers[0] if numbers else words[0]
    return values


def is_random(linux: dict) -> bool:
    return "still" not in linux["mode"]


def is_classic(linux: dict) -> bool:
    return linux["mode"].startswith("classic")


def third(capos: dict) -> int:
    return -(-capos["task_size"] // 3 // PAGE) * PAGE


# What both do: title -> (which runs, predicate over what Linux and lib/layout say). Each predicate speaks of both.
def order(linux, capos):
    return (
        linux["image"][1] <= linux["heap"] < linux["mmap"][0] < linux["mmap"][1] < linux["stack"]
        and capos["image"][1] <= capos["heap"][0] <= capos["mmap"][0] < capos["mmap"][1] < capos["stack"][0]
    )


def classic_base(linux, capos):
    return linux["mmap"][0] == capos["mmap_base"] == third(capos)


def classic_random_base(linux, capos):
    return all(0 <= base - third(capos) < MMAP_PAGES * PAGE for base in (linux["mmap"][0], capos["mmap_base"]))


def flexible_random_base(linux, capos):
    least = capos["task_size"] - (STACK_PAGES + MMAP_PAGES) * PAGE - (129 << 20)
    return all(least <= base < capos["task_size"] - STACK_LIMIT for base in (linux["mmap"][1], capos["mmap_base"]))


def stack_offset(linux, capos):
    return all(0 <= capos["task_size"] - end < STACK_PAGES * PAGE for end in (linux["stack_end"], capos["stack"][1]))


def directions(linux, capos):
    upward = linux["mmap_2"] > linux["mmap_1"]
    return upward == is_classic(linux) and capos["direction"] == ("up" if upward else "down")


def whole_pages(linux, capos):
    numbers = [linux["heap"], linux["mmap_1"], *linux["image"], *linux["mmap"], linux["stack_end"]]
    numbers += [*capos["image"], *capos["heap"], *capos["mmap"], *capos["stack"]]
    return all(number % PAGE == 0 for number in numbers)


SAME = {
    "text of a fixed program at 0x400000": (
        lambda link, linux: link == "fixed",
        lambda linux, capos: linux["text"] == capos["image"][0] == 0x400000,
    ),
    "order: image, heap, mappings, stack": (lambda link, linux: link == "fixed", order),
    "heap on the page above the image": (
        lambda link, linux: link == "fixed" and not is_random(linux),
        lambda linux, capos: linux["heap"] == -(-linux["image_end"] // PAGE) * PAGE
        and capos["heap"][0] == capos["image"][1],
    ),
    "classic: the first mapping at TASK_SIZE / 3, the same number": (
        lambda link, linux: linux["mode"] == "classic still" and link == "fixed",
        classic_base,
    ),
    "classic, random: less than 2^28 pages above TASK_SIZE / 3": (
        lambda link, linux: linux["mode"] == "classic" and link == "fixed",
        classic_random_base,
    ),
    "flexible: mappings end 128 MiB below STACK_TOP, the same number": (
        lambda link, linux: linux["mode"] == "flexible still",
        lambda linux, capos: max(linux["mmap"][1], linux["image"][1] * (linux["image"][0] > 1 << 46))
        == capos["mmap_base"],
    ),
    "flexible, random: the gap and less than 2^28 pages below": (
        lambda link, linux: linux["mode"] == "flexible",
        flexible_random_base,
    ),
    "stack ends at TASK_SIZE": (
        lambda link, linux: not is_random(linux),
        lambda linux, capos: linux["stack_end"] == capos["stack"][1] == capos["task_size"],
    ),
    "stack, random: less than 2^22 pages below STACK_TOP": (lambda link, linux: is_random(linux), stack_offset),
    "direction of mappings": (lambda link, linux: True, directions),
    "all boundaries are whole pages": (lambda link, linux: True, whole_pages),
}

# What a program finds on its first stack, as kernel/task/user_stack.c makes it too (elf-smoke checks it there).
STACK_CONTENT = {
    "the stack grows down, the break up": lambda linux: linux["stack_inner"] < linux["stack"]
    and linux["break_later"] > linux["break"] >= linux["heap"],
    "argc lies on a multiple of 16": lambda linux: (linux["argv"] - 8) % 16 == 0 and linux["argc"] == linux["argc_given"],
    "argc, argv, 0, envp, 0, vector follow one another": lambda linux: linux["argc"] == linux["argv_count"] == 3
    and linux["envp"] == linux["argv"] + 8 * (linux["argv_count"] + 1)
    and linux["auxv"] == linux["envp"] + 8 * (linux["envp_count"] + 1),
    "strings above the vector, arguments first, in order": lambda linux: linux["auxv_end"]
    <= linux["argv_0"]
    < linux["argv_1"]
    < linux["argv_2"]
    < linux["envp_0"]
    < linux["stack_end"],
    "16 random bytes above the vector": lambda linux: linux["auxv_end"] <= linux["aux_25"] < linux["stack_end"],
    "the vector has all types that capOS gives": lambda linux: VECTOR_OF_BOTH <= set(linux["vector"]),
    "EXECFN names the program; PAGESZ 4096; CLKTCK 100": lambda linux: linux["execfn_text"].startswith("/")
    and linux["aux_6"] == PAGE
    and linux["aux_17"] == 100,
    "ENTRY in the image; PHDR in its first page": lambda linux: linux["image"][0] <= linux["aux_9"] < linux["image"][1]
    and linux["image"][0] <= linux["aux_3"] < linux["image"][0] + PAGE,
}

# What differs, and must, or docs/layouts.md is wrong: title -> (which runs, predicate that is true if it differs).
DIFFERENT = {
    "movable program: Linux among the mappings, capOS above `text`": (
        lambda link, linux: link == "movable",
        lambda linux, capos: linux["image"][0] >= third(capos) > capos["heap"][0] >= capos["image"][1],
    ),
    "heap of a fixed program, random: Linux at an offset, capOS on request only": (
        lambda link, linux: link == "fixed" and is_random(linux),
        lambda linux, capos: linux["heap"] > linux["image_end"] + PAGE and capos["heap"][0] == capos["image"][1],
    ),
    "Linux maps code of its own (vdso), capOS none": (
        lambda link, linux: True,
        lambda linux, capos: any(area[2] == "[vdso]" for area in linux["maps"]) and 33 in linux["vector"],
    ),
    "Linux has more types in the vector": (
        lambda link, linux: True,
        lambda linux, capos: bool(set(linux["vector"]) - VECTOR_OF_BOTH),
    ),
    "an unused word lies on top of Linux's stack, the name of the program below it": (
        lambda link, linux: True,
        lambda linux, capos: linux["aux_31"] > linux["envp_0"] and linux["stack_end"] - linux["aux_31"] < PAGE,
    ),
}


def check_runs(runs: list[tuple[str, dict, dict]]) -> list[tuple[str, bool]]:
    results = []
    for label, table in (("same", SAME), ("differs", DIFFERENT)):
        for title, (applies, predicate) in table.items():
            chosen = [(linux, capos) for link, linux, capos in runs if applies(link, linux)]
            results.append((f"{label}: {title}", bool(chosen) and all(predicate(*pair) for pair in chosen)))
    for title, predicate in STACK_CONTENT.items():
        results.append((f"same: {title}", all(predicate(linux) for _, linux, _ in runs)))
    return results


def check_luck(program: Path) -> list[tuple[str, bool]]:
    """Many runs: random offsets rarely meet, and none is there when none is asked for."""
    results = []
    random_runs = [run_linux(program, "flexible") for _ in range(RUNS)]
    still_runs = [run_linux(program, "flexible still") for _ in range(5)]
    for name in ("stack_end", "mmap_1", "heap"):
        distinct = len({run[name] for run in random_runs})
        results.append((f"same: {name}: {distinct} of {RUNS} runs distinct", distinct >= RUNS * 98 // 100))
        results.append((f"same: {name}: one place without offsets", len({run[name] for run in still_runs}) == 1))
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", type=Path)
    tool = parser.parse_args().tool.resolve()
    with tempfile.TemporaryDirectory() as folder:
        programs = {link: Path(folder).resolve() / link for link in LINKS}
        for link, program in programs.items():
            subprocess.run(["gcc", *FLAGS, *LINKS[link], "-o", str(program), str(SOURCE)], check=True)
        runs = []
        for link, program in programs.items():
            for mode in MODES:
                linux = run_linux(program, mode)
                size = linux["image"][1] - linux["image"][0]
                runs.append((link, linux, ask_capos(tool, mode, link, size)))
        results = check_runs(runs) + check_luck(programs["fixed"])
    for title, passed in results:
        print(f"{'ok    ' if passed else 'FAILED'} {title}")
    failed = sum(not passed for _, passed in results)
    print(f"layout-linux: {len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
