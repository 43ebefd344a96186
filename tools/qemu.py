#!/usr/bin/env python3
"""Boot capOS in QEMU and turn what happens into an exit status.

0   the guest halted with code 0
1.. the guest halted with that code; 1 also for a panic, a timeout, and a guest that stopped without a word
The guest's serial port is the terminal. Extra QEMU arguments follow "--".
"""
import argparse
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path

HALT_BASE = 16  # outb(0xf4, 16 + code); QEMU's exit status is then (value << 1) | 1
PANIC_STATUS = 31
REFUSED_STATUS = 29  # boot/shim could not load the kernel
READY = b"capos: "  # the kernel has its UART set up once it prints; what comes earlier could be lost
OVMF = ("/usr/share/ovmf/OVMF.fd", "/usr/share/OVMF/OVMF_CODE.fd")
OF_CODE = ("  ", "capos: PANIC: ", "capos: limits: ")  # lines that name addresses of the kernel's code
ADDRESS = re.compile(r"\b(?:rip|at) 0x([0-9a-f]+)")
FAULT = re.compile(r"capos: fault: process \d+ (\S+): ")
TRIPLE_FAULT = "Triple fault"
TAIL_LINES = 40
# Runs of the build that this folder lies in leave behind there which code they executed (tools/coverage.py).
COVERAGE = Path(os.environ["CAPOS_COVERAGE"]) if "CAPOS_COVERAGE" in os.environ else None


@dataclass
class Machine:
    """One guest: what it is made of and how long it may run."""

    machine: str = "q35"
    smp: int = 1
    memory: str = "128M"
    build: Path = Path("build/release")
    kernel: Path | None = None
    package: Path | None = None
    append: str = ""
    iso: Path | None = None
    uefi: bool = False
    kvm: bool = False
    icount: bool = False
    gdb: str = ""  # where gdb may come in, as QEMU's -gdb has it; the guest then waits for it
    timeout: float = 0  # seconds; 0: none
    log: Path | None = None
    extra: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        door = f"iso {'uefi' if self.uefi else 'bios'}" if self.iso else "pvh"
        return f"{self.machine} {door} smp {self.smp} ram {self.memory}"


@dataclass
class Result:
    """How a run ended. `code` is the guest's own exit code if it halted, else None and `why` says what happened."""

    code: int | None
    why: str
    output: str
    seconds: float

    @property
    def status(self) -> int:
        return 1 if self.code is None else self.code


def has_hardware_virtualisation() -> bool:
    """A /dev/kvm may be there without it, and is then worse than useless: the CPU flags decide."""
    flags = Path("/proc/cpuinfo").read_text().split()
    return ("svm" in flags or "vmx" in flags) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def command_line(machine: Machine, events: str) -> list[str]:
    """QEMU's arguments, all but the serial port's. `events` gets QEMU's own log, where a triple fault shows."""
    kvm = machine.kvm and has_hardware_virtualisation()
    options = {"microvm": ",acpi=on,auto-kernel-cmdline=off"}.get(machine.machine, "")
    cpu = "host" if kvm else "max,-erms,-fsrm" if machine.icount else "max"
    # the guest ends with whoever started it, however that ends
    args = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    args += ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
    args += ["-M", f"{machine.machine}{options},memory-backend=ram", "-cpu", cpu]
    # reserve=off: a guest of 8 GiB needs no 8 GiB of swap promised to it
    args += ["-object", f"memory-backend-ram,id=ram,size={machine.memory},reserve=off", "-m", machine.memory]
    args += ["-accel", "kvm" if kvm else "tcg", "-smp", str(machine.smp)]
    args += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-d", "cpu_reset", "-D", events]
    if machine.icount:
        args += ["-icount", "shift=0,sleep=off"]
    kernel = machine.kernel or machine.build / "kernel.elf"
    if COVERAGE and (COVERAGE / kernel.parent.name).is_dir():
        with tempfile.NamedTemporaryFile(dir=COVERAGE / kernel.parent.name, suffix=".blocks", delete=False) as blocks:
            args += ["-plugin", f"{COVERAGE / 'executed_blocks.so'},out={blocks.name}"]
    if machine.gdb:
        args += ["-gdb", machine.gdb, "-S"]
    if machine.iso:
        args += ["-cdrom", str(machine.iso), "-boot", "d"]
        if machine.uefi:
            args += ["-bios", next((path for path in OVMF if Path(path).exists()), OVMF[0])]
    else:
        args += ["-kernel", str(kernel)]
        args += ["-initrd", str(machine.package or machine.build / "boot.cpio")]
        if machine.append:
            args += ["-append", machine.append]
    return args + machine.extra


