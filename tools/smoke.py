#!/usr/bin/env python3
"""Boot the system under QEMU and hold what it says against what must be so.

smoke.py shell    a session of the shell on machines that differ in board, CPUs and RAM; jobs, ^C, explicit grants and a
                  shell in a shell on one CPU and on four; what is typed, by interrupt and polled; every fault and the self-tests, by the debug and clang builds
                  too; `make run` with its input from a pipe; what a boot to the prompt takes
smoke.py vm       the self-checking programs of user/demos, by the debug and clang builds too
smoke.py mutant   the self-tests, which must fail on a kernel without TLB shootdowns and pass on the sound one; and a
                  kernel whose stacks overflow, which must say so; a debug kernel that misbehaves (tools/debug_kernel.py)
smoke.py iso      the ISO through BIOS and UEFI, boot/shim without an ISO, and what `make iso LIMINE=DIR` makes
CAPOS_BUILD is the build directory. Last line: "run-NAME: N passed, N failed". Logs: build/logs.
"""
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import debug_kernel
import limine_iso
import transcript
from qemu import READY, Machine, Step, explain, run
from suite import HALTED, LOGS, Case, finish, run_cases

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
BUILDS = (BUILD, Path("build/debug"), Path("build/release-clang"))
MUTANT = Path("build/release-no-shootdown/kernel.elf")
MUTANT_PANIC = "selftest: FAILED an unmapped page is unreachable on the other CPU"
OVERFLOW_PANIC = re.compile(r"PANIC: kernel stack overflow: double fault .*, cr2 0x([0-9a-f]+)")
OVERFLOWING = "use_up_stack at selftest.c:"
THREAD_STACKS, CPU_STACKS, IMAGE = 0xFFFFD000_00000000, 0xFFFFD000_05000000, 0xFFFFFFFF_80000000
STACKS = {"boot": (IMAGE, 1 << 64), "cpu": (CPU_STACKS, IMAGE), "thread": (THREAD_STACKS, CPU_STACKS)}
TIMEOUT = float(os.environ.get("CAPOS_TIMEOUT", "180"))
BOOT_SECONDS, BOOTS = 1.0, ((1, "128M"), (4, "128M"), (1, "8G"))  # try_boot_time
AT_ONCE = max(1, min(4, (os.cpu_count() or 1)))

