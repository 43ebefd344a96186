"""gdb commands for a capOS kernel under QEMU: capos-walk, capos-frames, capos-caps, capos-ledgers.

`make gdb` loads them. What is not a global is named by an expression: capos-caps process->caps
"""
import gdb

PAGE = 4096
ENTRIES = 512
LEVEL_NAMES = {4: "PML4", 3: "PDPT", 2: "PD", 1: "PT"}
FRAME_MASK = 0x000FFFFFFFFFF000
PRESENT, LARGE, KIND_SHIFT, KIND_MASK = 1, 1 << 7, 9, 7
FLAGS = ((0, "P"), (1, "W"), (2, "U"), (3, "PWT"), (4, "PCD"), (5, "A"), (6, "D"), (7, "PS"), (8, "G"), (63, "NX"))


def physical_word(address: int) -> int:
    """One word of physical memory, through QEMU's monitor: needs no mapping, so it works before paging too."""
    text = gdb.execute(f"monitor xp /1gx {address:#x}", to_string=True)
    _, colon, word = text.partition(": 0x")
    if not colon:
        raise gdb.GdbError(f"physical {address:#x}: {text.strip()}")
    return int(word, 16)


def enum_name(type_name: str, value: int) -> str:
    for item in gdb.lookup_type(type_name).fields():
        if item.enumval == value:
            return item.name
    return str(value)


def enum_items(type_name: str) -> list:
    return [(item.name, item.enumval) for item in gdb.lookup_type(type_name).fields()]


def target_of(expression: str, type_name: str) -> gdb.Value:
    """The value of an expression, which may also be a pointer to the struct."""
    value = gdb.parse_and_eval(expression)
    if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
        value = value.dereference()
    if str(value.type.strip_typedefs().unqualified()) != type_name:
        raise gdb.GdbError(f"{expression} is a {value.type}, not a {type_name}")
    return value


class Command(gdb.Command):
    """Base: one line of usage, arguments split as gdb does."""

    name = usage = ""
    arguments = 1

    def __init__(self) -> None:
        super().__init__(self.name, gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, text: str, from_tty: bool) -> None:
        if self.arguments and not text.strip():
            raise gdb.GdbError(f"usage: {self.name} {self.usage}")
        self.run(text.strip())


class Walk(Command):
    """capos-walk ADDRESS [ROOT]: each page-table entry on the way to an address, from CR3 or from a root's address."""

    name, usage = "capos-walk", "ADDRESS [PHYSICAL-ROOT]"

    def run(self, text: str) -> None:
        words = gdb.string_to_argv(text)
        address = int(gdb.parse_and_eval(words[0])) & (2**64 - 1)
        root = words[1] if len(words) > 1 else "(unsigned long)$cr3"
        table = int(gdb.parse_and_eval(root)) & FRAME_MASK
        for level in (4, 3, 2, 1):
            index = address >> (12 + 9 * (level - 1)) & (ENTRIES - 1)
            entry = physical_word(table + 8 * index)
            print(f"{LEVEL_NAMES[level]:4} {table:#014x}[{index:3}] = {entry:#018x}  {self.describe(entry)}")
            table = entry & FRAME_MASK
            if not entry & PRESENT:
                return
            if level == 1 or entry & LARGE:
                span = (1 << (12 + 9 * (level - 1))) - 1
                print(f"{address:#x} is physical {table & ~span | address & span:#x}")
                return

    @staticmethod
    def describe(entry: int) -> str:
        kind = enum_name("enum page_kind", entry >> KIND_SHIFT & KIND_MASK)
        if entry & PRESENT:
            return " ".join(name for bit, name in FLAGS if entry >> bit & 1) + f", {kind}"
        inverted = ~entry & FRAME_MASK
        keeps_frame = entry & FRAME_MASK
        return f"not present, {kind}" + (f", frame {inverted >> 12:#x} kept" if keeps_frame else "")


class Frames(Command):
    """capos-frames: free frames, by the bitmap and by the per-CPU stacks in front of it."""

    name, arguments = "capos-frames", 0

    def run(self, text: str) -> None:
        bitmap = target_of(text or "'frame.c'::bitmap", "struct frame_bitmap")
        for field in ("frames", "free_frames", "free_blocks"):
            print(f"{field:14} {int(bitmap[field])}")
        print(f"{'usable':14} {int(gdb.parse_and_eval('total_frames'))}")
        print(f"{'available':14} {int(gdb.parse_and_eval('available'))}")
        stacks = gdb.parse_and_eval("stack_of_cpu")
        first, last = stacks.type.range()
        for cpu in range(first, last + 1):
            if depth := int(stacks[cpu]["depth"]):
                print(f"stack of cpu {cpu}: {depth} frames")


class Caps(Command):
    """capos-caps EXPRESSION: every slot in use of a struct cap_table."""

    name, usage = "capos-caps", "EXPRESSION (a struct cap_table or a pointer to one)"

    def run(self, text: str) -> None:
        table = target_of(text, "struct cap_table")
        print(f"{int(table['pages'])} pages, {int(table['used'])} used, {int(table['retired'])} retired")
        per_page = PAGE // gdb.lookup_type("struct cap_slot").sizeof
        for index in range(int(table["pages"]) * per_page):
            slot = table["page"][index // per_page][index % per_page]
            state = enum_name("enum cap_slot_state", int(slot["state"]))
            if state == "CAP_SLOT_FREE":
                continue
            hold = slot["hold"]
            print(
                f"{index:5} generation {int(slot['generation']):5} {state:17} {str(hold['interface']):28} "
                f"{str(hold['mode']):13} badge {int(hold['badge']):#x} object {int(hold['object']):#x}"
            )


class Ledgers(Command):
    """capos-ledgers EXPRESSION: used, limit and peak of each ledger of a struct resource_ledger."""

    name, usage = "capos-ledgers", "EXPRESSION (a struct resource_ledger or a pointer to one)"

    def run(self, text: str) -> None:
        ledger = target_of(text, "struct resource_ledger")
        print(f"{'':30} {'used':>12} {'limit':>20} {'peak':>12}")
        for name, number in enum_items("enum ledger_kind"):
            if name != "LEDGER_COUNT":
                one = ledger["of"][number]
                print(f"{name:30} {int(one['used']):12} {int(one['limit']):20} {int(one['peak']):12}")


for command in (Walk, Frames, Caps, Ledgers):
    command()
