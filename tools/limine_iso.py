#!/usr/bin/env python3
"""`make iso LIMINE=DIR` without a Limine: each part that DIR lacks is named, and stand-ins for them all become an image
with the files where Limine looks for them. That a Limine boots it is not shown here. CAPOS_BUILD is the build directory.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BUILD = Path(os.environ.get("CAPOS_BUILD", "build/release"))
PARTS = ("limine-bios.sys", "limine-bios-cd.bin", "limine-uefi-cd.bin", "BOOTX64.EFI", "limine")
PART_BYTES = 4096  # of a stand-in: two sectors of a CD
WORDS = "selftest once"
WANTED = (
    "/EFI/BOOT/BOOTX64.EFI",
    "/boot/boot.cpio",
    "/boot/kernel.elf",
    "/boot/limine/limine-bios-cd.bin",
    "/boot/limine/limine-bios.sys",
    "/boot/limine/limine-uefi-cd.bin",
    "/boot/limine/limine.conf",
)


def make_iso(limine: Path, image: Path) -> subprocess.CompletedProcess:
    """An image beside the usual one, which stays as it is."""
    mode, _, compiler = BUILD.name.partition("-")
    names = {"LIMINE": limine, "ISO": image, "ISO_TREE": f"{image}.tree", "ISO_CHOICE": f"{image}.choice"}
    return subprocess.run(
        ["make", "-s", "iso", f"MODE={mode}", f"CC={compiler or 'gcc'}", f"ISO_WORDS={WORDS}"]
        + [f"{name}={value}" for name, value in names.items()],
        env={key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def make_parts(limine: Path) -> None:
    limine.mkdir()
    for part in PARTS:
        (limine / part).write_bytes(part.encode().ljust(PART_BYTES, b"\0"))
    (limine / "limine").write_text('#!/bin/sh\n[ "$1" = bios-install ] && [ -s "$2" ] && echo "installed on $2"\n')
    (limine / "limine").chmod(0o755)


def check_refusals(limine: Path, image: Path) -> list[str]:
    complaints = []
    for part in PARTS:
        (limine / part).rename(limine / "elsewhere")
        made = make_iso(limine, image)
        (limine / "elsewhere").rename(limine / part)
        if made.returncode == 0 or f"iso: LIMINE={limine} has no {part}" not in made.stdout.splitlines():
            complaints.append(f"without {part}, `make iso` gives {made.returncode}: {made.stdout}")
        if image.exists():
            complaints.append(f"without {part} there is an image")
    return complaints


def check_image(limine: Path, image: Path) -> list[str]:
    made = make_iso(limine, image)
    if made.returncode != 0 or f"installed on {image}" not in made.stdout.splitlines():
        return [f"with all parts, `make iso` gives {made.returncode}: {made.stdout}"]
    look = ["xorriso", "-indev", str(image), "-report_about", "SORRY", "-find", "/", "-type", "f", "-exec", "echo", "--"]
    found = subprocess.run(look, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    files = tuple(sorted(line.strip("'") for line in found.splitlines() if line.startswith("'/")))
    complaints = [] if files == WANTED else [f"the image has {files}, not {WANTED}"]
    configuration = Path(f"{image}.tree/boot/limine/limine.conf").read_text()
    return complaints + ([] if f"cmdline: {WORDS}\n" in configuration else [f"limine.conf: {configuration}"])


def check() -> list[str]:
    with tempfile.TemporaryDirectory(prefix="capos-") as scratch:
        limine, image = Path(scratch, "limine"), Path(scratch, "image")
        make_parts(limine)
        return check_refusals(limine, image) + check_image(limine, image)


if __name__ == "__main__":
    sys.exit("\n".join(check()) or 0)