def judge(status: int, output: str, events: str) -> tuple[int | None, str]:
    """The guest's exit code, or None and the reason why there is none."""
    if status == PANIC_STATUS:
        return None, "kernel panic"
    if status == REFUSED_STATUS:
        return None, "the loader refused"
    if status == 0:
        cause = "triple fault" if TRIPLE_FAULT in Path(events).read_text(errors="replace") else "reset or power-off"
        return None, f"the guest stopped without a word ({cause})"
    if status > 0 and status % 2 == 1 and (status >> 1) >= HALT_BASE:
        code = (status >> 1) - HALT_BASE
        return code, f"the guest halted with code {code}"
    last = output.strip().splitlines()[-1:] or ["no output at all"]
    return None, f"QEMU ended with status {status}: {last[0]}"


def run_on_terminal(machine: Machine) -> Result:
    """The user's terminal is the guest's console; Ctrl-A X leaves, Ctrl-A C is QEMU's monitor."""
    with tempfile.TemporaryDirectory(prefix="capos-") as scratch:
        events = f"{scratch}/events"
        log = machine.log or Path(scratch, "console")
        console = f"stdio,id=console,mux=on,signal=off,logfile={log}"
        args = command_line(machine, events)
        args += ["-chardev", console, "-serial", "chardev:console", "-mon", "chardev=console"]
        saved = termios.tcgetattr(sys.stdin)
        started = time.monotonic()
        try:
            status = subprocess.call(args, timeout=machine.timeout or None)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
        output = log.read_text(errors="replace")
        seconds = time.monotonic() - started
        if status is None:
            return Result(None, f"no end after {machine.timeout:g} s", output, seconds)
        code, why = judge(status, output, events)
        if status == 0 and TRIPLE_FAULT not in why:
            code = 0  # the user left
        return Result(code, why, output, seconds)


@dataclass
class Step:
    """Part of an input that is given only when the guest has said the text, after what it had to say for earlier ones,
    and so many seconds later."""

    after: bytes
    input: bytes
    seconds: float = 0


