"""gdb commands for a capOS kernel under QEMU: capos-processes, capos-tree, capos-threads, capos-queues,
capos-endpoints, capos-walk, capos-frames, capos-caps, capos-ledgers; and $capos_runs("NAME"), for conditions.

`make gdb` loads them. They read the kernel's own structures while it stands still anywhere, in a program too. A process
is named by its id; without one it is the process whose page table the CPU has loaded.
"""
import struct
from collections import Counter
from collections.abc import Iterator

import gdb

PAGE = 4096
ENTRIES = 512
LEVEL_NAMES = {4: "PML4", 3: "PDPT", 2: "PD", 1: "PT"}
FRAME_MASK = 0x000FFFFFFFFFF000
PRESENT, LARGE, KIND_SHIFT, KIND_MASK = 1, 1 << 7, 9, 7
FLAGS = ((0, "P"), (1, "W"), (2, "U"), (3, "PWT"), (4, "PCD"), (5, "A"), (6, "D"), (7, "PS"), (8, "G"), (63, "NX"))
FRAME_INFO_BYTES = 16
USE_MASK = 15  # of frame_info.owner


def physical_word(address: int) -> int:
    """One word of physical memory, through QEMU's monitor: needs no mapping, so it works before paging too."""
    text = gdb.execute(f"monitor xp /1gx {address:#x}", to_string=True)
    _, colon, word = text.partition(": 0x")
    if not colon:
        raise gdb.GdbError(f"physical {address:#x}: {text.strip()}")
    return int(word, 16)


def enum_items(type_name: str) -> list[tuple[str, int]]:
    return [(item.name, item.enumval) for item in gdb.lookup_type(type_name).fields()]


def enum_name(type_name: str, value: int) -> str:
    return next((name for name, number in enum_items(type_name) if number == value), str(value))


def processes() -> Iterator[gdb.Value]:
    return linked("'process_tree.c'::processes")


def linked(first: str, next_field: str = "next") -> Iterator[gdb.Value]:
    """Each element of a list, by the expression for its first."""
    element = gdb.parse_and_eval(first)
    while int(element):
        yield element.dereference()
        element = element[next_field]


def root_of(process: gdb.Value) -> int:
    return int(process["space"]["root"]["raw"]) * PAGE


def loaded_root() -> int:
    return int(gdb.parse_and_eval("(unsigned long)$cr3")) & FRAME_MASK


def find_process(text: str) -> gdb.Value:
    """The process with the id in the text, or the one that runs."""
    if text:
        wanted = int(gdb.parse_and_eval(text))
        found = [process for process in processes() if int(process["id"]) == wanted]
    else:
        found = [process for process in processes() if root_of(process) == loaded_root()]
    if not found:
        raise gdb.GdbError(f"no process {text}; capos-processes lists them" if text else "no process runs: give an id")
    return found[0]


def title(process: gdb.Value) -> str:
    return f"process {int(process['id'])} {process['name'].string()}"


def parent_id(process: gdb.Value) -> int:
    return int(process["parent"]["id"]) if int(process["parent"]) else 0


def threads(process: gdb.Value) -> Iterator[gdb.Value]:
    slots = process["slot"]
    for index in range(slots.type.range()[1] + 1):
        if int(slots[index]["thread"]):
            yield slots[index]["thread"].dereference()


def thread_title(thread: gdb.Value) -> str:
    """Its process's id and name, and its index there."""
    if not int(thread["process"]):
        return "kernel thread"
    return f"{title(thread['process'].dereference())} thread {int(thread['index'])}"


def operations(thread: gdb.Value) -> list[str]:
    """The kinds of those that are open."""
    places = thread["operation"]
    kinds = (str(places[index]["kind"]) for index in range(places.type.range()[1] + 1))
    return [kind.removeprefix("OPERATION_") for kind in kinds if kind != "OPERATION_NONE"]


def run_ms(run_time: gdb.Value) -> str:
    """kernel/task/run_time.h; of one that runs: when it would have begun, had it never paused."""
    word = int(run_time["word"])
    begin = word & ~(1 << 63)
    return f"since {begin / 1e6:.1f}" if word >> 63 else f"{word / 1e6:.1f}"


class Command(gdb.Command):
    """Base: a name, a line of usage, and at most so many words of arguments."""

    name = usage = ""
    least = most = 0

    def __init__(self) -> None:
        super().__init__(self.name, gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, text: str, from_tty: bool) -> None:
        words = gdb.string_to_argv(text)
        if not self.least <= len(words) <= self.most:
            raise gdb.GdbError(f"usage: {self.name} {self.usage}")
        self.run(words)


