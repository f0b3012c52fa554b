#!/usr/bin/env bash
# Puts protoc into bin/, for the tests that hand the plugin what real protoc hands it; `make bin/protoc` calls it. Takes the
# one on PATH, if it has its protos with it. Else, on Debian and its kin, it fetches the distribution's packages, whose
# signatures apt checks, and unpacks them into bin/protoc-root: nothing is installed, and it need not be root.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p bin
root=$PWD/bin/protoc-root

if found=$(command -v protoc) && "$found" --descriptor_set_out=/dev/null google/protobuf/descriptor.proto 2>/dev/null; then
	ln -sf "$found" bin/protoc
	exit
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
	echo "protoc is missing, or its protos: install protobuf's compiler, 3.15 or newer, and put it on PATH" >&2
	exit 1
fi

rm -rf "$root"
mkdir -p "$root"/apt/{lists,cache,packages}/partial
options=(-o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1)
compiler() { apt-cache "${options[@]}" show protobuf-compiler 2>/dev/null | grep -q '^Package'; }
if ! compiler; then # the system's lists are empty, and only root may fill them
	options+=(-o Dir::State::Lists="$root/apt/lists" -o Dir::Cache="$root/apt/cache")
	apt-get "${options[@]}" -qq update
fi
if ! compiler; then
	echo "protoc is missing, and no source of apt's has the package protobuf-compiler: add one, or put protoc on PATH" >&2
	exit 1
fi
# The compiler, the protos that it comes with, and its two libraries, whose names have a version.
libraries=$(apt-cache "${options[@]}" depends --recurse --important protobuf-compiler | grep -oE '^lib(protoc|protobuf)[0-9]\S*')
# shellcheck disable=SC2086 # one word for each library
(cd "$root/apt/packages" && apt-get "${options[@]}" -qq download protobuf-compiler libprotobuf-dev $libraries)
for package in "$root"/apt/packages/*.deb; do dpkg -x "$package" "$root"; done
rm -rf "$root/apt" "$root"/usr/share/doc # its examples are Go code, which is none of ours

libraries=$(cd "$root" && dirname "$(find . -name 'libprotoc.so.*' | head -n 1)")
cat >bin/protoc <<EOF
#!/bin/sh
root=\$(dirname "\$0")/protoc-root
LD_LIBRARY_PATH=\$root/$libraries exec "\$root/usr/bin/protoc" "\$@"
EOF
chmod +x bin/protoc
bin/protoc --version