MOST_CPUS, MORE_CPUS = 64, (2, 8)
BOARDS, CPUS, MEMORY = ("q35", "pc", "microvm"), (1, 4), ("16M", "128M", "8G")
# Programs that other cases run, in their own way.
NOT_SELF_CHECKING = (
    "wordcount",
    "fault-probe",
    "bench",
    "endless",
    "nothing",
    "kv",
    "hostile",
    "protection",
    "stress",
    "address-print",
    "address-print-pie",
    "shortage",
    "ring-fuzz",
)
# Programs that are started by another one, with what it gives them.
STARTED_BY_OTHERS = (
    "memoryobject-shared-child",
    "ipc-zerocopy-consumer",
    "kv-service",
    "kv-client",
    "spawn-contract-pie",
)
END = "check\nhalt\n"
EXIT = "check\nexit\n"
CONTROL_C = "\x03"
WAIT, PAUSE = "WAIT:", "PAUSE:"  # steps_of
SESSION = f"mem\nrun wordcount\nrun {' '.join(transcript.ARGUMENTS)}\nrun elf-smoke\nmem\n"
COMMANDS = f"""help
ls
ps
maps
layout
caps
ledger
ring
mem
tree
threads
top 1
time check
echo a b
history
run elf-smoke
spawn nothing
jobs
wait
spawn endless
kill 4
alloc buf 4
endpoint door
client ring-bell door
drop ring-bell
drop door
drop buf
run shell
exit
{END}"""
# A layout of each kind, and what is refused; endless stays to be looked at.
LAYOUTS = f"""run nothing with layout tall
run nothing with layout_fixed, layout_seed 1
run nothing with layout classic, stack_limit 100000G
run elf-smoke with layout classic, layout_fixed
run elf-smoke-pie with layout flexible, layout_seed 7, layout_heap_offset, stack_limit 64M
spawn endless with layout classic, layout_fixed
spawn endless with layout classic-random, layout_seed 7, stack_limit 64K
spawn endless with layout_fixed
layout 4
layout 5
layout 6
{EXIT}"""
LAYOUTS_LINES = r"""
run: with: classic, classic-random or flexible expected at `tall`
run: with: a layout is said twice at `1`
nothing could not be started: layout stack too large
elf-smoke \(process 2\) ended with code 0; \d+ frames free, as before
elf-smoke-pie \(process 3\) ended with code 0; \d+ frames free, as before
amd64, classic: mmap_base 0x2aaaaaaab000, mappings go up
0x7fffff7ff000 - 0x7ffffffff000      8 MiB  Stack           grows down
0x2aaaaaaab000 - 0x7fffff6ff000 .* MMAP            grows up
0x0000004\w{5} - 0x2aaaaaaab000 .* Heap            grows up
0x000000400000 - 0x0000004\w{5} .* Text, data, bss *
amd64, classic-random: mmap_base 0x\w{12}, mappings go up
0x\w{12} - 0x\w{12}     64 KiB  Stack           grows down
amd64, flexible: mmap_base 0x7ffff7fff000, mappings go down
0x7ffff7fff000 - 0x7fffff6ff000 .* Gap *
0x0000004\w{5} - 0x7ffff7fff000 .* MMAP, Heap      mappings grow down, heap grows up
"""
# Much more at once than the UART holds, and in all than the kernel keeps; some lines longer than the screen is wide.
PASTED = [f"{line}:{'0123456789' * (22 if line % 50 == 0 else 6)}" for line in range(150)]
PASTE = "".join(f"echo {line}\n" for line in PASTED)
# Two seconds at the prompt, in which nothing is to be done.
IDLE = f"mem\n{WAIT}switches\n{PAUSE}2\nmem\n{EXIT}"
IDLE_EVENTS = 60  # for typing and saying the second `mem`; who looks each millisecond has some 2000
# backspace; the line before; ^U and tab
KEYS = "chekc\x7f\x7fck\n\x1b[A\nnothing\x15hal\t\n"
# Process 1 is the shell itself; each spawn takes the next number.
JOBS = f"""run endless with console
{WAIT}endless: begun
{CONTROL_C}run endless spin with console
{WAIT}endless: begun
lost
{CONTROL_C}spawn endless
run endless spin &
jobs
top 2
wait 5
{WAIT}> wait 5
{CONTROL_C}kill 4
kill 5
spawn wordcount
wait
jobs
kill 4
top
{WAIT}up
qabandoned{CONTROL_C}check
exit 5
"""
JOBS_LINES = r"""
\^C
endless \(process 2\) was killed; \d+ frames free, as before
\^C
endless \(process 3\) was killed; \d+ frames free, as before
endless runs as process 4
endless runs as process 5
 +4 endless +runs, 1 threads, \d+\.\d+ s
 +5 endless +runs, 1 threads, \d+\.\d+ s
2 jobs
up \d+\.\d s, CPUs( \d+\.\d%){{{cpus}}}
 +5 +\d\d+\.\d endless .*
up \d+\.\d s, CPUs( \d+\.\d%){{{cpus}}}
 +5 +\d\d+\.\d endless .*
\^C
endless \(process 5\) goes on
endless \(process 4\) was killed
endless \(process 5\) was killed
wordcount runs as process 6
wordcount \(process 6\) ended with code 0
0 jobs
kill: process 4 is no job of this shell; `jobs` lists these
.*up \d+\.\d s, CPUs( \d+\.\d%){{{cpus}}}.*
.*capos> abandoned\^C
check: \d+ invariants, 0 broken
"""
# A shell that ends leaves its jobs; they end with init.
LEAVE = "spawn endless\nspawn endless spin\nrun shell\nspawn endless spin\ntree\nexit 3\ntree\nkill 5\nexit 7\n"
LEAVE_LINES = r"""
1 shell: .*
  4 shell: .*
    5 endless: .*
  3 endless: .*
  2 endless: .*
shell \(process 4\) ended with code 3; other jobs run
1 shell: .*
  5 endless: .*
  3 endless: .*
  2 endless: .*
kill: process 5 is no job of this shell; `jobs` lists these
"""
GRANTS = f"""alloc buf 4
endpoint door
client bell door 7
run nothing with console @timer
run nothing with nobody
run nothing with console move
run nothing with memory
run nothing with memory own, memory
run nothing with frames own
run nothing with timer read-only
run nothing with timer @clock
run nothing with timer copy move
run nothing with : timer
run nothing with timer timer
run nothing with buf read-only
drop buf
alloc buf 4
run shell with shared: buf read-only @memory, bell move, timer, alarm: timer
caps
tree
halt
drop timer
run nothing with shared
run nothing with pages: shared move
exit 3
client bell door 8
tree
drop buf
drop bell
drop bell
run nothing with spare: buf
spawn nobody
run nothing
{EXIT}"""
GRANTS_LINES = r"""
nothing: console is a Console, not a Timer
nothing: the shell has no capability named nobody; `caps` lists what it has
nothing: the shell does not part with the console; copy it
nothing could not be started: not transferable
run: with: two grants of one name at the end
nothing: own is for memory, threads and park, not frames
nothing: timer is a Timer; only a MemoryObject can be read-only
run: with: no kind of that name at `@clock`
run: with: one of copy, move and own is enough at `move`
run: with: a name is missing at `:`
run: with: copy, move, own, read-only or @KIND expected at `timer`
nothing \(process \d+\) ended with code 42; \d+ frames free, as before
 +\d+ 0x[0-9a-f]{8} MemoryObject +copy +0 +4 +\d+ +2 +1 read-only shared
 +\d+ 0x[0-9a-f]{8} EndpointClient +copy +7 +0 +\d+ +2 +1 bell
 +\d+ 0x[0-9a-f]{8} Timer +copy .* timer
 +\d+ 0x[0-9a-f]{8} Timer +copy .* alarm
MemoryObject#\d+, 16 KiB, 2 holds: shell\(1\), shell\(\d+\) from 1 read-only
Endpoint#\d+, 2 holds: shell\(1\), shell\(\d+\) from 1 client badge 7
halt: the shell was not given the capability "system"
drop: no timer was made by this shell; `caps` lists what it has
nothing \(process \d+\) ended with code 42; \d+ frames free, as before
nothing \(process \d+\) ended with code 42; what was moved to it is gone
shell \(process \d+\) ended with code 3; what was moved to it is gone
MemoryObject#\d+, 16 KiB, 1 holds: shell\(1\)
Endpoint#\d+, 2 holds: shell\(1\), shell\(1\) client badge 8
drop: no bell was made by this shell; `caps` lists what it has
nothing: the shell has no capability named buf; `caps` lists what it has
run: no program nobody; `ls` lists what there is
nothing \(process \d+\) ended with code 42; \d+ frames free, as before
check: \d+ invariants, 0 broken
"""
# Those that no other session runs, and those that miss what they are given by others.
PROGRAMS = f"""run nothing
run kv 200
run bench
alloc buf 4
run memoryobject-shared-child with shared: buf @memory
drop buf
run memoryobject-shared-child
run ipc-zerocopy-consumer
run kv-service
run kv-client
{EXIT}"""
PROGRAMS_LINES = r"""
nothing \(process \d+\) ended with code 42; \d+ frames free, as before
kv: 200 operations, \d+ kills, 0 lost, 0 leaked
kv \(process \d+\) ended with code 0; \d+ frames free, as before
bench: null-single [\d.]+
bench: spawn-run-reap [\d.]+
bench \(process \d+\) ended with code 0; \d+ frames free, as before
child: mapped 4 pages
memoryobject-shared-child \(process \d+\) ended with code 0; \d+ frames free, as before
memoryobject-shared-child \(process \d+\) ended with code 1; \d+ frames free, as before
ipc-zerocopy-consumer \(process \d+\) ended with code 1; \d+ frames free, as before
kv-service \(process \d+\) ended with code 1; \d+ frames free, as before
kv-client \(process \d+\) ended with code 1; \d+ frames free, as before
check: \d+ invariants, 0 broken
"""
FAULTS = "run fault-probe\n" + "".join(
    f"run fault-probe {probe}\n" for probe in [*transcript.PROBES, transcript.REFUSED_PROBE]
)


