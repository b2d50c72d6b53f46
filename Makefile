# Everything a newcomer types.

CARGO ?= cargo
CC ?= cc
CXX ?= c++
PREFIX ?= /usr/local
TARGET := $(or $(CARGO_TARGET_DIR),target)
SKIPPED := $(TARGET)/tmp/skipped.txt
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $(notdir $(wildcard fuzz/seeds/*))

.PHONY: demo test test-model test-core test-emulator test-command test-rest test-python test-c test-outside test-faults command check torture header bench fuzz wheel install needs

demo: ## A picture on the emulator: no key, no cost.
	$(CARGO) run --release -- generate "A T-Rex relaxing on a beach" --emulator --overwrite -o t-rex.png

test: check ## Every test there is; at the end what was skipped, and why.
	@mkdir -p $(TARGET)/tmp && rm -f $(SKIPPED) && touch $(SKIPPED)
	$(CARGO) test --workspace --all-features --locked
	$(MAKE) --no-print-directory -j1 $(PARTS)
	@echo "all passed, $$(wc -l < $(SKIPPED)) skipped" && sed 's/^/  skipped: /' $(SKIPPED)

# The parts of `make test`. Those in Rust run there at once, as one workspace: by themselves they are built with fewer
# features of dependencies, which is quicker for each and would be work done twice for all.
PARTS := test-python test-c test-outside test-faults
RUST_PARTS := model core emulator cli

test-model: ## Requests and their rules: without HTTP, emulator or runtime.
	$(CARGO) test -p gptimage-model --all-features --locked

test-core: ## Answers, attempts and budgets, over sockets against the emulator.
	$(CARGO) test -p gptimage-core --all-features --locked

test-emulator: ## The emulator, by its HTTP interface.
	$(CARGO) test -p gptimage-emulator --all-features --locked

test-command: ## The gptimage command, as a process.
	$(CARGO) test -p gptimage-cli --all-features --locked

test-rest: ## What else is Rust: bindings, scripted servers, random faults, fuzz seeds, benchmark, lists of threats and faults.
	$(CARGO) test --workspace $(addprefix --exclude gptimage-,$(RUST_PARTS)) --all-features --locked

test-python: needs ## The Python package, from its wheel. PYTEST="--keep -k fork" runs a part on the wheel that is installed.
	tests/with-python tests/python/run.py $(PYTEST)

test-c: needs command ## libgptimage, installed: C and C++, shared, static, with sanitizers and valgrind.
	$(MAKE) install DESTDIR= PREFIX="$(abspath $(TARGET))/installed"
	tests/with-python tests/c/run.py $(TARGET)/installed $(TARGET)/debug/gptimage

test-outside: needs command ## Other people's clients against the emulator.
	tests/with-python tests/outside/run.py $(TARGET)/debug/gptimage

test-faults: needs command ## Disks, machines and networks that fail.
	tests/with-python tests/faults/disk.py $(TARGET)/debug/gptimage
	tests/with-python tests/faults/shortage.py $(TARGET)/debug/gptimage $(TARGET)/debug/examples/scaled_call
	tests/with-python tests/faults/network.py $(TARGET)/debug/gptimage --scaled

command: # The command and the example that tests run, built as `make check` builds them.
	$(CARGO) build --workspace --all-features --locked --bin gptimage --example scaled_call

# The tests are built with the rest: they want more features of dependencies, and all would be compiled once more for them.
check: needs ## Form: formatting, lints, documentation, the header, exported symbols, names in every language. Warnings are errors.
	$(CARGO) fmt --all --check
	tests/with-python tests/layers.py
	tests/with-python tests/dependencies.py
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings
	$(CARGO) build --workspace --all-targets --all-features --locked
	tests/with-python tests/c/check_symbols.py $(TARGET)/debug/libgptimage.so
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --all-features --no-deps --locked
	$(TARGET)/debug/gptimage-header $(TARGET)/gptimage.h
	diff -u include/gptimage.h $(TARGET)/gptimage.h
	$(TARGET)/debug/gptimage-lists > $(TARGET)/lists.json
	tests/with-python tests/parity/check.py $(TARGET)/lists.json
	tests/with-python tests/parity/bites.py $(TARGET)/lists.json
	for standard in c99 c11; do \
	  printf '#include <gptimage.h>\n#include <gptimage.h>\n' | \
	  $(CC) -std=$$standard -Iinclude -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c - || exit 1; done
	for standard in c++17 c++20; do \
	  printf '#include <gptimage.h>\n#include <gptimage.h>\n' | \
	  $(CXX) -std=$$standard -Iinclude -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ - || exit 1; done

torture: needs ## 100,000 calls under random faults, counted: charges, duplicates, what was lost; then outages in real time.
	$(CARGO) run --release --locked -p gptimage-torture -- --calls 100000
	$(CARGO) build --release --locked
	tests/with-python tests/faults/network.py $(TARGET)/release/gptimage

header: ## include/gptimage.h, from the sources of gptimage-ffi.
	$(CARGO) run --quiet --locked -p gptimage-header

bench: wheel ## Speed and memory, as ratios against the plain ways and openai-python, measured in this run.
	tests/with-python -m venv $(TARGET)/bench-python
	$(TARGET)/bench-python/bin/pip install --quiet --disable-pip-version-check -r bench/python/requirements.txt
	$(TARGET)/bench-python/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps \
	  $(TARGET)/wheels/gptimage-*.whl
	$(CARGO) run --release --locked -p gptimage-bench -- \
	  python $(TARGET)/bench-python/bin/python $(TARGET)/wheels/gptimage-*.whl

fuzz: needs ## Each fuzz target for FUZZ_SECONDS, with AddressSanitizer. A stable compiler is told to be a nightly one.
	@test -x $(TARGET)/tools/bin/cargo-fuzz || \
	  $(CARGO) install cargo-fuzz --version 0.13.2 --locked --root $(TARGET)/tools
	for target in $(FUZZ_TARGETS); do \
	  mkdir -p $(TARGET)/fuzz/corpus/$$target && \
	  RUSTC_BOOTSTRAP=1 PATH="$(abspath $(TARGET))/tools/bin:$$PATH" $(CARGO) fuzz run --fuzz-dir fuzz/targets \
	    --target-dir $(abspath $(TARGET))/fuzz $$target $(abspath $(TARGET))/fuzz/corpus/$$target $(abspath fuzz/seeds)/$$target \
	    -- -max_total_time=$(FUZZ_SECONDS) -timeout=30 -print_final_stats=1 || exit 1; done

wheel: needs ## The Python package, into target/wheels.
	rm -f $(TARGET)/wheels/gptimage-*.whl
	tests/with-python -m venv $(TARGET)/wheel-tools
	$(TARGET)/wheel-tools/bin/pip install --quiet --disable-pip-version-check 'maturin>=1.9.4,<2'
	$(TARGET)/wheel-tools/bin/maturin build --release --out $(TARGET)/wheels

install: ## libgptimage for C and C++, into PREFIX; DESTDIR is honoured.
	@CARGO="$(CARGO)" CARGO_TARGET_DIR="$(TARGET)" DESTDIR="$(DESTDIR)" bindings/ffi/install.sh "$(PREFIX)"

needs: # What is missing is installed, or named.
	@CC="$(firstword $(CC))" CXX="$(firstword $(CXX))" tests/needs python cc c++ >/dev/null
