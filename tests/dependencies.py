"""Compares the table of dependencies in ARCHITECTURE.md with the Cargo.toml files, in both directions.

    tests/with-python tests/dependencies.py

A row without a crate continues the one above it. A dependency is named in the rows of its crate, or in the first rows,
which are for libraries that several crates use. What only tests use may be named in any row.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = "several"
TESTS = "tests"
# The Cargo.toml files that each row of the table covers.
CRATES = {
    "model": ["crates/model"],
    "core": ["crates/core"],
    "emulator": ["crates/emulator"],
    "command": ["crates/cli"],
    "bindings": ["bindings/py", "bindings/ffi", "bindings/shared", "bindings/header"],
}
OF_TESTS = ["tests/torture", "bench", "fuzz", "fuzz/c"]


def rows() -> dict[str, set[str]]:
    """The dependencies that the table names, by what the first column says."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    _, _, section = text.partition("\n## Dependencies")
    named: dict[str, set[str]] = {}
    group = ""
    for cells in re.findall(r"^\| ([^|]*)\| (`[^|]*)\|[^|]*\|$", section.partition("\n## ")[0], re.MULTILINE):
        group = cells[0].strip() or group
        named.setdefault(group, set()).update(re.findall(r"`([^`]+)`", cells[1]))
    return named


def used(folder: str, kinds: tuple[str, ...]) -> set[str]:
    """The dependencies of a crate that are not crates of this project."""
    manifest = tomllib.loads((ROOT / folder / "Cargo.toml").read_text("utf-8"))
    tables = [manifest, *manifest.get("target", {}).values()]
    names = {name for table in tables for kind in kinds for name in table.get(kind, {})}
    return {name for name in names if not name.startswith("gptimage-")}


def main() -> int:
    named = rows()
    normal = ("dependencies", "build-dependencies")
    of = {group: set().union(*(used(folder, normal) for folder in folders)) for group, folders in CRATES.items()}
    crates = [folder for folders in CRATES.values() for folder in folders]
    tests = set().union(
        *(used(folder, ("dev-dependencies",)) for folder in [*crates, *OF_TESTS]), *(used(folder, normal) for folder in OF_TESTS)
    )
    several = {name for name in set().union(*of.values()) if sum(name in names for names in of.values()) > 1}
    wrong = [f"has the rows {group}, which is not a group of crates" for group in sorted(named.keys() - CRATES.keys() - {SHARED, TESTS})]
    for group, names in of.items():
        rows_of = named.get(group, set())
        wrong += [f"lacks {name}, a dependency of {group}" for name in sorted(names - rows_of - named.get(SHARED, set()))]
        wrong += [f"has {name}, which is not a dependency of {group}" for name in sorted(rows_of - names)]
    wrong += [f"has {name} for several crates, and not two use it" for name in sorted(named.get(SHARED, set()) - several)]
    wrong += [f"lacks {name}, a dependency of tests" for name in sorted(tests - set().union(*named.values()))]
    wrong += [f"has {name}, which is not a dependency of tests" for name in sorted(named.get(TESTS, set()) - tests)]
    for line in wrong:
        print(f"ARCHITECTURE.md: the table of dependencies {line}", file=sys.stderr)
    if not wrong:
        print(f"dependencies: {len(set().union(*named.values()))} in the table of ARCHITECTURE.md, as in the Cargo.toml files")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
