# `make` lists the targets. Needs Go, git, make and a C compiler (for -race); every other tool is built from its pinned
# version in tools/ into bin/, once.
#
# Variables, as in `make test TESTFLAGS='-run Reconnect -count=5'`:
#   GO         the go command                                   default: go
#   MODULES    the modules to work on                           default: every go.mod of the repository
#   TESTFLAGS  more flags for go test                           default: none
#   FUZZTIME   how many inputs make fuzz gives each target      default: 10000x (a time, as 30s, may fail at its very end:
#              go test then calls it a failure that a worker was still busy)
#   CHAOS      long: an hour of make chaos                      default: minutes
#   CHAOSFLAGS more flags for it: proofs/chaos/doc.go           default: none
#   COVER      the packages whose coverage is reported          default: the runtime (not its test helpers) and the generator

# The folders that have a file of that name.
dirs-of = $(patsubst ./%,%,$(sort $(patsubst %/$1,%,$(shell find . -name $1 -not -path './bin/*' -not -path '*/testdata/*'))))

GO        ?= go
MODULES   ?= $(call dirs-of,go.mod)
TESTFLAGS ?=
FUZZTIME  ?= 10000x
CHAOS      ?=
CHAOSFLAGS ?=
COVER     ?= ./runtime/... ./protoc-gen-imsdk/...

.DEFAULT_GOAL := help
SHELL         := bash
.SHELLFLAGS   := -eu -o pipefail -c
MAKEFLAGS     += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:

# Each module is built as its users build it, by its own go.mod. go.work is for editors and for go commands by hand.
export GOWORK  := off
# Whatever the caller's flags are; a clone of somebody else's directory has no readable version control stamp.
export GOFLAGS := $(strip $(filter-out -mod=% -buildvcs=%,$(GOFLAGS)) -buildvcs=false)

BIN      := $(CURDIR)/bin
CODE     := $(filter-out tools/%,$(MODULES))
BUF_DIRS := $(call dirs-of,buf.yaml)
GO_FILES    = find . -name '*.go' -not -path './bin/*' -not -path '*/testdata/*' -print0
PROTO_FILES = find . -name '*.proto' -not -path './bin/*' -not -path '*/third_party/*' -not -path '*/testdata/*' -print0
# Examples that run by themselves and end.
RUN      := examples/quickstart examples/customkind

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: ## run the main job: a server and three users who chat, over real gRPC
	@$(GO) -C examples run ./quickstart

.PHONY: test
test: $(CODE:%=test@%) ## run all tests of all modules with the race detector

.PHONY: $(CODE:%=test@%)
$(CODE:%=test@%): test@%: bin/buf.stamp bin/protogen.stamp bin/protoc-gen-imsdk bin/protoc
	CGO_ENABLED=1 $(GO) -C $* test -race $(TESTFLAGS) ./...

.PHONY: fuzz
fuzz: ## give every fuzz target of all modules random input, FUZZTIME each
	@GO="$(GO)" FUZZTIME="$(FUZZTIME)" tools/fuzz.sh $(CODE)

# Real processes: with the race detector they would mostly wait for it. The packages' own tests have it.
CHAOS_SIZE = $(if $(filter long,$(CHAOS)),-timeout 90m -chaos.length 60m -chaos.cuts 2400 -chaos.restarts 720,\
	-timeout 8m -chaos.length 150s -chaos.cuts 120 -chaos.restarts 36)

.PHONY: chaos
chaos: ## kill servers and break networks for minutes, and count what is lost; CHAOS=long for an hour
	$(GO) -C proofs test ./chaos -count 1 -v -run Lost $(CHAOS_SIZE) $(CHAOSFLAGS)

.PHONY: sabotage
sabotage: ## the same in short against builds that break a promise: each must be found out
	$(GO) -C proofs test -tags imsdk_sabotage ./chaos -count 1 -v -run Broken -timeout 10m

.PHONY: proofs
proofs: ## the slow proofs: a million messages, random schedules, histories, growth
	$(GO) -C proofs test ./million -count 1 -v -timeout 15m -million.count 1000000
	CGO_ENABLED=1 $(GO) -C proofs test -race ./model -count 1 -v -timeout 15m -rapid.checks 500
	CGO_ENABLED=1 $(GO) -C proofs test -race ./linear -count 1 -timeout 15m -linear.rounds 100
	$(GO) -C proofs test ./growth -count 1 -v -timeout 15m -growth.reconnects 1000

.PHONY: check
check: check-tidy check-deps check-buf check-gen check-fmt check-vet lint check-run ## everything else that CI asks for

.PHONY: gen proto
gen: bin/buf.stamp bin/protogen.stamp bin/protoc-gen-imsdk ## renew the generated code
	@tools/generate.sh
