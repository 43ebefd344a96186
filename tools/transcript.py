"""What a run's transcript says, held against what must be so: each check_* gives the complaints about a transcript."""
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

Check = Callable[[str], list[str]]

PROMPT = "capos> "
TOP_WORDS = 10
MOST_COMPLAINTS = 8  # about single lines of one run
# What a program does not try if a shell started it: that one has left it less than all frames of the machine.
AS_INIT_ALONE = {"spawn-contract": ("machine-runs-out", "memory-is-found-for-a-promised-page")}
ARGUMENTS = ("elf-smoke", "alpha", "17", "omega")

# What the kernel says of init, and the shell of a program that it ran.
ENDED = re.compile(r"capos: process (\d+) (\S+) ended: (.*); free frames (\d+) before, (\d+) after")
RAN = re.compile(r"(\S+) \(process (\d+)\) (ended with code -?\d+|was ended: .+?|was killed)(?:; (.*))?$", re.M)
FREE_AS_BEFORE = re.compile(r"(\d+) frames free, as before")
WELL = "ended with code 0"
READY = re.compile(r"capos: ready: (\d+) cpus, (\d+) MiB free, (\d+) ms")
GREETING = re.compile(r"^capOS shell, (\d+) ms after boot\.", re.M)
FAULT = re.compile(r"capos: fault: process (\d+) (\S+): (.+?) at (0x[0-9a-f]+)")
FAULTED = re.compile(r"^(\S+) \(process (\d+)\) was ended: .+ at (0x[0-9a-f]+), vector \d+", re.M)
FAILURE = re.compile(r"^FAIL(?:ED|URE).*", re.M)
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
PASSED = re.compile(r"^(?:[a-z]+: )?ok (.+)$", re.M)
FRAMES = re.compile(r"^frames total (\d+) free (\d+)", re.M)
CPU = re.compile(r"^cpu \d+ apic \d+ .* interrupts (\d+) shootdowns \d+ switches (\d+) ", re.M)
CHECKED = re.compile(r"^check: (\d+) invariants, (\d+) broken", re.M)
WORD = re.compile(r"^\s*(\d+) ([a-z]+)\s*$", re.M)
WORDS = re.compile(r"^words (\d+) distinct (\d+)", re.M)
PAGES = re.compile(r"^pages peak (\d+) final (\d+)", re.M)
SELFTEST_OK = re.compile(r"^capos: selftest: ok (\S+)", re.M)
PAGING = re.compile(r"^capos: paging: self-check of (\d+) entries passed", re.M)
PROBE = re.compile(r"^fault-probe (\S+)$", re.M)
RANDOM = re.compile(r"^random ([0-9a-f]{32})$", re.M)
ARGUMENT = re.compile(r"^argument (\d+) (.*)$", re.M)
TYPED = re.compile(r"^capos> (\w+)", re.M)
COMMAND = re.compile(r"^  (\w+) +(?:\[?[A-Z]+.*?)?  \S", re.M)
UNKNOWN = re.compile(r"^(?:usage: .*|.*unknown command.*|\w+: no .*)$", re.M)
LAYOUT = re.compile(r"^amd64, [a-z-]+: mmap_base .*\n((?:0x.*\n)+)", re.M)
PIECE = re.compile(r"^0x([0-9a-f]{12}) - 0x([0-9a-f]{12}) ", re.M)
REGION = re.compile(r"^([0-9a-f]{16})-([0-9a-f]{16}) ([r-][w-][x-]) (\w+) +(\d+) pages", re.M)
HOLD = re.compile(r"^ +\d+ 0x[0-9a-f]{8} \w+ +(?:copy|move|bound) ", re.M)
LEDGER = re.compile(r"^(\w+) +used (\d+) limit (\d+) peak (\d+)", re.M)
PROCESS = re.compile(r"^ +1 +0 shell +running +1 +\d+ +0 +(\d+) +(\d+)$", re.M)
FILE = re.compile(r"^ +\d+  \S+ +\(", re.M)
FILES = re.compile(r"^(\d+) files$", re.M)
RING = re.compile(r"^submissions: head (\d+) tail \1, 0 waiting; \1 taken$", re.M)

