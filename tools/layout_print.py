"""What address-print says (user/demos/address-print), as numbers; what `capos-layout` says of the same wish; and what
must hold between the two. For tools/layout_capos.py and tools/layout_linux.py."""
import re
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

PAGE = 4096
TEXT, TASK_SIZE, THIRD = 0x400000, 0x7FFFFFFFF000, 0x2AAAAAAAB000  # of the profile amd64
FLEXIBLE_BASE = TASK_SIZE - (128 << 20)  # without offsets, with a stack of 8 MiB
LOWEST_MAP = 1 << 32  # no mapping without a hint is below; all else that is mapped by a fixed program is
NUMBER = re.compile(r"0x[0-9a-f]+")
# PHDR PHENT PHNUM PAGESZ ENTRY BASE RANDOM EXECFN UID EUID GID EGID SECURE HWCAP CLKTCK, and two of capOS's own
VECTOR = [3, 4, 5, 6, 9, 7, 25, 31, 11, 12, 13, 14, 23, 16, 17]
OWN_VECTOR = [0x1000, 0x1001]
LIST_BYTES, VECTOR_BYTES, RANDOM_BYTES = 8, 16, 16
PT_LOAD, PT_TLS = 1, 7
THREAD_CONTROL = 64  # bytes behind the thread-local storage


@dataclass(frozen=True)
class Wish:
    """How a program is linked and started. `seed` None: no offsets at all."""

    is_movable: bool
    kind: str
    seed: int | None = None
    heap_offset: bool = False
    stack: str = "8M"

    @property
    def program(self) -> str:
        return "address-print-pie" if self.is_movable else "address-print"

    def words(self) -> str:
        """Behind the shell's `with`."""
        said = [f"layout {self.kind}", "layout_fixed" if self.seed is None else f"layout_seed {self.seed}"]
        said += ["layout_heap_offset"] if self.heap_offset else []
        return ", ".join(said + ([f"stack_limit {self.stack}"] if self.stack != "8M" else []))

    def options(self) -> list[str]:
        """Of capos-layout."""
        said = ["--kind", self.kind, "--stack", self.stack]
        said += [] if self.seed is None else ["--seed", str(self.seed)]
        return said + ["--movable"] * self.is_movable + ["--heap-offset"] * self.heap_offset


def parse(text: str) -> dict:
    """NAME VALUE lines: name -> number; "maps": (start, end, name) in order; "vector": types in order."""
    values: dict = {"maps": [], "vector": []}
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        words = rest.split(" ", 2)
        if name == "map":
            values["maps"].append((int(words[0], 16), int(words[1], 16), words[2] if len(words) > 2 else ""))
        elif name == "execfn_text":
            values[name] = rest
        elif NUMBER.fullmatch(rest):
            values[name] = int(rest, 16)
            if re.fullmatch(r"aux_\d+", name):
                values["vector"].append(int(name[4:]))
    return values


def ask(tool: Path, wish: Wish, image_bytes: int) -> dict:
    """What lib/layout says, on the host: name -> number, (start, end) or word."""
    command = [str(tool), "--values", "--image", str(image_bytes), *wish.options()]
    values: dict = {}
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        name, *words = line.split()
        numbers = [int(word, 16) for word in words if word.startswith("0x")]
        values[name] = tuple(numbers) if len(numbers) == 2 else numbers[0] if numbers else words[0]
    return values


