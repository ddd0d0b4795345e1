#!/bin/sh
# Everything that can be said about the code without running it: format, vet,
# staticcheck, tidy module files, and that it builds on the other systems.
#
# Every check runs even when an earlier one failed, so that one run shows all
# there is to mend. Tools are taken from bin/, where the Makefile builds them.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/bin
failed=

# check NAME COMMAND... runs one check and says how long it took.
check() {
	name=$1
	shift
	start=$(date +%s)
	if "$@"; then
		echo "ok    $name ($(($(date +%s) - start))s)"
	else
		echo "FAIL  $name"
		failed="$failed, $name"
	fi
}

formatted() {
	wrong=$("$bin/gofumpt" -l .) || return 1
	[ -z "$wrong" ] && return 0
	echo "not in gofumpt's format (make fmt mends it):"
	echo "$wrong"
	return 1
}

# elsewhere GOOS GOARCH builds what is shipped for another system; vet then
# compiles the tests as well.
elsewhere() {
	for module in . cmd/chaosgate; do
		(
			cd "$module"
			export GOWORK=off GOOS="$1" GOARCH="$2"
			go build -o /dev/null ./... && go vet ./...
		) || return 1
	done
}

check "gofumpt" formatted
check "go.work" go build -o /dev/null ./... ./cmd/chaosgate/...
check "go mod tidy" scripts/in-modules.sh go mod tidy -diff
check "go vet" scripts/in-modules.sh go vet ./...
check "staticcheck" scripts/in-modules.sh "$bin/staticcheck" ./...
for system in darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do
	check "$system" elsewhere "${system%/*}" "${system#*/}"
done

if [ -n "$failed" ]; then
	echo "failed: ${failed#, }" >&2
	exit 1
fi