# What fault-probe does, and what the kernel may call it (fault_name).
READ_ONLY, NO_EXECUTE = ("write to read-only",), ("execute of NX",)
PROBES = {
    "null": ("unreserved",),
    "unreserved": ("unreserved",),
    "uncommitted": ("uncommitted",),
    "decommitted": ("uncommitted",),
    "no-access": ("no access",),
    "write-read-only": READ_ONLY,
    "write-text": READ_ONLY,
    "write-constants": READ_ONLY,
    "write-capset": READ_ONLY,
    "execute-nx": NO_EXECUTE,
    "execute-ring": NO_EXECUTE,
    "exec-stack": NO_EXECUTE,
    "guard": ("stack overflow",),
    "recursion": ("stack overflow",),
    "non-canonical": ("non-canonical",),
    "kernel-address": ("kernel address",),
    "kernel-execute": ("kernel address",),
    "div0": ("exception",),
    "ud2": ("exception",),
    "privileged": ("privileged",),
    "port": ("privileged",),
    "int3": ("exception", "privileged"),
    "int-page-fault": ("privileged",),
}
# The system calls that no fault answers: refused, and the program ends by itself.
REFUSED_PROBE = "syscall"
REFUSED = "fault-probe: system call refused"
SELFTESTS = ["heap", "refused-promises", "kernel-text-read-only", "user-pages-are-shut", "alarm"]
SELFTESTS_OF_PCIDS = ["pcid"]
SELFTESTS_OF_MANY_CPUS = ["stale-tlb-unmap", "stale-tlb-protect", "stale-tlb-reentry"]


@lru_cache
def coreutils_count() -> tuple[list[tuple[int, str]], int, int]:
    """The ten most frequent words, all words and distinct words of the text, as coreutils count them."""
    pipeline = "tr -cs A-Za-z '\\n' | tr A-Z a-z | grep . | sort | uniq -c | sort -k1,1nr -k2,2"
    with open("build/words.txt", "rb") as text:
        done = subprocess.run(
            ["sh", "-c", pipeline], stdin=text, capture_output=True, check=True, env=dict(os.environ, LC_ALL="C")
        )
    counts = [(int(count), word) for count, word in map(str.split, done.stdout.decode().splitlines())]
    return counts[:TOP_WORDS], sum(count for count, _ in counts), len(counts)


def check_words(output: str) -> list[str]:
    top, words, distinct = coreutils_count()
    complaints = []
    seen = [(int(count), word) for count, word in WORD.findall(output)]
    if seen != top:
        complaints.append(f"wordcount's ten words are {seen}, coreutils say {top}")
    if (total := WORDS.search(output)) is None or (int(total[1]), int(total[2])) != (words, distinct):
        said = total[0] if total else "nothing"
        complaints.append(f"wordcount says {said!r}, coreutils say words {words} distinct {distinct}")
    if (pages := PAGES.search(output)) is None or int(pages[1]) == 0 or int(pages[2]) != 0:
        complaints.append(f"no line \"pages peak P final 0\", with pages at the peak: {pages and pages[0]}")
    ends = [how for name, _, how, _ in RAN.findall(output) if name == "wordcount"]
    return complaints + ([] if ends == [WELL] else [f"wordcount {ends}"])


def check_frames(output: str) -> list[str]:
    """No program costs a frame for good, and each reading of free frames beside the shell alone is the same."""
    ran = RAN.findall(output)
    complaints = [] if ran else ["no program ran"]
    free = [FREE_AS_BEFORE.fullmatch(frames) for *_, frames in ran]
    pairs = zip(ran, free)
    complaints += [f"process {process} {name}: {frames}" for (name, process, _, frames), match in pairs if not match]
    if len(seen := {match[1] for match in free if match}) > 1:
        complaints.append(f"free frames after a program: {sorted(seen)}")
    readings = FRAMES.findall(output)
    if len(set(readings)) > 1:
        complaints.append(f"`mem` gave different readings: {readings}")
    return complaints


def check_init(how: str, times: int = 1) -> Check:
    """Init ended so often, always so, and left all frames behind that it had found."""

    def verify(output: str) -> list[str]:
        ended = ENDED.findall(output)
        complaints = [] if len(ended) == times else [f"init ended {len(ended)} times, not {times}"]
        complaints += [f"init ended: {end}, not {how}" for *_, end, _, _ in ended if end != how]
        if len(free := {frames for *_, before, after in ended for frames in (before, after)}) > 1:
            complaints.append(f"free frames without a process: {sorted(free)}")
        return complaints

    return verify


def check_invariants(output: str) -> list[str]:
    checked = CHECKED.findall(output)
    complaints = [] if checked else ["no line \"check: N invariants, N broken\""]
    for invariants, broken in checked:
        if int(invariants) == 0 or int(broken) != 0:
            complaints.append(f"{broken} of {invariants} invariants are broken")
    return complaints


def check_cpus(cpus: int) -> Check:
    """All that the machine has were started."""

    def verify(output: str) -> list[str]:
        ready = READY.search(output)
        return [] if ready and int(ready[1]) == cpus else [f"{ready[1] if ready else 'no'} CPUs of {cpus} run"]

    return verify


def check_prompt(output: str) -> list[str]:
    """The shell says before its first prompt when that is. No limit: a busy host slows the guest's clock as its own;
    `make run-smoke` has one for what QEMU uses of a CPU."""
    return [] if GREETING.search(output) else ["no line \"capOS shell, N ms after boot.\""]


