# Two commands do all set-up: `make demo` and `make test`. `make help` lists the others.
SHELL := /bin/sh
PYTHON := .venv/bin/python -B
DEMO := out/demo

.PHONY: help demo test setup lint format-check clippy docs cargo-test examples instructions report-test conformance test-lava test-sanafe bench clean
.NOTPARALLEL:
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s%s\n", $$1, $$2 }' Makefile

demo: ## the whole line on handwritten digits: convert, simulate, map, report (into out/demo)
	@scripts/setup.sh build
	@echo "==> demo"
	@cargo run --release --package spikeloom-cli -- demo --out $(DEMO) --force

test: setup lint cargo-test examples demo instructions report-test conformance ## everything that must hold
	@echo "==> all passed"

setup: ## install what is missing (HDF5, Python packages in .venv, a browser, valgrind)
	@echo "==> setup"
	@scripts/setup.sh all

lint: format-check clippy docs ## formatting, clippy and documentation, warnings denied

format-check:
	@echo "==> formatting"
	@cargo fmt --all --check

clippy:
	@echo "==> clippy"
	@cargo clippy --workspace --all-targets -- -D warnings

docs:
	@echo "==> documentation"
	@RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

cargo-test: ## all Rust tests
	@echo "==> tests"
	@cargo test --workspace

# All at once and with the workspace's features, so that nothing is built that the tests have built.
examples: ## run every example
	@cargo build --workspace --examples
	@set -eu; for file in examples/*.rs; do \
		name=$$(basename "$$file" .rs); \
		echo "==> example $$name"; \
		"$${CARGO_TARGET_DIR:-target}/debug/examples/$$name"; \
	done

instructions: ## instruction counts of small workloads against the recorded ones (needs the release build: demo)
	@echo "==> instruction counts"
	@python3 -B benches/instructions/check.py

report-test: ## the demo's report and a mapping's in a real browser
	@echo "==> browser test of $(DEMO)/report.html"
	@scripts/report_test.sh

conformance: ## recordings and the demo's files against tools that share no code with us
	@echo "==> conformance: restated Lava against recordings of Lava"
	@$(PYTHON) tests/conformance_tools/ref_lava.py tests/data/lava
	@$(PYTHON) tests/conformance_tools/ref_netx.py tests/data/netx
	@echo "==> conformance: network.net runs in restated netx with the emulator's spikes"
	@$(PYTHON) tests/conformance_tools/ref_netx.py $(DEMO) network
	@echo "==> conformance: network.nir in the package nir"
	@$(PYTHON) tests/conformance_tools/read_nir.py $(DEMO)/network.nir
	@echo "==> conformance: core_map.json in the package jsonschema"
	@$(PYTHON) tests/conformance_tools/core_map.py docs/core_map.schema.json $(DEMO)/core_map.json

test-sanafe: ## a mapping of ours inside an installed SANA-FE: energies and times
	@scripts/sanafe.sh

test-lava: ## our exports inside an installed Lava (Python 3.10; NETX=netx runs lava-dl, too)
	@scripts/lava.sh $(NETX)

bench: ## all benches (see benches)
	@scripts/setup.sh build
	@cargo bench --package spikeloom --bench '*'

clean: ## remove everything that was built: target, out, .venv
	rm -rf out .venv
	cargo clean