def steps_of(text: str) -> list[Step]:
    """A line that begins with WAIT stands for no key: what follows is typed when the guest has said the rest of it; so
    does one with PAUSE, directly behind it: so many seconds later."""
    steps = [Step(READY, b"")]
    for line in text.encode().splitlines(keepends=True):
        if line.startswith(WAIT.encode()):
            steps.append(Step(line.strip().removeprefix(WAIT.encode()), b""))
        elif line.startswith(PAUSE.encode()):
            steps[-1].seconds = float(line.strip().removeprefix(PAUSE.encode()))
        else:
            steps[-1].input += line
    return steps


def case_of(
    name: str, machine: Machine, typed: str, checks: list[transcript.Check], end: str = HALTED, patience: int = 1
) -> Case:
    """One run that may take `patience` times TIMEOUT; where something is typed, each CPU must have come up."""
    all_checks = checks + ([transcript.check_cpus(machine.smp)] if typed else [])
    return Case(name, replace(machine, timeout=TIMEOUT * patience), all_checks, steps_of(typed), end)


# CPUs, and what the kernel says that they lack of all that it would use. None that QEMU emulates has PCID or RDSEED.
LACKS = {
    "max": "pcid rdseed",
    "max,-smep": "smep pcid rdseed",
    "max,-smap,-rdrand": "smap pcid rdrand rdseed",
    "max,-umip,-pge": "umip pge pcid rdseed",
    "max,-fsgsbase,-xsave": "fsgsbase pcid xsave rdseed",
    "qemu64,-pge": "smep smap umip pge fsgsbase pcid xsave rdrand rdseed",
}


