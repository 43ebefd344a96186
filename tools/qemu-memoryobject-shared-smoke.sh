#!/bin/sh
# qemu-memoryobject-shared-smoke.sh LOG: hold the console log of a run with "init=memoryobject-shared-parent once"
# against what must be so (LOG "-": standard input). Says what is missing, and then exits with 1.
#
# The lines below must all be there, in this order, with others in between: both forms of sharing, each of which ends
# with both sides unmapped; then the clean halt, with as many free frames as before.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 LOG" >&2 && exit 2; }

must_be_so() {
	cat <<'LINES'
parent: ok allocated and mapped 4 pages
child: mapped 4 pages
child: answered 1024 words
child: unmapped and released
parent: ok its writes are in the pages that the parent has mapped
parent: ok it has unmapped the object and given it up
parent: ok allocated and mapped 4 pages
child: mapped 4 pages
parent: ok both have it mapped
child: answered 1024 words
parent: ok its writes are in the pages that the parent has mapped, while both live
child: answered 1024 words
parent: ok its writes are in the pages that the parent has mapped, while both live
child: answered 1024 words
parent: ok its writes are in the pages that the parent has mapped, while both live
child: unmapped and released
parent: ok only the parent has it
parent: ok unmapped and released: the ledgers are as before
17 passed, 0 failed
LINES
}

WANTED=$(must_be_so) awk '
	function complain(text) {
		print text
		complaints++
	}
	BEGIN {
		lines = split(ENVIRON["WANTED"], wanted, "\n")
		next_line = 1
	}
	{
		sub(/\r$/, "")
	}
	next_line <= lines && $0 == wanted[next_line] {
		next_line++
	}
	/FAILED|PANIC|fault/ {
		complain($0)
	}
	/memoryobject-shared-parent ended: exit 0; free frames [0-9]+ before, [0-9]+ after$/ {
		if ($(NF - 1) == $(NF - 3))
			ended = 1
	}
	END {
		if (next_line <= lines)
			complain("missing, or out of order: " wanted[next_line])
		if (!ended)
			complain("no end with exit 0 and as many free frames as before")
		exit complaints > 0
	}' "$1"