class Processes(Command):
    """capos-processes: every process; * marks the one whose page table the CPU has loaded."""

    name = "capos-processes"

    def run(self, words: list[str]) -> None:
        print(f"  {'pid':>5} {'name':31} {'root':>12} {'pages granted':>14} {'image':>6} {'tables':>6} {'caps':>5}")
        for process in processes():
            of = process["account"]["ledger"]["of"]
            granted, image, tables, caps = (int(of[kind]["used"]) for kind in self.ledgers())
            mark = "*" if root_of(process) == loaded_root() else " "
            print(
                f"{mark} {int(process['id']):5} {process['name'].string():31} {root_of(process):#12x} "
                f"{granted:14} {image:6} {tables:6} {caps:5}"
            )

    @staticmethod
    def ledgers() -> list[int]:
        names = ("LEDGER_FRAME_GRANT", "LEDGER_IMAGE", "LEDGER_PAGE_TABLE", "LEDGER_CAP_SLOTS")
        return [dict(enum_items("enum ledger_kind"))[name] for name in names]


class Tree(Command):
    """capos-tree: processes below their parents, with what they use of which limit."""

    name = "capos-tree"

    def run(self, words: list[str]) -> None:
        everyone = sorted(processes(), key=lambda process: int(process["id"]))
        ids = {int(process["id"]) for process in everyone}
        waiting = [(process, 0) for process in reversed(everyone) if parent_id(process) not in ids]
        while waiting:
            process, depth = waiting.pop()
            state = " (ended)" if process["ended"] else " (ends)" if process["ending"] else ""
            print(f"{'  ' * depth}{title(process)}{state}: {int(process['threads'])} threads, {self.limits(process)}")
            mine = [one for one in reversed(everyone) if parent_id(one) == int(process["id"])]
            waiting += [(child, depth + 1) for child in mine]

    @staticmethod
    def limits(process: gdb.Value) -> str:
        of = process["account"]["ledger"]["of"]
        kinds = [(name, kind) for name, kind in enum_items("enum ledger_kind") if name != "LEDGER_COUNT"]
        return ", ".join(
            f"{name.removeprefix('LEDGER_').lower()} {int(of[kind]['used'])}/{int(of[kind]['limit'])}"
            for name, kind in kinds
        )


class Threads(Command):
    """capos-threads [PID]: the threads of a process, or of all, and what they wait for."""

    name, usage, most = "capos-threads", "[PID]", 1

    def run(self, words: list[str]) -> None:
        print(f"{'pid':>5} {'id':>6} {'state':8} {'cpu':>3} {'priority':>8} {'ms':>14} {'switches':>9}  open")
        for process in [find_process(words[0])] if words else processes():
            for thread in threads(process):
                number = int(process["slot"][int(thread["index"])]["generation"]) << 8 | int(thread["index"])
                state = str(thread["state"]).removeprefix("THREAD_").lower()
                print(
                    f"{int(process['id']):5} {number:6} {state:8} {int(thread['cpu']):3} {int(thread['priority']):8} "
                    f"{run_ms(thread['run_time']):>14} {int(thread['switches']):9}  {' '.join(operations(thread))}"
                )


class Queues(Command):
    """capos-queues: what each CPU runs, who is ready there, and who fell asleep there with a deadline."""

    name = "capos-queues"

    def run(self, words: list[str]) -> None:
        for index in range(int(gdb.parse_and_eval("'cpu_local.c'::online_mask")).bit_length()):
            cpu = gdb.parse_and_eval(f"'scheduler.c'::scheduler_cpus[{index}]")
            current = gdb.parse_and_eval(f"(struct thread *)'cpu_local.c'::cpus[{index}]->current_thread")
            runs = thread_title(current.dereference()) if int(current) else "nothing"
            print(
                f"cpu {index}: runs {runs}; {int(cpu['queue']['count'])} ready, "
                f"{int(cpu['deadlines']['count'])} with a deadline, {int(cpu['switches'])} switches"
            )
            first = cpu["queue"]["first"]
            for priority in reversed(range(first.type.range()[1] + 1)):
                thread = first[priority]
                while int(thread):
                    print(f"  priority {priority}: {thread_title(thread.dereference())}")
                    thread = thread["next_ready"]


class Endpoints(Command):
    """capos-endpoints: each with its capabilities, and who waits in its queues."""

    name = "capos-endpoints"

    def run(self, words: list[str]) -> None:
        for endpoint in linked("'endpoint.c'::endpoints"):
            state = " (shut)" if endpoint["is_shut"] else ""
            print(
                f"endpoint {int(endpoint['number'])}{state}: {int(endpoint['owners'])} owners, "
                f"{int(endpoint['clients'])} clients, {int(endpoint['references'])} references"
            )
            for name in ("calls", "receivers", "called", "served"):
                operation = endpoint[name]["first"]
                while int(operation):
                    print(f"  {name}: {thread_title(operation['thread'].dereference())}")
                    operation = operation["next"]


class Runs(gdb.Function):
    """$capos_runs("NAME"): whether the process whose page table the CPU has loaded has that name."""

    def __init__(self) -> None:
        super().__init__("capos_runs")

    def invoke(self, name: gdb.Value) -> bool:
        found = [process["name"].string() for process in processes() if root_of(process) == loaded_root()]
        return found == [name.string()]


