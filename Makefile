# The front door. `make run` and `make test` work on a bare Debian 12 with git and make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := all

PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)
RELEASE := build/release
ASAN := build/asan
TSAN := build/tsan
FUZZ_SECONDS ?= 60
CHAOS_SECONDS ?= 1200
LISTEN ?= 127.0.0.1:8000

.PHONY: all
all: ## build the tools
	@scripts/install-deps build
	@scripts/build $(RELEASE) -DFP_TESTS=OFF -DFP_BENCH=OFF

.PHONY: run
run: all ## a moving test card in the browser, until Ctrl-C
	@scripts/demo $(RELEASE)/bin $(LISTEN)

.PHONY: deps-test
deps-test:
	@scripts/install-deps test

# What frame-detect runs with, for the tests.
.PHONY: deps-detect
deps-detect: deps-test
	@scripts/install-onnxruntime
	@scripts/install-models

.PHONY: release
release: deps-test
	@scripts/build $(RELEASE) -DFP_TESTS=ON -DFP_BENCH=ON

.PHONY: asan
asan: deps-test
	@scripts/build $(ASAN) -DCMAKE_CXX_COMPILER=clang++-16 -DFP_SANITIZE=address,undefined -DFP_FUZZ=ON -DFP_BENCH=OFF \
	  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O1 -g1'

.PHONY: tsan
tsan: deps-test
	@scripts/build $(TSAN) -DFP_SANITIZE=thread -DFP_BENCH=OFF -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O1 -g1'

.PHONY: test
test: ## install what is missing, build, run every test
	@scripts/run-tests

.PHONY: unit
unit: release deps-detect ## the unit tests alone
	@ctest --test-dir $(RELEASE) --output-on-failure -j$(JOBS)

.PHONY: e2e
e2e: release deps-detect ## whole programs over real pipes and sockets
	@bats tests/e2e

.PHONY: cameras
cameras: release ## cameras in a virtual machine
	@tests/vm/build
	@bats tests/vm

.PHONY: browser
browser: release deps-detect ## Chromium against the viewer page and /stream
	@scripts/browser-tests

.PHONY: fuzz
fuzz: asan ## libFuzzer on the kept corpus, FUZZ_SECONDS each
	@scripts/fuzz $(ASAN)/bin $(FUZZ_SECONDS)

.PHONY: soak
soak: release asan ## long runs: hours of fuzzing and of viewers; results go to bench/
	@scripts/soak $(RELEASE)/bin $(ASAN)/bin

.PHONY: chaos
chaos: release ## a full installation with faults, CHAOS_SECONDS long; writes bench/CHAOS.md
	@tests/chaos/run.py --bin $(RELEASE)/bin --out build/chaos --seconds $(CHAOS_SECONDS) --report bench/CHAOS.md

.PHONY: bench
bench: ## beside the peers in one run; writes bench/RESULTS.md
	@scripts/install-deps bench
	@scripts/build $(RELEASE) -DFP_TESTS=ON -DFP_BENCH=ON
	@bench/run.py --bin $(RELEASE) --out bench/RESULTS.md

.PHONY: lint
lint: deps-test ## format, clang-tidy, includes, shellcheck, manuals, units
	@scripts/build $(RELEASE) -DFP_TESTS=ON -DFP_BENCH=ON
	@scripts/lint $(RELEASE)

.PHONY: format
format: deps-test ## rewrite the sources in the project's format
	@git ls-files '*.cc' '*.h' | xargs clang-format-16 -i

.PHONY: install
install: all ## honours DESTDIR and PREFIX
	@DESTDIR='$(DESTDIR)' cmake --install $(RELEASE) --prefix '$(PREFIX)'

.PHONY: deb
deb: ## Debian packages of the last commit, in build/deb
	@scripts/install-deps deb
	@scripts/deb

.PHONY: packages
packages: deb ## the packages installed, used and purged in a Debian of their own, as root
	@scripts/install-deps test
	@tests/packages/run

.PHONY: clean
clean: ## throw the builds away
	rm -rf build

.PHONY: help
help: ## these lines
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