def lacking_cpu_cases() -> list[Case]:
    """One line says what the CPU has not, and the program runs without it."""
    return [
        case_of(
            f"CPU {cpu}",
            Machine(build=BUILD, append="init=elf-smoke once", extra=["-cpu", cpu]),
            "",
            [transcript.check_lines(f"capos: cpu lacks: {lacks}"), transcript.check_init("exit 0")],
        )
        for cpu, lacks in LACKS.items()
    ]


def old_cpu_cases() -> list[Case]:
    """CPUs without what the kernel can do without, and without what it can't."""
    old = Machine(smp=2, build=BUILD, append="selftest check", extra=["-cpu", "qemu64,-fsgsbase,-pge"])
    without_nx = Machine(build=BUILD, extra=["-cpu", "qemu64,-nx"])
    warnings = [transcript.check_says(f"WARNING: this CPU has no {name}:") for name in ("SMEP", "SMAP")]
    checks = [transcript.check_selftest(2), transcript.check_programs(["elf-smoke"]), *warnings]
    no_nx = "PANIC: this CPU cannot keep data from being executed (no NX)"
    return [
        case_of("old CPU", old, f"run elf-smoke\n{END}", checks),
        case_of("CPU without NX", without_nx, "", [transcript.check_says(no_nx)], "kernel panic"),
    ]


def command_line_cases() -> list[Case]:
    """Words that the kernel cannot use: said, and then it boots or it does not."""
    halted = "the guest halted with code 1"
    lines = {
        "init=+": ("capos: cannot boot: init has no name", halted),
        "init=nobody": ("capos: cannot start nobody: not found", halted),
        "init=manifest": ("capos: cannot start manifest: elf bad magic", halted),
        f"once init={'a' * 64} init=elf-smoke": ("capos: command line: unknown or too long", Case.end),
        "overflow=everything once init=elf-smoke": ("capos: command line: unknown or too long", Case.end),
        "seed=x once init=elf-smoke": ("capos: command line: unknown or too long", Case.end),
        "seed=7 once init=elf-smoke": ("capos: entropy: seed=7: nothing is random", Case.end),
        "overflow=none once init=elf-smoke": ("capos: selftest: no stack \"none\"", Case.end),
    }
    return [
        case_of(f"words: {words[:30]}", Machine(build=BUILD, append=words), "", [transcript.check_says(text)], end)
        for words, (text, end) in lines.items()
    ]