class Walk(Command):
    """capos-walk ADDRESS [PID]: each page-table entry on the way to an address, from CR3 or in a process."""

    name, usage = "capos-walk", "ADDRESS [PID]"
    least, most = 1, 2

    def run(self, words: list[str]) -> None:
        address = int(gdb.parse_and_eval(words[0])) & (2**64 - 1)
        table = root_of(find_process(words[1])) if len(words) > 1 else loaded_root()
        for level in (4, 3, 2, 1):
            index = address >> (12 + 9 * (level - 1)) & (ENTRIES - 1)
            entry = physical_word(table + 8 * index)
            print(f"{LEVEL_NAMES[level]:4} {table:#014x}[{index:3}] = {entry:#018x}  {self.describe(entry, level)}")
            table = entry & FRAME_MASK
            if not entry & PRESENT:
                return
            if level == 1 or entry & LARGE:
                span = (1 << (12 + 9 * (level - 1))) - 1
                print(f"{address:#x} is physical {table & ~span | address & span:#x}")
                return

    @staticmethod
    def describe(entry: int, level: int) -> str:
        kind = enum_name("enum page_kind", entry >> KIND_SHIFT & KIND_MASK)
        if entry & PRESENT:
            flags = " ".join(name for bit, name in FLAGS if entry >> bit & 1)
            return flags if level > 1 and not entry & LARGE else f"{flags}, {kind}"
        inverted = ~entry & FRAME_MASK
        keeps_frame = entry & FRAME_MASK
        return f"not present, {kind}" + (f", frame {inverted >> 12:#x} kept" if keeps_frame else "")


class Frames(Command):
    """capos-frames: how many frames have which use, from the frame table; free ones by the bitmap and the stacks."""

    name = "capos-frames"

    def run(self, words: list[str]) -> None:
        count = int(gdb.parse_and_eval("frame_table_count"))
        table = int(gdb.parse_and_eval("(unsigned long)frame_table"))
        memory = gdb.selected_inferior().read_memory(table, count * FRAME_INFO_BYTES)
        uses = Counter(owner & USE_MASK for owner, _ in struct.iter_unpack("<QQ", memory))
        for name, use in enum_items("enum frame_use"):
            if name != "FRAME_USE_COUNT":
                print(f"{name:20} {uses[use]:10}")
        print(f"{'all of RAM':20} {count:10}")
        stacks = gdb.parse_and_eval("stack_of_cpu")
        first, last = stacks.type.range()
        depths = {cpu: int(stacks[cpu]["depth"]) + int(stacks[cpu]["zeroed_depth"]) for cpu in range(first, last + 1)}
        free = int(gdb.parse_and_eval("'frame.c'::bitmap.free_frames"))
        print(f"free: {free} in the bitmap, {sum(depths.values())} on stacks")
        for cpu, depth in depths.items():
            if depth:
                print(f"stack of cpu {cpu}: {depth}")


class Caps(Command):
    """capos-caps [PID]: every capability slot in use of a process."""

    name, usage, most = "capos-caps", "[PID]", 1

    def run(self, words: list[str]) -> None:
        process = find_process(" ".join(words))
        table = process["caps"]
        pages = int(table["pages"])
        print(f"{title(process)}: {pages} pages, {int(table['used'])} slots used, {int(table['retired'])} retired")
        per_page = PAGE // gdb.lookup_type("struct cap_slot").sizeof
        for index in range(pages * per_page):
            slot = table["page"][index // per_page][index % per_page]
            state = enum_name("enum cap_slot_state", int(slot["state"]))
            if state == "CAP_SLOT_FREE":
                continue
            hold = slot["hold"]
            print(
                f"{index:5} generation {int(slot['generation']):5} {state:17} "
                f"{enum_name('enum interface_id', int(hold['interface'])):28} "
                f"{enum_name('enum transfer_mode', int(hold['mode'])):13} badge {int(hold['badge']):#x} "
                f"object {int(hold['object']):#x} from {int(hold['origin_high']) << 32 | int(hold['origin_low'])}"
            )


class Ledgers(Command):
    """capos-ledgers [PID]: used, limit and peak of each of a process's ledgers."""

    name, usage, most = "capos-ledgers", "[PID]", 1

    def run(self, words: list[str]) -> None:
        process = find_process(" ".join(words))
        print(f"{title(process):30} {'used':>12} {'limit':>20} {'peak':>12}")
        for name, kind in enum_items("enum ledger_kind"):
            if name != "LEDGER_COUNT":
                one = process["account"]["ledger"]["of"][kind]
                used, limit, peak = (int(one[field]) for field in ("used", "limit", "peak"))
                print(f"{name:30} {used:12} {limit:20} {max(peak, used):12}")  # as resource_ledger_peak


for command in (Processes, Tree, Threads, Queues, Endpoints, Walk, Frames, Caps, Ledgers, Runs):
    command()
