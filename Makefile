# Everything a newcomer types.

CARGO ?= cargo

.PHONY: demo test check bench

demo: ## A picture on the emulator: no key, no cost.
	$(CARGO) run --release -- generate "A T-Rex relaxing on a beach" --emulator --overwrite -o t-rex.png

test: check ## Every test there is.
	$(CARGO) test --workspace --all-features --locked
	@if command -v python3 >/dev/null; then python3 tests/outside/run.py target/debug/gptimage; \
	else echo 'outside: skipped, there is no python3 here'; fi

check: ## Form: formatting, lints, documentation. Warnings are errors.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --all-features --no-deps --locked

bench: ## Speed and memory, as ratios against the plain ways, measured in this run.
	$(CARGO) run --release --locked -p gptimage-bench
