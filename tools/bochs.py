#!/usr/bin/env python3
"""Boot capOS's ISO on Bochs, which checks protection as the hardware does, and turn what happens into an exit status.

0   the guest ended the machine, and did not panic
1   it panicked, it did not end in time, or Bochs gave up
The guest's serial port is standard output; --input types into it. Bochs wants a terminal for its screen and one for the
serial port: it gets pseudo-terminals. Its exit status is worth nothing and it knows no code of the guest's, so what the
kernel says last decides.
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

from qemu import READY, Result, Step, explain_with

TAIL_LINES = 40
SCREEN_ROWS, SCREEN_COLUMNS = 50, 120  # a smaller one stops Bochs before it begins
SCREEN_TERMINAL = "linux"
FIFO_BYTES = 8  # that Bochs is given ahead of the guest's echo: it drops what the UART's 16 bytes do not hold
GUEST_ENDED = "Shutdown port: shutdown requested"
BIOS, VGA_BIOS = "/usr/share/bochs/BIOS-bochs-latest", "/usr/share/bochs/VGABIOS-lgpl-latest"
PANIC = re.compile(r"^capos: PANIC: .*", re.M)
BROKEN = re.compile(r"^.*>>PANIC<<.*", re.M)  # in Bochs's own log

CONFIGURATION = """\
config_interface: textconfig
display_library: term
romimage: file={bios}
vgaromimage: file={vga_bios}
cpu: model={model}, count={cpus}, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0
memory: guest={megabytes}, host={megabytes}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=term, dev={serial}
log: {log}
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
"""


@dataclass
class BochsMachine:
    """One guest: what it is made of and how long it may run."""

    iso: Path
    model: str = "tigerlake"
    cpus: int = 2
    megabytes: int = 256
    timeout: float = 0  # seconds; 0: none
    log: Path | None = None  # copy of the serial output

    def __str__(self) -> str:
        return f"bochs {self.model} smp {self.cpus} ram {self.megabytes}M"


def raw_terminal() -> tuple[int, str]:
    """A pseudo-terminal whose far end Bochs may open: ours, and the name of its end."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", SCREEN_ROWS, SCREEN_COLUMNS, 0, 0))
    name = os.ttyname(theirs)
    return ours, theirs, name