def process_cases(cpus: int) -> list[Case]:
    """What the shell does with programs, on so many CPUs; the kernel counts the frames when init has ended."""
    once = Machine("q35", cpus, "128M", BUILD, append="once")
    again = replace(once, append="")
    jobs = [transcript.check_lines(JOBS_LINES.format(cpus=cpus)), transcript.check_init("exit 5")]
    grants = [transcript.check_lines(GRANTS_LINES), transcript.check_init("exit 0")]
    programs = [transcript.check_lines(PROGRAMS_LINES), transcript.check_init("exit 0")]
    leave = [transcript.check_lines(LEAVE_LINES), transcript.check_init("exit 7")]
    restart = [transcript.check_init("exit 4"), transcript.check_programs(["elf-smoke"])]
    code = "the guest halted with code"
    return [
        case_of(f"jobs, smp {cpus}", once, JOBS, jobs, f"{code} 5"),
        case_of(f"grants, smp {cpus}", once, GRANTS, grants),
        case_of(f"programs, smp {cpus}", once, PROGRAMS, programs),
        case_of(f"jobs without a shell, smp {cpus}", once, LEAVE, leave, f"{code} 7"),
        case_of(f"init again, smp {cpus}", again, f"spawn endless\nexit 4\nrun elf-smoke\n{END}", restart),
    ]


def input_cases() -> list[Case]:
    """What is typed reaches the shell, by interrupt and where there is none; and who waits for it wakes nobody."""
    once = Machine(build=BUILD, append="once")
    polled, as_asked = replace(once, append="once console=polled"), transcript.check_says("console: polled, as asked")
    without, none = replace(once, extra=["-machine", "acpi=off"]), transcript.check_says("console: polled, no I/O APIC")
    elsewhere = replace(once, extra=["-global", "isa-serial.irq=5"])
    late = transcript.check_says("console: polled, its interrupt does not arrive")
    idle, busy = transcript.check_idle(1, IDLE_EVENTS), transcript.check_idle(IDLE_EVENTS, 1 << 32)
    paste = transcript.check_lines("\n".join(PASTED))
    jobs = [transcript.check_lines(JOBS_LINES.format(cpus=1)), transcript.check_init("exit 5")]
    cases = [case_of(f"idle, {board}", replace(once, machine=board), IDLE, [idle]) for board in BOARDS]
    cases += [case_of(f"idle, smp {cpus}", replace(once, smp=cpus), IDLE, [idle]) for cpus in (*MORE_CPUS, 4)]
    cases += [case_of(f"paste, smp {cpus}", replace(once, smp=cpus), PASTE + EXIT, [paste]) for cpus in CPUS]
    cases += [case_of(f"paste, {board}", replace(once, machine=board), PASTE + EXIT, [paste]) for board in BOARDS[1:]]
    cases += [case_of(f"no ACPI, {board}", replace(without, machine=board), PASTE + EXIT, [paste, none]) for board in BOARDS[1:]]
    return cases + [
        case_of("interrupt of another number", elsewhere, PASTE + EXIT, [paste, late]),
        case_of("paste, polled", polled, PASTE + EXIT, [paste, as_asked]),
        case_of("idle, polled", polled, IDLE, [busy, as_asked]),
        case_of("jobs, polled", polled, JOBS, [*jobs, as_asked], "the guest halted with code 5"),
    ]


