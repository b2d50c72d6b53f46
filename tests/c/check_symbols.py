"""What the shared library exports: exactly the functions of symbols.txt, which are exactly those of gptimage.h.

    python3 tests/c/check_symbols.py target/release/libgptimage.so
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import header

LISTED = Path(__file__).resolve().with_name("symbols.txt")


def main() -> int:
    library = Path(sys.argv[1])
    listed = LISTED.read_text("utf-8").splitlines()
    found = exported(library)
    problems = [
        *(f"{name} is exported, and not in {LISTED.name}" for name in sorted(found - set(listed))),
        *(f"{name} is in {LISTED.name}, and not exported" for name in sorted(set(listed) - found)),
    ]
    declared = {prototype.name for prototype in header.prototypes()}
    problems += [f"{name} is exported or declared, and not both" for name in sorted(declared ^ found)]
    if listed != sorted(set(listed)):
        problems.append(f"{LISTED.name} is not sorted")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def exported(library: Path) -> set[str]:
    """The names that the library defines for others."""
    command = ["nm", "-D", "--defined-only", "--format=posix", str(library)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # A version's own name is absolute, and no function.
    return {line.split()[0].partition("@")[0] for line in listing.splitlines() if line.split()[1] != "A"}


if __name__ == "__main__":
    sys.exit(main())
