# Needs Go and make; tools are built into bin/ from the versions in tools/go.mod.

# Go's own installer puts it where a bare PATH does not look.
export PATH := $(PATH):/usr/local/go/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test tests quick soak bench fidelity parts check fmt vuln clean go

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s  %s\n", $$1, $$2 }' Makefile

demo: go ## see what a gate does, on an embedded server
	go run ./cmd/chaosgate demo

# With -k the tests run even when a check has failed: one run shows all there is to mend.
test: go ## everything a change must pass: install peers (as root), check, test with -race
	scripts/install-debian.sh
	@$(MAKE) --no-print-directory -k check tests

# Nothing is taken from go test's cache, which does not notice when a peer or a file in git changes.
tests: bin/alltests
	@if command -v "$$(go env CC)" >/dev/null; then race=-race; else echo 'no C compiler: testing without the race detector'; fi; \
	set -x; bin/alltests $$race -count=1 -timeout=10m

quick: go bin/alltests ## go vet and the short tests; installs nothing
	scripts/in-modules.sh go vet ./...
	bin/alltests -short -count=1

# The packages one after the other: what is measured in one is not to be slowed down by another.
soak: go bin/alltests ## the wire contract, rows 1 to 38, in its full sizes: in half an hour
	scripts/install-debian.sh
	CHAOSGATE_SOAK=1 bin/alltests -p=1 -count=1 -timeout=1h -run='$(SOAK)'

# What has a larger size than in a test run.
SOAK := ^Test(Wire|Real|Sweep|.*LikeTheKernelAtRandom)

bench: go ## a gate beside other proxies: figures, ratios, targets (BENCH='-h' lists flags)
	scripts/install-debian.sh bench
	@cd bench && GOWORK=off go run . $(BENCH)

fidelity: go ## how exactly faults do what they say, in 15 minutes: FIDELITY="-quick -run delay" for some of it
	@cd bench && GOWORK=off go run ./fidelity $(FIDELITY)

parts: go ## benchmarks of the library's parts
	scripts/in-modules.sh go test -run '^$$' -bench . -benchmem ./...

check: go bin/gofumpt bin/staticcheck ## format, vet, staticcheck, tidy, other systems
	scripts/check.sh

fmt: bin/gofumpt ## format all Go files
	bin/gofumpt -w .

vuln: go bin/govulncheck ## known vulnerabilities in what is used (asks vuln.go.dev)
	scripts/in-modules.sh "$(CURDIR)/bin/govulncheck" ./...

clean: ## remove what make has built
	rm -rf bin

go:
	@command -v go >/dev/null || { echo 'Go 1.26 or newer is needed, see https://go.dev/dl/' >&2; exit 1; }

# A tool is built again only when tools/go.mod changes, our own when its source does.
build_tool = GOWORK=off go build -C tools -o ../$@

bin/gofumpt: tools/go.mod
	$(build_tool) mvdan.cc/gofumpt
bin/staticcheck: tools/go.mod
	$(build_tool) honnef.co/go/tools/cmd/staticcheck
bin/govulncheck: tools/go.mod
	$(build_tool) golang.org/x/vuln/cmd/govulncheck
bin/alltests: tools/go.mod $(wildcard tools/alltests/*.go)
	$(build_tool) ./alltests