proto: gen ## the same

.PHONY: lock
lock: bin/buf.stamp bin/protoc-gen-imsdk ## renew imsdk.lock after a kind was added; then make gen
	bin/buf build proto -o - | bin/protoc-gen-imsdk lock
	cd examples/customkind && $(BIN)/buf build -o - | $(BIN)/protoc-gen-imsdk lock

.PHONY: fmt
fmt: bin/lint.stamp bin/buf.stamp ## format Go and protos
	@bin/gofumpt -l -w .
	@$(PROTO_FILES) | xargs -0 -n 1 bin/buf format -w

.PHONY: tidy $(MODULES:%=retidy@%)
tidy: $(MODULES:%=retidy@%) ## go mod tidy in every module
$(MODULES:%=retidy@%): retidy@%:
	$(GO) -C $* mod tidy

.PHONY: lint
lint: $(CODE:%=lint@%) ## style, bounds and import arrows (.golangci.yml)

.PHONY: $(CODE:%=lint@%)
$(CODE:%=lint@%): lint@%: bin/lint.stamp
	cd $* && $(BIN)/golangci-lint run --allow-parallel-runners ./...

.PHONY: cover
cover: bin/buf.stamp bin/protogen.stamp bin/protoc-gen-imsdk bin/protoc ## print the tests' coverage of runtime and generator
	@packages=$$($(GO) list $(COVER) | grep -v /runtime/internal/ | paste -sd , -) && \
	for module in . protoc-gen-imsdk/tests; do \
		$(GO) -C $$module test -coverpkg=$$packages -coverprofile=coverage.out ./... | sed '/^FAIL\|^---\|^ /!d'; done
	@awk -f tools/coverage.awk coverage.out protoc-gen-imsdk/tests/coverage.out | sort -k 2

.PHONY: tools
tools: bin/buf.stamp bin/protogen.stamp bin/lint.stamp bin/protoc-gen-imsdk bin/protoc ## build all tools into bin/

.PHONY: baseline
baseline: check-buf ## renew what buf breaking compares with; for a release only
	bin/buf build proto --exclude-source-info -o proto/baseline.binpb

.PHONY: clean
clean: ## remove what was built
	rm -rf bin coverage.out protoc-gen-imsdk/tests/coverage.out

# --- what check does, one by one

.PHONY: check-tidy $(MODULES:%=tidy@%)
check-tidy: $(MODULES:%=tidy@%)
$(MODULES:%=tidy@%): tidy@%:
	$(GO) -C $* mod tidy -diff

.PHONY: check-deps
check-deps:
	tools/check-deps.sh $(MODULES)

.PHONY: check-buf
check-buf: bin/buf.stamp
	@for dir in $(BUF_DIRS); do (cd $$dir && echo "buf lint in $$dir" && $(BIN)/buf lint); done
	@echo "buf format" && $(PROTO_FILES) | xargs -0 -n 1 bin/buf format -d --exit-code
	bin/buf breaking proto --against proto/baseline.binpb

.PHONY: check-gen
check-gen: bin/buf.stamp bin/protogen.stamp bin/protoc-gen-imsdk
	tools/generate.sh --check

.PHONY: check-fmt
check-fmt: bin/lint.stamp # gofumpt leaves out generated code, gofmt does not
	@files=$$(bin/gofumpt -l .; $(GO_FILES) | xargs -0 "$$($(GO) env GOROOT)/bin/gofmt" -l) && \
	if [ -n "$$files" ]; then printf 'not formatted; run: make fmt\n%s\n' "$$files" >&2; exit 1; fi

.PHONY: check-vet $(CODE:%=vet@%)
check-vet: $(CODE:%=vet@%) # the linters leave generated code out; vet does not
$(CODE:%=vet@%): vet@%:
	$(GO) -C $* vet ./...

.PHONY: check-run $(RUN:%=run@%)
check-run: $(RUN:%=run@%)
$(RUN:%=run@%): run@%:
	$(GO) -C $* run .

# --- tools

# One stamp for each module in tools/: it builds all tools that its go.mod names.
bin/%.stamp: tools/%/go.mod tools/%/go.sum
	@mkdir -p bin
	GOBIN=$(BIN) $(GO) -C tools/$* install tool
	@touch $@

# protoc is no Go program: it comes from PATH or from the distribution, for tests only.
bin/protoc: tools/protoc.sh
	tools/protoc.sh
	@touch -h $@

# The generator is ours: go build knows best whether it is up to date.
.PHONY: bin/protoc-gen-imsdk
bin/protoc-gen-imsdk:
	@mkdir -p bin
	@$(GO) build -o $@ ./protoc-gen-imsdk