class Feeder:
    """Gives the guest its input once it is ready, as fast as the pipe takes it; QEMU paces it to the UART."""

    def __init__(self, pipe, source: list[Step] | bytes | int | None):
        self.pipe = pipe
        self.steps = source if isinstance(source, list) else [Step(READY, source if isinstance(source, bytes) else b"")]
        self.source = source if isinstance(source, int) else None
        self.pending = b""
        self.seen = 0  # bytes of the output that steps have waited for
        self.resumes_at = 0.0  # until then nothing is looked for
        os.set_blocking(pipe.fileno(), False)

    def look(self, output: bytearray) -> None:
        """See how far the guest has come."""
        while self.pause() == 0 and self.steps and (at := output.find(self.steps[0].after, self.seen)) >= 0:
            step, self.steps = self.steps[0], self.steps[1:]
            self.seen = at + len(step.after)
            if step.seconds:
                self.resumes_at = time.monotonic() + step.seconds
                self.steps.insert(0, Step(b"", step.input))
            else:
                self.pending += step.input

    def pause(self) -> float:
        """Seconds in which there is nothing to give."""
        return max(0.0, self.resumes_at - time.monotonic())

    def inputs(self) -> list[int]:
        return [self.source] if not self.steps and self.source is not None and not self.pending else []

    def outputs(self) -> list[int]:
        return [self.pipe.fileno()] if self.pending else []

    def read(self) -> None:
        self.pending = os.read(self.source, 4096)
        if not self.pending:
            self.source = None

    def write(self) -> None:
        try:
            self.pending = self.pending[os.write(self.pipe.fileno(), self.pending[:512]) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.pending, self.source, self.steps = b"", None, []


def converse(process: subprocess.Popen, feeder: Feeder, deadline: float | None, sinks: list) -> tuple[bytes, bool]:
    """Copy the guest's output to the sinks and the input to the guest: (output, whether the deadline passed)."""
    output = bytearray()
    while True:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return bytes(output), True
        if pause := feeder.pause():
            left = pause if left is None else min(left, pause)
        readable, writable, _ = select.select([process.stdout] + feeder.inputs(), feeder.outputs(), [], left)
        if process.stdout in readable:
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                return bytes(output), False
            output += chunk
            for sink in sinks:
                sink.write(chunk)
                sink.flush()
        feeder.look(output)
        if feeder.source in readable:
            feeder.read()
        if writable:
            feeder.write()


def run(machine: Machine, source: list[Step] | bytes | int | None = None, sinks: tuple = ()) -> Result:
    """Run with the input given as bytes, or step by step, or read from a file descriptor; each sink gets the output as
    it comes."""
    with tempfile.TemporaryDirectory(prefix="capos-") as scratch:
        events = f"{scratch}/events"
        args = command_line(machine, events)
        args += ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
        started = time.monotonic()
        deadline = started + machine.timeout if machine.timeout else None
        all_sinks = list(sinks)
        if machine.log:
            machine.log.parent.mkdir(parents=True, exist_ok=True)
            all_sinks.append(open(machine.log, "wb"))
        process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            output, late = converse(process, Feeder(process.stdin, source), deadline, all_sinks)
        finally:
            process.kill()  # of no effect on one that has ended
            status = process.wait()
            if machine.log:
                all_sinks[-1].close()
        text = output.decode(errors="replace").replace("\r", "")
        seconds = time.monotonic() - started
        if late:
            last = text.strip().splitlines()[-1:] or ["nothing"]
            return Result(None, f"no end after {machine.timeout:g} s; the last line was: {last[0]}", text, seconds)
        code, why = judge(status, text, events)
        return Result(code, why, text, seconds)


def decode(elf: Path, address: int) -> str:
    """function at file:line, inlined callers included; empty if the ELF does not know the address."""
    if not elf.is_file() or not shutil.which("addr2line"):
        return ""
    args = ["addr2line", "-f", "-i", "-p", "-s", "-e", str(elf), hex(address)]
    text = subprocess.run(args, capture_output=True, text=True).stdout.strip()
    return "" if text.startswith("??") else re.sub(r" \(discriminator \d+\)", "", text.replace("\n", " "))


def explain(machine: Machine, output: str) -> list[str]:
    """Each code address of a panic or fault, decoded. Backtrace lines hold return addresses: the call is one before."""
    kernel = machine.kernel or machine.build / "kernel.elf"
    program = None
    lines = []
    for line in output.splitlines():
        if fault := FAULT.search(line):
            program = machine.build / "user" / fault[1]
        if not (fault or line.startswith(OF_CODE)):
            continue
        for match in ADDRESS.finditer(line):
            address = int(match[1], 16)
            is_return = match[0].startswith("at") and not fault
            elf = kernel if address >> 63 else program
            if fault and match[0].startswith("at"):
                continue  # the address that was touched, not code
            if elf and (text := decode(elf, address - is_return)):
                lines.append(f"  0x{address:x}  {text}")
    return list(dict.fromkeys(lines))


def report_failure(machine: Machine, result: Result, show_tail: bool) -> None:
    """Everything that a reader of a failed run needs, to standard error."""
    if show_tail:
        print("\n".join(result.output.splitlines()[-TAIL_LINES:]), file=sys.stderr)
    for line in explain(machine, result.output):
        print(line, file=sys.stderr)
    print(f"qemu: {machine}: {result.why}", file=sys.stderr)


def number(kind: type, least: int):
    """For argparse: a number that is not below the least."""

    def parse(text: str) -> int | float:
        value = kind(text)
        if not value >= least:
            raise argparse.ArgumentTypeError(f"{text} is below {least}")
        return value

    parse.__name__ = "number"  # argparse: "invalid number value"
    return parse


def parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    own, extra = sys.argv[1:], []
    if "--" in own:
        at = own.index("--")
        own, extra = own[:at], own[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build/release"), help="where kernel.elf and boot.cpio are")
    parser.add_argument("--machine", choices=("q35", "pc", "microvm"), default="q35")
    parser.add_argument("--smp", type=number(int, 1), default=1)
    parser.add_argument("--memory", default="128M")
    parser.add_argument("--kernel", type=Path)
    parser.add_argument("--package", type=Path)
    parser.add_argument("--append", default="", help="the kernel's command line")
    parser.add_argument("--iso", type=Path, help="boot this instead of the kernel")
    parser.add_argument("--uefi", action="store_true", help="with --iso: UEFI firmware instead of BIOS")
    parser.add_argument("--timeout", type=number(float, 0), default=0, help="seconds; 0 for none")
    parser.add_argument("--log", type=Path, help="copy of the serial output")
    parser.add_argument("--icount", action="store_true", help="the time-stamp counter counts instructions, exactly")
    parser.add_argument("--input", help="text to type (\\n is a new line), or @FILE")
    parser.add_argument("--gdb", nargs="?", const="tcp:localhost:1234", default="", help="wait for gdb, on port 1234")
    parser.add_argument("--kvm", action="store_true", help="hardware virtualisation, if the CPU has it")
    parser.add_argument("--quiet", action="store_true", help="show output only if the run fails")
    options = parser.parse_args(own)
    if options.uefi and not options.iso:
        parser.error("--uefi goes with --iso")
    if options.input and options.input.startswith("@"):
        try:
            options.input = Path(options.input[1:]).read_bytes()
        except OSError as error:
            parser.error(f"--input: {error}")
    elif options.input is not None:
        options.input = options.input.replace("\\n", "\n").encode()
    return options, extra


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options, extra = parse_arguments()
    values = {key: value for key, value in vars(options).items() if key not in ("input", "quiet")}
    machine = Machine(**values, extra=extra)
    sinks = () if options.quiet else (sys.stdout.buffer,)
    if options.input is None and not options.quiet and sys.stdin.isatty():
        result = run_on_terminal(machine)
    else:
        result = run(machine, sys.stdin.fileno() if options.input is None else options.input, sinks)
    if result.status != 0:
        report_failure(machine, result, options.quiet)
    return result.status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
