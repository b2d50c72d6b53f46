"""Tests the Python package as users have it: as a wheel, built and installed, away from its sources.

    python3 tests/python/run.py [--keep] [pytest's arguments]

Creates an environment below the target folder, builds wheel and sdist into target/wheels, installs the wheel, and runs
pytest on tests/python and tests/packaging, mypy --strict on package, examples, tests and their programs, and stubtest.
With arguments, only runs pytest with these; with --keep, on the wheel that is already installed.
"""

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import install  # noqa: E402

TARGET = install.TARGET
WHEELS = TARGET / "wheels"
RESULTS = TARGET / "python-tests" / "results.xml"
# Each is checked separately, because programs in different folders may have the same name.
TYPED = [
    ["python/gptimage", "examples/python", "tests/python", "tests/packaging", "tests/parity"],
    ["tests/c", "tests/faults", "tests/install.py"],
]


def main() -> int:
    python = install.python(TARGET / "python-tests", ROOT / "tests" / "python" / "requirements.txt")
    given = sys.argv[1:]
    if "--keep" in given:
        given.remove("--keep")
    else:
        build_and_install(python)
    # No source folder is on the path, so the installed package is imported.
    environment = os.environ | {"GPTIMAGE_WHEELS": str(WHEELS), "CARGO_TARGET_DIR": str(TARGET), "PYTHONSAFEPATH": "1"}
    steps: list[list[str | Path]] = [[python, "-m", "pytest", f"--junitxml={RESULTS}", *given]]
    if not given:
        steps += [[python, "-m", "mypy", "--cache-dir", TARGET / "mypy", *typed] for typed in TYPED]
        allowed = ROOT / "tests" / "python" / "stubtest_allowlist.txt"
        stubtest: list[str | Path] = [python, "-m", "mypy.stubtest", "gptimage", "--mypy-config-file", ROOT / "pyproject.toml"]
        steps.append([*stubtest, "--allowlist", allowed, "--ignore-unused-allowlist"])
    for step in steps:
        print("$", *step[1:], flush=True)
        if code := subprocess.run(list(map(str, step)), cwd=ROOT, env=environment).returncode:
            return code
    for name, why in skipped():
        install.skipped(f"Python: {name}", why)
    return 0


def skipped() -> list[tuple[str, str]]:
    """The tests that pytest skipped, and why."""
    cases = xml.parse(RESULTS).getroot().iter("testcase")
    found = ((case.get("name", ""), case.find("skipped")) for case in cases)
    return [(name, mark.get("message", "")) for name, mark in found if mark is not None and mark.get("type") == "pytest.skip"]


def build_and_install(python: Path) -> None:
    shutil.rmtree(WHEELS, ignore_errors=True)
    maturin = python.with_name("maturin")
    print_now("building the wheel")
    subprocess.run([maturin, "build", "--release", "--out", WHEELS], cwd=ROOT, check=True)
    subprocess.run([maturin, "sdist", "--out", WHEELS], cwd=ROOT, check=True)
    (wheel,) = WHEELS.glob("*.whl")
    print_now(f"installing {wheel.name}, {wheel.stat().st_size / 2**20:.1f} MiB")
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--force-reinstall", wheel], cwd=ROOT, check=True)


def print_now(what: str) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except install.Skipped as why:
        sys.exit(f"the Python package cannot be built and tested: {why}")
