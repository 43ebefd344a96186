#!/bin/sh
# The README's two commands on a machine that has nothing: a new Debian root from the archive that this machine's apt
# uses, with make and nothing else, a clone of what is committed here, `make run` with its input from a pipe, then
# `make test`. Run as root; needs debootstrap; takes a quarter of an hour and 4 GB.
#
# fresh_root.sh [FOLDER]   FOLDER (default /var/tmp/capos-fresh-root) is made anew and stays for a look afterwards:
#                          chroot FOLDER
set -eu

root=${1:-/var/tmp/capos-fresh-root}
mark=$root/made-by-fresh-root # what stands here may be thrown away
cd "$(dirname "$0")/.."

[ "$(id -u)" -eq 0 ] || { echo "fresh_root.sh: needs root, for debootstrap and chroot" >&2 && exit 1; }
command -v debootstrap > /dev/null || { echo "fresh_root.sh: needs debootstrap" >&2 && exit 1; }
if [ -e "$root" ] && [ ! -e "$mark" ]; then
	echo "fresh_root.sh: $root is there and is none of ours" >&2
	exit 1
fi
[ -z "$(git status --porcelain)" ] || echo "fresh_root.sh: what is not committed is not in the clone" >&2

# shellcheck disable=SC2016,SC2046 # apt fills in the names; two words: site and code name
set -- $(apt-get indextargets --format '$(SITE) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
	sed -n 's/ main$//p' | head -n 1)
[ $# -eq 2 ] || { echo "fresh_root.sh: apt names no archive" >&2 && exit 1; }
rm -rf --one-file-system "$root"
mkdir -p "$root"
touch "$mark"
echo "fresh_root.sh: $2 into $root"
debootstrap --variant=minbase --include=make,ca-certificates "$2" "$root" "$1" > "$root.log" 2>&1 ||
	{ tail -n 20 "$root.log" >&2 && exit 1; }
# The same archives, keys and settings as here.
rm -rf "$root/etc/apt"
cp -a /etc/apt "$root/etc/apt"
mkdir -p "$root/usr/share/keyrings"
cp -a /usr/share/keyrings/. "$root/usr/share/keyrings"
cp -L /etc/resolv.conf /etc/hosts "$root/etc"
git clone -q --no-hardlinks . "$root/root/capos"

# In a mount namespace of its own: nothing stays mounted, however this ends.
inside() {
	unshare --mount --fork sh -c 'mount -t proc proc "$0/proc" && mount -t sysfs sysfs "$0/sys" &&
		mount --rbind /dev "$0/dev" && exec chroot "$0" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			LANG=C.UTF-8 sh -c "cd /root/capos && $1"' "$root" "$1"
}

echo "fresh_root.sh: make run"
started=$(date +%s)
inside "printf 'run wordcount\nmem\ncheck\nhalt\n' | make -s run"
echo "fresh_root.sh: make run ended with status 0 after $(($(date +%s) - started)) s, what it lacked installed"
echo "fresh_root.sh: make test"
inside "make test"