@lru_cache
def passing_lines(program: str) -> Counter:
    """What a self-checking program must say behind its "ok", how often. The list is not the program's own: a trial that
    is not run any more is missed, and one that is new is written down. NAME-pie must say what NAME must."""
    path = Path("tests/smoke", f"{program.removesuffix('-pie')}.txt")
    return Counter(path.read_text().splitlines() if path.exists() else ())


def check_passed(program: str, is_init: bool) -> Check:
    """Each line of the program's list and no other, and their number at the end."""

    def verify(output: str) -> list[str]:
        wanted = passing_lines(program) - Counter(() if is_init else AS_INIT_ALONE.get(program, ()))
        seen, counts = Counter(PASSED.findall(output)), COUNTS.findall(output)
        complaints = [f"{program}: no line \"ok {line}\"" for line in (wanted - seen).elements()]
        complaints += [f"tests/smoke/{program}.txt has no line \"{line}\"" for line in (seen - wanted).elements()]
        if len(complaints) > MOST_COMPLAINTS:
            complaints[MOST_COMPLAINTS:] = [f"and {len(complaints) - MOST_COMPLAINTS} lines more"]
        if counts != [(str(seen.total()), "0")]:
            complaints.append(f"{program}: {seen.total()} lines \"ok\", counts {counts}")
        return complaints

    return verify


def runs_of(output: str) -> Iterator[tuple[str, str]]:
    """Each program that the shell ran, and all that was said since the one before it ended."""
    at = 0
    for ended in RAN.finditer(output):
        yield ended[1], output[at : ended.start()]
        at = ended.end()


def check_programs(names: list[str]) -> Check:
    """Each program ran as often as it is named, called each run a success, said all that it must, and left no frame
    behind."""

    def verify(output: str) -> list[str]:
        how = [(name, how) for name, _, how, _ in RAN.findall(output)]
        complaints = []
        for name in sorted(set(names)):
            seen = [end for ended, end in how if ended == name]
            if seen != [WELL] * names.count(name):
                complaints.append(f"{name}: {names.count(name)} runs, which ended so: {seen}")
        for name, said in runs_of(output):
            if name in names:
                complaints += check_passed(name, is_init=False)(said)
        return complaints + FAILURE.findall(output) + check_frames(output) + check_invariants(output)

    return verify


def check_image(output: str) -> list[str]:
    """What only the caller of elf-smoke knows: the arguments it gave, and what another run said. Two runs: with the
    arguments, without."""
    complaints = check_programs(["elf-smoke"] * 2)(output)
    wanted = [(str(i), text) for i, text in enumerate(ARGUMENTS)] + [("0", ARGUMENTS[0])]
    if (seen := ARGUMENT.findall(output)) != wanted:
        complaints.append(f"elf-smoke was given other arguments: {seen}")
    if len(set(RANDOM.findall(output))) != 2:
        complaints.append(f"AT_RANDOM of two runs: {RANDOM.findall(output)}")
    return complaints


def check_interrupts(output: str) -> list[str]:
    """The serial port interrupts."""
    return re.findall(r"^capos: console: polled.*", output, re.M)


def check_session(output: str) -> list[str]:
    missing = [] if len(FRAMES.findall(output)) >= 2 else ["not two readings of `mem`"]
    return check_prompt(output) + missing + check_interrupts(output) + check_words(output) + check_image(output)


def check_maps(output: str) -> list[str]:
    """Ranges in order, their pages counted, nothing writable and executable, ring and CapSet as promised."""
    found = REGION.findall(output)
    regions = [(int(start, 16), int(end, 16), mode, kind, int(pages)) for start, end, mode, kind, pages in found]
    complaints = [f"{hex(start)}: {mode}" for start, _, mode, *_ in regions if "w" in mode and "x" in mode]
    complaints += [f"{hex(start)}: {pages} pages" for start, end, _, _, pages in regions if end - start != pages * 4096]
    complaints += [f"{hex(one[0])}: out of order" for one, before in zip(regions[1:], regions) if one[0] < before[1]]
    bootstrap = [(start, mode) for start, _, mode, kind, _ in regions if kind == "bootstrap"]
    if bootstrap != [(0x300000, "r--"), (0x310000, "rw-")]:
        complaints.append(f"bootstrap pages: {bootstrap}")
    return complaints


def check_layouts(output: str) -> list[str]:
    """Each `layout` is the whole address space, piece by piece."""
    complaints = []
    for table in LAYOUT.findall(output):
        pieces = [(int(start, 16), int(end, 16)) for start, end in PIECE.findall(table)]
        edges = [start for start, _ in pieces[:-1]], [end for _, end in pieces[1:]]
        if len(pieces) < 7 or pieces[0][1] != 0x7FFFFFFFF000 or pieces[-1][0] != 0 or edges[0] != edges[1]:
            complaints.append(f"a layout with pieces left out: {table}")
    return complaints


