#!/bin/sh
# Install what tools/packages.txt lists and the machine lacks. `setup.sh run` takes only what building and booting need;
# prove, bochs and coverage what `make prove-lib`, `make run-bochs` and `make coverage` need. Says nothing when all is
# there. Without the right to install it prints the one command to run.
set -eu

cd "$(dirname "$0")/.."
case "${1:-all}" in
run) wanted=$(awk '!/^#/ && $2 == "run" { print $1 }' tools/packages.txt) ;;
prove | bochs | coverage) wanted=$(awk -v need="$1" '!/^#/ && $2 == need { print $1 }' tools/packages.txt) ;;
all) wanted=$(awk '!/^#/ && ($2 == "run" || $2 == "test") { print $1 }' tools/packages.txt) ;;
*) echo "usage: tools/setup.sh [run|prove|bochs|coverage|all]" >&2 && exit 2 ;;
esac
command -v dpkg-query > /dev/null || exit 0 # no Debian: the builds say themselves what they lack

# shellcheck disable=SC2086 # a list of words
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2> /dev/null |
	sed -n 's/ installed$//p' || true)
missing=
for package in $wanted; do
	case "
$installed
" in
	*"
$package
"*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo > /dev/null && { [ -t 0 ] || sudo -n true 2> /dev/null; }; then
	as_root=sudo
else
	as_root=false
fi
echo "missing packages:$missing" >&2
# Standard input may hold what is to be typed into the system: it is not apt's to read.
# shellcheck disable=SC2086 # a list of words
if ! { $as_root apt-get update -qq &&
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y -o Dpkg::Use-Pty=0 \
		--no-install-recommends $missing; } < /dev/null > /dev/null; then
	echo "not installed; as root run:  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
	exit 1
fi