def shell_cases() -> list[Case]:
    machines = [Machine(b, cpus, ram, BUILD, append="once") for b in BOARDS for cpus in CPUS for ram in MEMORY]
    machines += [Machine("q35", cpus, "128M", BUILD, append="once") for cpus in MORE_CPUS]
    machines.append(Machine("q35", MOST_CPUS, "64G", BUILD, append="once"))
    end = transcript.check_init("exit 0")
    cases = [case_of(str(machine), machine, SESSION + EXIT, [transcript.check_session, end]) for machine in machines]
    cases += [case for cpus in CPUS for case in process_cases(cpus)]
    cases.append(case_of("commands", Machine(build=BUILD), COMMANDS, [transcript.check_commands]))
    layouts = [transcript.check_lines(LAYOUTS_LINES), transcript.check_layouts, transcript.check_invariants]
    cases.append(case_of("layouts", Machine(build=BUILD, append="once"), LAYOUTS, layouts))
    cases.append(case_of("keys", Machine(build=BUILD), KEYS, [transcript.check_keys, transcript.check_invariants]))
    cases += input_cases() + lacking_cpu_cases() + old_cpu_cases() + command_line_cases()
    for build in BUILDS:
        for cpus in CPUS:
            machine = Machine("q35", cpus, "128M", build, append="selftest check once")
            checks = [transcript.check_selftest(cpus), transcript.check_faults, end]
            cases.append(case_of(f"faults, {build.name}, smp {cpus}", machine, FAULTS + EXIT, checks))
    return cases


def vm_cases() -> list[Case]:
    """Each self-checking demo alone; all on little memory, and on two CPUs and eight; all twice on four, by each build."""
    names = sorted(path.name for path in (BUILD / "user").iterdir())
    names = [name for name in names if Path("user/demos", name.removesuffix("-pie")).exists()]
    names = [name for name in names if name not in NOT_SELF_CHECKING + STARTED_BY_OTHERS]
    machine = Machine("q35", 1, "128M", BUILD, append="once")

    def case(name: str, where: Machine, what: list[str], patience: int = 1) -> Case:
        typed = "".join(f"run {program}\n" for program in what) + EXIT
        checks = [transcript.check_programs(what), transcript.check_init("exit 0")]
        return case_of(name, where, typed, checks, patience=patience)

    cases = [case(name, machine, [name]) for name in names]
    cases.append(case("all, 16M", replace(machine, memory="16M"), names))
    cases += [case(f"all, smp {cpus}", replace(machine, smp=cpus), names, 5) for cpus in MORE_CPUS]
    for build in BUILDS:
        many = replace(machine, smp=4, build=build)
        cases.append(case(f"all twice, {build.name}", many, names + names, 5))
    return cases


def check_overflow(machine: Machine, first: int, end: int) -> transcript.Check:
    """A panic that names the overflow, of a stack in [first, end), and whose address decodes to the function."""

    def verify(output: str) -> list[str]:
        panic = OVERFLOW_PANIC.search(output)
        if panic is None:
            return ["no panic \"kernel stack overflow\""]
        complaints = [] if first <= int(panic[1], 16) < end else [f"another stack: 0x{panic[1]}"]
        if not any(OVERFLOWING in line for line in explain(machine, output)):
            complaints.append(f"the backtrace, decoded, does not name {OVERFLOWING}")
        return complaints

    return verify


def mutant_cases() -> list[Case]:
    machine = Machine("q35", 2, "128M", BUILD, append="selftest check")
    mutant = replace(machine, kernel=MUTANT)
    cases = [
        case_of("sound kernel", machine, END, [transcript.check_selftest(2), transcript.check_invariants]),
        case_of("no shootdown", mutant, "", [transcript.check_says(MUTANT_PANIC)], "kernel panic"),
    ]
    for build in BUILDS:
        for stack, bounds in STACKS.items():
            overflow = replace(machine, build=build, append=f"overflow={stack}")
            name = f"overflow of the stack \"{stack}\", {build.name}"
            cases.append(case_of(name, overflow, "", [check_overflow(overflow, *bounds)], "kernel panic"))
    return cases + debug_kernel.cases(TIMEOUT)


