#!/usr/bin/env bash
# Says what is wrong with the modules' dependencies; `make check` runs it with the modules as arguments.
set -euo pipefail
cd "$(dirname "$0")/.."
wrong=0
say() {
	echo "$*" >&2
	wrong=1
}

# The direct dependencies of a module, and the modules of its tools.
direct() {
	sed -nE 's/^(require)?[[:space:]]+([^ ]+) v[^ ]+$/\2/p' "$1/go.mod"
	if grep -q '^tool' "$1/go.mod"; then go -C "$1" list -f '{{.Module.Path}}' tool; fi
}
version() { grep -oE "$2 v[^ ]+" "$1/go.mod"; }
workspace=$(GOWORK="$PWD/go.work" go list -m -f '{{.Dir}}')

for module in "$@"; do
	deps=$(direct "$module")
	for dep in $deps; do
		case $dep in github.com/game-im/im-grpc-sdk*) continue ;; esac
		grep -qF "\`$dep\`" docs/dependencies.md ||
			say "$module/go.mod: give a reason for $dep in docs/dependencies.md"
	done
	case $module in tools/*) continue ;; esac
	grep -qxF "$(cd "$module" && pwd)" <<<"$workspace" ||
		say "go.work: $module is missing; run: go work use ./$module"
done

# Generated code must fit the packages that it imports.
for dep in github.com/envoyproxy/protoc-gen-validate google.golang.org/protobuf; do
	[ "$(version . $dep)" = "$(version tools/protogen $dep)" ] ||
		say "tools/protogen/go.mod and go.mod have different versions of $dep"
done
exit $wrong
