#!/usr/bin/env bash
# fuzz.sh MODULE...: runs every fuzz target of the modules for FUZZTIME each; `make fuzz` calls it. go test fuzzes one
# target of one package at a time. Ends at the first that fails: what made it fail is then in the package's testdata/fuzz.
set -euo pipefail

: "${GO:=go}" "${FUZZTIME:=10000x}"

found=0
for module in "$@"; do
	# The names of a package's targets come before the line that names the package.
	targets=$("$GO" -C "$module" test -list '^Fuzz' ./... |
		awk '/^Fuzz/ { names[++n] = $1 } /^ok/ { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }')
	while read -r package target; do
		[ -n "$package" ] || continue
		found=$((found + 1))
		printf '%s %s\n' "$package" "$target"
		# To minimize what is merely new may take a minute, by default.
		"$GO" -C "$module" test "$package" -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 10x
	done <<<"$targets"
done
if [ "$found" = 0 ]; then
	echo "fuzz.sh: no fuzz target in $*" >&2
	exit 1
fi
