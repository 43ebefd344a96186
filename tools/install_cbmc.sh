#!/bin/bash
# install_cbmc.sh FOLDER: CBMC and SAT solvers, from a newer Debian suite than the running one, into FOLDER; the system's
# libc, dpkg database and apt state are not touched. Ends at once if they are there.
#
# - The mirror is the one the machine uses: its own apt sources are copied with the name of the suite replaced.
# - apt resolves and checks signatures and hashes, in private folders. A private dpkg status claims only that `gcc` is
#   installed, which CBMC calls the machine's own.
# - Packages are unpacked without their scripts; wrappers start the binaries by the unpacked suite's own loader, so
#   nothing they need comes from the machine's libc.
set -euo pipefail
shopt -s nullglob

SUITE=trixie # the first that has CBMC 6
PACKAGES="cbmc cadical"
TOOLS="cbmc cadical"

folder=${1:?usage: install_cbmc.sh FOLDER}
[ -x "$folder/bin/cbmc" ] && "$folder/bin/cbmc" --version > /dev/null 2>&1 && exit 0
command -v apt-get > /dev/null || { echo "no apt-get: CBMC is not installed" >&2 && exit 1; }
# shellcheck source=/dev/null
. /etc/os-release
host_suite=${VERSION_CODENAME:?no VERSION_CODENAME}
architecture=$(dpkg --print-architecture)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
state=$folder/.apt
rm -rf "$state"
mkdir -p "$state"/{sources,preferences,lists/partial,cache/archives/partial,dpkg/updates,dpkg/info,log}

found=0
for source in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
	grep -Eqs "(^|[ /])$host_suite([ /-]|\$)" "$source" || continue
	name=$(basename "$source" | sed 's/^sources\.list$/main.list/')
	replace="s/(^|[ \t])$host_suite(-updates|-security|-backports)?([ \t\/]|\$)/\1$SUITE\2\3/g"
	sed -E "$replace; $replace" "$source" > "$state/sources/$name"
	found=1
done
[ "$found" = 1 ] || { echo "no apt source of $host_suite: CBMC is not installed" >&2 && exit 1; }

cat > "$state/dpkg/status" << STATUS
Package: gcc
Status: install ok installed
Priority: optional
Section: devel
Maintainer: nobody
Architecture: $architecture
Version: 9999:1
Description: stands for the machine's gcc

STATUS
: > "$state/dpkg/available"

# The machine's apt.conf.d stays in force (proxies, timeouts) but for its hooks, which may remove what is downloaded.
cat > "$state/apt.conf" << CONFIGURATION
Dir::State "$state";
Dir::State::Lists "$state/lists";
Dir::State::status "$state/dpkg/status";
Dir::State::extended_states "$state/extended_states";
Dir::Cache "$state/cache";
Dir::Log "$state/log";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$state/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$state/preferences";
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
APT::Sandbox::User "root";
APT::Keep-Downloaded-Packages "true";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "3";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
CONFIGURATION
export APT_CONFIG="$state/apt.conf"
apt-get update -qq -o APT::Update::Error-Mode=any
# shellcheck disable=SC2086 # a list of words
apt-get install -qq -y --download-only $PACKAGES > /dev/null
unset APT_CONFIG

rm -rf "$folder/root"
mkdir -p "$folder/root" "$folder/bin"
for package in "$state"/cache/archives/*.deb; do
	dpkg-deb -x "$package" "$folder/root"
done
rm -rf "$folder"/root/usr/share "$folder"/root/usr/lib/*/gconv "$folder"/root/usr/lib/locale

loader=$(find "$folder/root" -name 'ld-linux*.so*' | head -n 1)
libraries=$(find "$folder/root/usr/lib" ! -type d -name '*.so.*' -printf '%h\n' | sort -u | paste -sd :)
for tool in $TOOLS; do
	cat > "$folder/bin/$tool" << WRAPPER
#!/bin/sh
exec "$loader" --inhibit-cache --library-path "$libraries" --argv0 $tool "$folder/root/usr/bin/$tool" "\$@"
WRAPPER
	chmod +x "$folder/bin/$tool"
done
rm -rf "$state"
"$folder/bin/cbmc" --version > /dev/null
