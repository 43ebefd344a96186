#!/bin/sh
# QEMU stopped at its first instruction and gdb with the kernel's symbols; `c` runs on. The guest's console goes to
# build/logs/gdb.log. Environment: INPUT is typed into the console, APPEND is the kernel's command line, GDB_ARGS goes
# to gdb.
set -eu

[ $# -eq 1 ] && [ -f "$1/kernel.elf" ] || { echo "usage: tools/gdb.sh FOLDER, where kernel.elf and boot.cpio are" >&2 && exit 2; }
build=$1
log=build/logs/gdb.log
mkdir -p build/logs
setsid tools/qemu.py --build "$build" --gdb --quiet --log "$log" --input "${INPUT:-}" --append "${APPEND:-}" \
	2> build/logs/gdb.qemu &
qemu=$!
trap 'kill "$qemu" 2> /dev/null || true' EXIT
echo "console: tail -f $log"
# shellcheck disable=SC2086 # arguments
gdb -q "$build/kernel.elf" -iex 'set pagination off' -x tools/gdb_capos.py \
	-ex 'set tcp connect-timeout 10' -ex 'target remote :1234' ${GDB_ARGS:-}
