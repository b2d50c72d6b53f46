"""Checks that every language and page has exactly the names that core has, and reports the file and the name.

    target/debug/gptimage-lists > target/lists.json
    python3 tests/parity/check.py target/lists.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from places import ROOT, Lists, places, problems, read


def main() -> int:
    lists = Lists(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    compared = places(lists)
    # A place may bring its own text and only name the file, but the file must exist all the same.
    wrong = [f"{file}: no such file" for file in sorted({place.file for place in compared}) if not (ROOT / file).exists()]
    wrong = wrong or [problem for place in compared for problem in problems(place, read(ROOT, place))]
    for problem in wrong:
        print(problem, file=sys.stderr)
    if not wrong:
        names = sum(len(place.wanted) for place in compared)
        print(f"parity: {names} names in {len(compared)} places of {len({place.file for place in compared})} files")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
