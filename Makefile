# Everything a newcomer types.

CARGO ?= cargo

.PHONY: demo test check bench wheel python

demo: ## A picture on the emulator: no key, no cost.
	$(CARGO) run --release -- generate "A T-Rex relaxing on a beach" --emulator --overwrite -o t-rex.png

test: check ## Every test there is.
	$(CARGO) test --workspace --all-features --locked
	tests/with-python tests/python/run.py
	tests/with-python tests/outside/run.py target/debug/gptimage

wheel: python ## The Python package, into target/wheels.
	tests/with-python -m venv target/wheel-tools
	target/wheel-tools/bin/pip install --quiet --disable-pip-version-check 'maturin>=1.9.4,<2'
	target/wheel-tools/bin/maturin build --release --out target/wheels

python: # The binding's build asks an interpreter.
	@tests/with-python --version

check: python ## Form: formatting, lints, documentation. Warnings are errors.
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --all-features --no-deps --locked

bench: ## Speed and memory, as ratios against the plain ways, measured in this run.
	$(CARGO) run --release --locked -p gptimage-bench
