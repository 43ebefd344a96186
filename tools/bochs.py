#!/usr/bin/env python3
"""Boot capOS's ISO on Bochs, which checks protection as the hardware does, and turn what happens into an exit status.

0   the guest halted with code 0
1.. the guest halted with that code; 1 also for a panic, a timeout, and a guest that stopped without a word
The guest's serial port is standard output. Bochs has no way to hand out an exit code: the kernel says it last.
"""
import argparse
import fcntl
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import tty
from dataclasses import dataclass
from pathlib import Path

from qemu import READY, TAIL_LINES, Result, Step, explain, number

MODEL = "tigerlake"  # has PCID, INVPCID, UMIP, SMEP, SMAP, TSC-deadline, x2APIC
SCREEN_ROWS, SCREEN_COLUMNS = 50, 120  # with fewer Bochs does not begin
CHUNK = 8  # bytes typed before their echo is waited for: what the UART's 16 do not hold is lost
BIOS, VGA_BIOS = "/usr/share/bochs/BIOS-bochs-latest", "/usr/share/bochs/VGABIOS-lgpl-latest"
DEBUGGER = "continue\n"  # Debian's Bochs has one, and starts in it
ENDED_BY_GUEST = "Shutdown port: shutdown requested"
PANIC = re.compile(r"^capos: PANIC: ", re.M)
CODE = re.compile(r"^capos: (?:process \d+ \S+ ended: exit (-?\d+);|halted by process \d+ \S+ with code (\d+)$)", re.M)
GAVE_UP = re.compile(r">>PANIC<< (.*)")
LEFT_UNREAD = 0.2  # seconds: the serial port's last bytes come after Bochs has ended

# instructions a second of guest time: with fewer than the host can do, time in the guest is short and waits cost little
CONFIGURATION = """\
config_interface: textconfig
display_library: term
romimage: file={bios}
vgaromimage: file={vga_bios}
cpu: model={model}, count={cpus}, ips=10000000, reset_on_triple_fault=0, ignore_bad_msrs=0
memory: guest={megabytes}, host={megabytes}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=term, dev={serial}
port_e9_hack: enabled=1
speaker: enabled=0
log: {log}
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
"""


@dataclass
class BochsMachine:
    """One guest: what it is made of and how long it may run. `build` and `kernel` are for decoding addresses."""

    iso: Path
    build: Path = Path("build/release")
    kernel: Path | None = None
    model: str = MODEL
    cpus: int = 2
    megabytes: int = 256
    timeout: float = 0  # seconds; 0: none
    log: Path | None = None  # copy of the serial output; Bochs's own goes beside it

    def __str__(self) -> str:
        return f"{self.model} iso bios smp {self.cpus} ram {self.megabytes}M"


class Terminal:
    """A pseudo-terminal without a terminal's ways; both ends stay open, so that the far one may come and go."""

    def __init__(self):
        self.near, self.far = os.openpty()
        tty.setraw(self.far)
        fcntl.ioctl(self.far, termios.TIOCSWINSZ, struct.pack("HHHH", SCREEN_ROWS, SCREEN_COLUMNS, 0, 0))
        self.name = os.ttyname(self.far)

    def close(self) -> None:
        os.close(self.near)
        os.close(self.far)


class Typist:
    """Types each step's input when the guest has said its text, a chunk at a time, as fast as it is echoed."""

    def __init__(self, terminal: Terminal, steps: list[Step]):
        self.terminal, self.steps, self.pending = terminal, list(steps), b""
        self.seen = 0  # bytes of the output that steps have waited for
        self.echoed = 0  # length of the output at which the chunk before has been echoed

    def look(self, output: bytearray) -> None:
        if not self.pending and self.steps and (at := output.find(self.steps[0].after, self.seen)) >= 0:
            step, self.steps = self.steps[0], self.steps[1:]
            self.seen = at + len(step.after)
            self.pending = step.input
        if self.pending and len(output) >= self.echoed:
            chunk, self.pending = self.pending[:CHUNK], self.pending[CHUNK:]
            os.write(self.terminal.near, chunk)
            self.echoed = len(output) + len(chunk)


def lines_at(prompt: bytes, text: str) -> list[Step]:
    """Each line of the text, at a prompt of its own, after the kernel is ready."""
    return [Step(READY, b"")] + [Step(prompt, line) for line in text.encode().splitlines(keepends=True)]