def page_up(address: int) -> int:
    return -(-address // PAGE) * PAGE


@dataclass(frozen=True)
class Program:
    """Of an ELF file, what its layout and its auxiliary vector follow from."""

    entry: int  # less the address of the first segment
    headers: int
    image_bytes: int  # segments and, behind them, thread-local storage (kernel/task/program_image.c)


def program_of(path: Path) -> Program:
    file = path.read_bytes()
    entry, offset = struct.unpack_from("<QQ", file, 24)
    size, count = struct.unpack_from("<HH", file, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", file, offset + size * index) for index in range(count)]
    loads = [(address, address + memory) for kind, _, _, address, _, _, memory, _ in headers if kind == PT_LOAD]
    first, last = min(start for start, _ in loads) // PAGE * PAGE, page_up(max(end for _, end in loads))
    storage = 0
    for kind, _, _, _, _, _, memory, align in headers:
        if kind == PT_TLS:
            align = max(align, THREAD_CONTROL)
            storage = -(-memory // align) * align
    return Program(entry - first, count, last - first + page_up(storage + THREAD_CONTROL))


def list_of(values: dict, name: str) -> list[int]:
    """Addresses of argv's or envp's strings."""
    return [values[f"{name}_{index}"] for index in range(values[f"{name}_count"])]


def check_stack(values: dict) -> list[str]:
    """What the System V ABI says of the first stack, and what both systems make of it: argc, argv, 0, envp, 0, vector,
    above that the random bytes and the strings."""
    strings = list_of(values, "argv") + list_of(values, "envp")
    rules = {
        "argc lies on a multiple of 16": (values["argv"] - LIST_BYTES) % 16 == 0,
        "argc is the number of arguments": values["argc"] == values["argc_given"] == values["argv_count"],
        "envp follows argv and its 0": values["envp"] == values["argv"] + LIST_BYTES * (values["argv_count"] + 1),
        "the vector follows envp and its 0": values["auxv"] == values["envp"] + LIST_BYTES * (values["envp_count"] + 1),
        "the vector ends behind its AT_NULL": values["auxv_end"]
        == values["auxv"] + VECTOR_BYTES * (len(values["vector"]) + 1),
        "each type is there once": len(values["vector"]) == len(set(values["vector"])),
        "strings lie above the vector, in order": strings == sorted(strings) and strings[0] >= values["auxv_end"],
        "16 random bytes lie above the vector": values["auxv_end"] <= values["aux_25"]
        and not any(0 <= text - values["aux_25"] < RANDOM_BYTES for text in strings),
        "the stack grows down": values["stack_inner"] < values["stack"] < values["argv"],
        "PAGESZ is 4096, PHENT 56, CLKTCK 100": (values["aux_6"], values["aux_4"], values["aux_17"]) == (PAGE, 56, 100),
        "PHDR is behind the file's header": values["aux_3"] == values["image"] + 64,
        "ENTRY is in the image": values["image"] < values["aux_9"] < values["image_end"],
    }
    return [rule for rule, holds in rules.items() if not holds]


def check_strings(values: dict, stack_end: int, program: str, arguments: list[str]) -> list[str]:
    """kernel/task/user_stack.c, to the byte: strings, random bytes, vector, two lists and argc, on a multiple of 16."""
    lengths = [len(text) + 1 for text in [program, *arguments]]
    strings = stack_end - sum(lengths)
    vector = len(VECTOR + OWN_VECTOR) + 1
    words = 1 + len(lengths) + 2  # argc, argv, 0, 0
    below = vector * VECTOR_BYTES + (words + words % 2) * LIST_BYTES
    rules = {
        "argv": values["argv"] == (strings - RANDOM_BYTES) // 16 * 16 - below + LIST_BYTES,
        "strings": list_of(values, "argv") == [strings + sum(lengths[:index]) for index in range(len(lengths))],
        "random bytes": values["aux_25"] == strings - RANDOM_BYTES,
        "no environment": values["envp_count"] == 0,
    }
    return [f"on the stack: {rule}" for rule, holds in rules.items() if not holds]


def check_places(values: dict, layout: dict, program: Program) -> list[str]:
    """The program was where the layout says, and its vector says so."""
    step = PAGE if layout["direction"] == "up" else -PAGE
    first = layout["mmap_base"] + min(step, 0)
    image, heap, stack = layout["image"], layout["heap"], layout["stack"]
    rules = {
        "image": values["image"] == image[0],
        "end of the image": page_up(values["image_end"]) < image[1],
        "order in the image": image[0]
        < values["constants"]
        < values["text"]
        < values["data"]
        < values["bss"]
        < values["image_end"]
        <= values["thread_local"]
        < image[1],
        "heap": values["heap"] == values["break"] == heap[0],
        "the break goes up": values["break_later"] == heap[0] + PAGE,
        "first mapping": values["mmap_1"] == first,
        "second mapping": values["mmap_2"] == first + step,
        "stack": stack[0] < values["stack_inner"] and values["auxv_end"] < stack[1],
        "vector": values["vector"] == VECTOR + OWN_VECTOR,
        "BASE, and who runs it": [values[f"aux_{kind}"] for kind in (7, 11, 12, 13, 14, 23)] == [0] * 6,
        "PHNUM": values["aux_5"] == program.headers,
        "ENTRY": values["aux_9"] == image[0] + program.entry,
        "CapSet and ring": [values[f"aux_{kind}"] for kind in OWN_VECTOR] == [0x300000, 0x310000],
        "EXECFN is argv[0]": values["aux_31"] == values["argv_0"],
    }
    return [f"{rule} is not as in {layout}: {values}" for rule, holds in rules.items() if not holds]


def check_maps(values: dict, layout: dict) -> list[str]:
    """All that is mapped lies in a part of the layout, and guard and unused stack are one piece without access."""
    maps = values["maps"]
    parts = [layout[name] for name in ("window", "image", "heap", "mmap", "guard", "stack")]
    complaints = [f"{area} overlaps {after}" for area, after in zip(maps, maps[1:]) if area[1] > after[0]]
    for start, end, name in maps:
        inside = [part for part in parts if part[0] <= start and end <= part[1]]
        if not inside and not (name == "guard" and start == layout["guard"][0] and end <= layout["stack"][1]):
            complaints.append(f"{name} 0x{start:x} to 0x{end:x} is outside of the layout")
    if not any(area[1:] == (layout["image"][1], "image") for area in maps):
        complaints.append(f"no page of the image ends at 0x{layout['image'][1]:x}")
    guards = [area for area in maps if area[2] == "guard"]
    stack = (guards[0][1], layout["stack"][1], "image") if guards else None
    if len(guards) != 1 or guards[0][0] != layout["guard"][0] or maps[-1] != stack:
        complaints.append(f"guard and stack: {guards} {maps[-1]}")
    return complaints