def iso_cases() -> list[Case]:
    iso = Machine("q35", 2, "256M", BUILD, iso=BUILD / "capos.iso")
    shim = Machine("q35", 2, "256M", BUILD, kernel=BUILD / "shim.elf", package=BUILD / "shim.cpio")
    machines = {
        "iso, BIOS": iso,
        "iso, BIOS, pc": replace(iso, machine="pc", smp=1, memory="64M"),
        "iso, BIOS, many CPUs": replace(iso, smp=MOST_CPUS),
        "iso, UEFI": replace(iso, uefi=True),
        "shim, PVH": shim,
        "shim, PVH, pc": replace(shim, machine="pc", smp=1, memory="16M"),
        "shim, PVH, microvm": replace(shim, machine="microvm", smp=MOST_CPUS),
    }
    return [case_of(name, machine, SESSION + END, [transcript.check_session]) for name, machine in machines.items()]


def try_make_run() -> bool:
    """`make run` as somebody types it, with its input from a pipe: transcript and exit status."""
    mode, _, compiler = BUILD.name.partition("-")
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    make = subprocess.run(
        ["make", "-s", "run", f"MODE={mode}", f"CC={compiler or 'gcc'}"],
        input=(SESSION + END).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        timeout=TIMEOUT,
    )
    output = make.stdout.decode(errors="replace").replace("\r", "")
    complaints = transcript.check_session(output)
    if make.returncode != 0:
        complaints.insert(0, f"exit status {make.returncode}")
    print(f"make run: {'FAILED' if complaints else 'ok'}")
    for complaint in complaints:
        print(f"  {complaint}")
    if complaints:
        print("\n".join(f"  | {line}" for line in output.splitlines()[-40:]))
    return not complaints


def try_limine_iso() -> bool:
    complaints = limine_iso.check()
    print(f"make iso LIMINE=DIR: {'FAILED' if complaints else 'ok'}", flush=True)
    for complaint in complaints:
        print(f"  {complaint}")
    return not complaints


class PromptClock:
    """A sink that notes when the prompt first comes."""

    def __init__(self):
        self.started, self.output, self.seconds = time.monotonic(), b"", None

    def write(self, chunk: bytes) -> None:
        self.output += chunk
        if self.seconds is None and transcript.PROMPT.encode() in self.output:
            self.seconds = time.monotonic() - self.started

    def flush(self) -> None:
        pass


def try_boot_time(cpus: int, memory: str) -> bool:
    """From the start of QEMU to the first prompt and the end that is typed there, firmware included, in time that QEMU
    had a CPU: how busy the host is changes that little, the clock on the wall and the guest's own tenfold."""
    clock = PromptClock()
    machine = Machine("q35", cpus, memory, BUILD, timeout=TIMEOUT)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = run(machine, b"halt\n", (clock,))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    is_well = result.code == 0 and clock.seconds is not None and seconds < BOOT_SECONDS
    prompt = "no prompt" if clock.seconds is None else f"prompt {clock.seconds:.2f} s after the start of QEMU"
    greeting = transcript.GREETING.search(result.output)
    said = f"{seconds:.2f} s of CPU; {prompt}, {greeting[1] if greeting else '?'} ms of it by the guest's clock"
    print(f"boot, {machine}: {'ok' if is_well else 'FAILED'} ({said})", flush=True)
    return is_well


def main() -> int:
    suites = {"shell": shell_cases, "vm": vm_cases, "mutant": mutant_cases, "iso": iso_cases}
    if len(sys.argv) != 2 or sys.argv[1] not in suites:
        sys.exit(__doc__)
    suite = sys.argv[1]
    outcomes = []
    if suite == "shell":
        outcomes += [try_boot_time(*machine) for machine in BOOTS] + [try_make_run()]
    if suite == "iso":
        outcomes.append(try_limine_iso())
    outcomes += run_cases(suite, suites[suite](), AT_ONCE)
    return finish("run-smoke" if suite == "shell" else f"run-{suite}", outcomes)


if __name__ == "__main__":
    sys.exit(main())