def converse(process: subprocess.Popen, screen: Terminal, serial: Terminal, typist: Typist, deadline: float, sinks) -> tuple:
    """Copy the guest's output to the sinks and the input to the guest: (output, whether the deadline passed)."""
    output = bytearray()
    ended_at = None
    while True:
        now = time.monotonic()
        if ended_at is None and process.poll() is not None:
            ended_at = now
        if deadline and now >= deadline and ended_at is None:
            return bytes(output), True
        readable, _, _ = select.select([screen.near, serial.near], [], [], LEFT_UNREAD)
        if screen.near in readable:
            os.read(screen.near, 65536)
        if serial.near in readable:
            chunk = os.read(serial.near, 65536)
            output += chunk
            for sink in sinks:
                sink.write(chunk)
                sink.flush()
        elif ended_at is not None:
            return bytes(output), False
        if ended_at is None:
            typist.look(output)


def judge(output: str, log: str) -> tuple[int | None, str]:
    """The guest's exit code, or None and the reason why there is none."""
    if PANIC.search(output):
        return None, "kernel panic"
    if ENDED_BY_GUEST not in log:
        gave_up = GAVE_UP.findall(log)
        return None, f"the guest stopped without a word ({gave_up[-1] if gave_up else 'Bochs ended'})"
    codes = [first or second for first, second in CODE.findall(output)]
    if not codes:
        return None, "the guest ended the machine and did not say with what code"
    return int(codes[-1]) & 63, f"the guest halted with code {int(codes[-1]) & 63}"


def command_line(machine: BochsMachine, scratch: Path, serial: Terminal) -> list[str]:
    (scratch / "bochsrc").write_text(
        CONFIGURATION.format(
            bios=BIOS,
            vga_bios=VGA_BIOS,
            model=machine.model,
            cpus=machine.cpus,
            megabytes=machine.megabytes,
            iso=machine.iso.resolve(),
            serial=serial.name,
            log=scratch / "bochs.log",
        )
    )
    (scratch / "commands").write_text(DEBUGGER)
    # the guest ends with whoever started it, however that ends
    args = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    return args + ["bochs", "-q", "-f", str(scratch / "bochsrc"), "-rc", str(scratch / "commands")]


def run(machine: BochsMachine, steps: list[Step] = (), sinks: tuple = ()) -> Result:
    """Run with the input given step by step; each sink gets the output as it comes."""
    screen, serial = Terminal(), Terminal()
    with tempfile.TemporaryDirectory(prefix="capos-") as name:
        scratch = Path(name)
        args = command_line(machine, scratch, serial)
        started = time.monotonic()
        deadline = started + machine.timeout if machine.timeout else 0
        environment = dict(os.environ, TERM="linux")
        far = {"stdin": screen.far, "stdout": screen.far, "stderr": screen.far}
        process = subprocess.Popen(args, cwd=scratch, env=environment, start_new_session=True, **far)
        try:
            output, late = converse(process, screen, serial, Typist(serial, steps), deadline, sinks)
        finally:
            process.kill()  # of no effect on one that has ended
            process.wait()
            screen.close()
            serial.close()
        log = (scratch / "bochs.log").read_text(errors="replace") if (scratch / "bochs.log").exists() else ""
    if machine.log:
        machine.log.parent.mkdir(parents=True, exist_ok=True)
        machine.log.write_bytes(output)
        machine.log.with_suffix(".bochs").write_text(log)
    text = output.decode(errors="replace").replace("\r", "")
    seconds = time.monotonic() - started
    if late:
        last = text.strip().splitlines()[-1:] or ["nothing"]
        return Result(None, f"no end after {machine.timeout:g} s; the last line was: {last[0]}", text, seconds)
    code, why = judge(text, log)
    return Result(code, why, text, seconds)


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iso", type=Path, default=Path("build/release/capos.iso"))
    parser.add_argument("--build", type=Path, default=Path("build/release"), help="where kernel.elf is")
    parser.add_argument("--model", default=MODEL, help="a CPU of `bochs --help cpu`")
    parser.add_argument("--smp", type=number(int, 1), default=2)
    parser.add_argument("--megabytes", type=number(int, 16), default=256)
    parser.add_argument("--timeout", type=number(float, 0), default=0, help="seconds; 0 for none")
    parser.add_argument("--log", type=Path, help="copy of the serial output")
    parser.add_argument("--input", default="", help="lines to type, each at a prompt (\\n is a new line)")
    parser.add_argument("--quiet", action="store_true", help="show output only if the run fails")
    options = parser.parse_args()
    machine = BochsMachine(
        options.iso, options.build, None, options.model, options.smp, options.megabytes, options.timeout, options.log
    )
    steps = lines_at(b"capos> ", options.input.replace("\\n", "\n"))
    result = run(machine, steps, () if options.quiet else (sys.stdout.buffer,))
    if result.status != 0:
        if options.quiet:
            print("\n".join(result.output.splitlines()[-TAIL_LINES:]), file=sys.stderr)
        for line in explain(machine, result.output):
            print(line, file=sys.stderr)
        print(f"bochs: {machine}: {result.why}", file=sys.stderr)
    return result.status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
