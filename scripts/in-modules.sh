#!/bin/sh
# Runs a command in the folder of every module: in-modules.sh COMMAND [ARG]...
#
# Each module is taken as it stands alone, without go.work, because that is how
# it reaches those who use it. All modules get their turn even when one fails.
set -eu
cd "$(dirname "$0")/.."
export GOWORK=off

failed=
for module in $(find . -name '.?*' -prune -o -name testdata -prune -o -name go.mod -exec dirname {} \; | sort); do
	(cd "$module" && "$@") || failed="$failed $module"
done
if [ -n "$failed" ]; then
	echo "failed in:$failed: $*" >&2
	exit 1
fi
