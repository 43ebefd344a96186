#!/bin/sh
# English prose, some 4 MB, to standard output: whole files of the vim-runtime package's manual in sorted order until
# four million bytes are passed. The same package gives the same bytes.
set -eu

files=$(dpkg -L vim-runtime | grep -E '/doc/[a-z0-9_]+\.txt$' | LC_ALL=C sort)
[ -n "$files" ] || { echo "words.sh: no manual in package vim-runtime" >&2 && exit 1; }
total=0
for file in $files; do
	[ "$total" -lt 4000000 ] || break
	cat "$file"
	total=$((total + $(stat -L -c %s "$file")))
done