def check_commands(output: str) -> list[str]:
    """Each command of `help` was typed, and what they say agrees."""
    typed = set(TYPED.findall(output))
    complaints = [f"`{name}` was not tried" for name in COMMAND.findall(output) if name not in typed]
    complaints += UNKNOWN.findall(output)
    ledgers = {name: (int(used), int(limit), int(peak)) for name, used, limit, peak in LEDGER.findall(output)}
    if len(ledgers) != 6 or any(not used <= peak <= limit for used, limit, peak in ledgers.values()):
        return [*complaints, f"ledgers: {ledgers}"]
    process = PROCESS.search(output)
    paid = sum(int(pages) for *_, kind, pages in REGION.findall(output) if kind in ("image", "bootstrap"))
    pairs = {
        "image pages of `maps`": (paid, ledgers["image_pages"][0]),
        "image pages of `ps`": (int(process[1]) if process else None, ledgers["image_pages"][0]),
        "tables of `ps`": (int(process[2]) if process else None, ledgers["page_table_pages"][0]),
        "slots of `caps`": (len(HOLD.findall(output)), ledgers["cap_slots"][0]),
        "files of `ls`": (len(FILE.findall(output)), int((FILES.search(output) or [0, -1])[1])),
        "submissions of `ring`": (RING.search(output) is not None, True),
    }
    complaints += [f"{what}: {says}, not {other}" for what, (says, other) in pairs.items() if says != other]
    return complaints + check_maps(output) + check_layouts(output)


def check_keys(output: str) -> list[str]:
    """Two checks: one mistyped and mended, one out of the history."""
    checked = len(CHECKED.findall(output))
    return [] if checked == 2 else [f"{checked} checks, not 2"]


def check_idle(least: int, most: int) -> Check:
    """Interrupts and switches of all CPUs between two `mem`."""

    def verify(output: str) -> list[str]:
        sums = [int(interrupts) + int(switches) for interrupts, switches in CPU.findall(output)]
        half = len(sums) // 2
        events = sum(sums[half:]) - sum(sums[:half])
        return [] if half and least <= events <= most else [f"{events} interrupts and switches, not {least} to {most}"]

    return verify


def check_says(text: str) -> Check:
    return lambda output: [] if text in output else [f"no line \"{text}\""]


def check_lines(wanted: str) -> Check:
    """Each pattern, one a line, matches a line of its own, in this order."""

    def verify(output: str) -> list[str]:
        at = 0
        for pattern in wanted.strip().splitlines():
            match = re.compile(f"^{pattern}$", re.M).search(output, at)
            if match is None:
                return [f"no line \"{pattern}\" behind line {output.count(chr(10), 0, at)}"]
            at = match.end()
        return []

    return verify


def check_faults(output: str) -> list[str]:
    """Each probe ends its process, for the right reason, and nothing else; no probe of the program is left out."""
    faults = [fault for fault in FAULT.findall(output) if fault[1] == "fault-probe"]
    seen = [kind for _, _, kind, _ in faults]
    complaints = FAILURE.findall(output)
    if sorted(PROBE.findall(output)) != sorted([*PROBES, REFUSED_PROBE]):
        complaints.append(f"fault-probe lists other kinds: {PROBE.findall(output)}")
    if REFUSED not in output:
        complaints.append(f"probe {REFUSED_PROBE}: not refused")
    if len(seen) != len(PROBES):
        complaints.append(f"{len(PROBES)} probes, {len(seen)} faults: {seen}")
    if FAULTED.findall(output) != [(name, process, address) for process, name, _, address in faults]:
        complaints.append("the shell and the kernel disagree about what ended")
    for (probe, kinds), kind in zip(PROBES.items(), seen):
        if kind not in kinds:
            complaints.append(f"probe {probe}: the kernel says {kind!r}, not {' or '.join(kinds)!r}")
    return complaints + check_frames(output) + check_invariants(output)


def check_selftest(cpus: int, has_pcid: bool = False) -> Check:
    """The words `selftest` and `check` of the kernel's command line did what they ask for."""
    wanted = SELFTESTS + (SELFTESTS_OF_PCIDS if has_pcid else []) + (SELFTESTS_OF_MANY_CPUS if cpus > 1 else [])

    def verify(output: str) -> list[str]:
        complaints = []
        if (seen := SELFTEST_OK.findall(output)) != wanted:
            complaints.append(f"self-tests {seen} passed, not {wanted}")
        if "capos: selftest: passed, " not in output:
            complaints.append("no line \"selftest: passed\"")
        if (paging := PAGING.search(output)) is None or int(paging[1]) == 0:
            complaints.append("no line \"paging: self-check of N entries passed\"")
        return complaints

    return verify
