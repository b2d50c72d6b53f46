"""Checks that the shared library exports exactly the functions of gptimage.h.

    python3 tests/c/check_symbols.py target/release/libgptimage.so
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import header


def main() -> int:
    found = exported(Path(sys.argv[1]))
    declared = {prototype.name for prototype in header.prototypes()}
    problems = [
        *(f"{name} is exported, and gptimage.h does not declare it" for name in sorted(found - declared)),
        *(f"{name} is declared in gptimage.h, and not exported" for name in sorted(declared - found)),
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def exported(library: Path) -> set[str]:
    """The names that the library defines for others."""
    command = ["nm", "-D", "--defined-only", "--format=posix", str(library)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # A version's own name is an absolute symbol, not a function.
    return {line.split()[0].partition("@")[0] for line in listing.splitlines() if line.split()[1] != "A"}


if __name__ == "__main__":
    sys.exit(main())
