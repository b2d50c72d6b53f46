"""Checks that the parity check notices errors: in a copy, removes each name, and adds one that core does not have.

    python3 tests/parity/bites.py target/lists.json
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from places import ROOT, Lists, Place, places, problems, read


def main() -> int:
    printed = Path(sys.argv[1])
    compared = places(Lists(json.loads(printed.read_text("utf-8"))))
    failures: list[str] = []
    for place in compared:
        failures += unnoticed(place)
    failures += through_the_program(printed, compared)
    for failure in failures:
        print(failure, file=sys.stderr)
    if not failures:
        taken = sum(len(present(place)) for place in compared)
        print(f"parity: each of {taken} names is missed when it is taken away")
    return 1 if failures else 0


def present(place: Place) -> list[str]:
    """The names that a place has to have."""
    return [name for name in place.wanted if name not in place.absent]


def renamed(place: Place, text: str, names: list[str]) -> str:
    """The text with these names spelled otherwise, wherever the place has them."""
    for offset in sorted({offset for found, offset in place.read(text) if found in names}, reverse=True):
        text = f"{text[:offset]}ZZ_{text[offset:]}"
    return text


def unnoticed(place: Place) -> list[str]:
    """What the check does not say, or says without reason, of a place that spells all of its names otherwise."""
    said = problems(place, renamed(place, read(ROOT, place), present(place)))
    where = f"{place.file}: {place.where}"
    due = [f"{where} lacks the {place.noun} {name} ({place.source})" for name in present(place)]
    if place.beside is not None:
        due += [f"{where} has the {place.noun} ZZ_{name}, which is not one of {place.source}" for name in present(place)]
    return [f"not noticed: {line}" for line in due if line not in said] + [
        f"said without reason: {line}" for line in said if line not in due
    ]


def through_the_program(printed: Path, compared: list[Place]) -> list[str]:
    """The program itself says it, once for each file, and for lists that have a name more."""
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "tests" / "parity", copy / "tests" / "parity", ignore=shutil.ignore_patterns("__pycache__"))
        files = {place.file: place for place in compared if place.text is None}
        for file in {place.file for place in compared}:
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / file).is_dir():
                (copy / file).mkdir(exist_ok=True)
            else:
                shutil.copy(ROOT / file, copy / file)

        def check(lists: Path) -> tuple[int, str]:
            command = [sys.executable, str(copy / "tests" / "parity" / "check.py"), str(lists)]
            done = subprocess.run(command, capture_output=True, text=True)
            return done.returncode, done.stderr

        if check(printed) != (0, ""):
            return [f"the copy is not as the original: {check(printed)}"]
        for file, place in files.items():
            name = present(place)[0]
            text = (copy / file).read_text("utf-8")
            (copy / file).write_text(renamed(place, text, [name]), "utf-8")
            code, said = check(printed)
            (copy / file).write_text(text, "utf-8")
            if code != 1 or f"{file}: {place.where} lacks the {place.noun} {name} ({place.source})" not in said:
                failures.append(f"check.py does not say that {file} lacks {name}: {code}, {said}")
        for file in {place.file for place in compared if place.text is not None} - set(files):
            (copy / file).rename(copy / "renamed")
            code, said = check(printed)
            (copy / "renamed").rename(copy / file)
            if (code, said) != (1, f"{file}: no such file\n"):
                failures.append(f"check.py does not say that {file} is missing: {code}, {said}")
        failures += new_names(printed, copy, check)
    return failures


# Files that must name a new parameter and a new kind of error; the recipes in CONTRIBUTING.md name the same files.
FORGOTTEN_PARAMETER = [
    "include/gptimage.h: gptimage_generate_request_t lacks the setter zz_mood",
    "include/gptimage.h: gptimage_edit_request_t lacks the setter zz_mood",
    "include/gptimage.hpp: Request, for variables, lacks the setter zz_mood",
    "include/gptimage.hpp: Request, for temporaries, lacks the setter zz_mood",
    "python/gptimage/client.py: Client.generate() lacks the keyword zz_mood",
    "python/gptimage/client.py: Client.edit() lacks the keyword zz_mood",
    "python/gptimage/client.py: AsyncClient.generate() lacks the keyword zz_mood",
    "python/gptimage/client.py: AsyncClient.edit() lacks the keyword zz_mood",
    "python/gptimage/client.py: the docstring of Client.generate() lacks the keyword zz_mood",
    "crates/emulator/src/api: the judgement of generate lacks the parameter zz_mood",
    "crates/emulator/src/api: the judgement of edit lacks the parameter zz_mood",
    "crates/cli/src/request_args.rs: gptimage generate lacks the flag zz_mood",
    "crates/cli/src/request_args.rs: gptimage edit lacks the flag zz_mood",
    "docs/python.md: the table of parameters lacks the parameter zz_mood",
    "crates/emulator/tests/rules.rs: TEXTS lacks the parameter zz_mood",
    "tests/cases/requests.toml: the requests lacks the parameter zz_mood",
]
FORGOTTEN_KIND = [
    "include/gptimage.h: the statuses lacks the number ZZ_TIRED = 98",
    "tests/c/contract.c: statuses() lacks the status ZZ_TIRED = zz_tired",
    "bindings/ffi/src/status.rs: same_as_core! lacks the constant ZZ_TIRED = ZzTired",
    "bindings/ffi/src/status.rs: name() lacks the text ZZ_TIRED = zz_tired",
    "tests/cases/errors.toml: the table lacks the row zz_tired, 98, exit 98",
    "include/gptimage.hpp: the exceptions lacks the class ZzTiredError = ZZ_TIRED",
    "include/gptimage.hpp: raise_message() lacks the class ZzTiredError",
    "python/gptimage/exceptions.py: _CLASSES lacks the kind zz_tired",
    "docs/charges.md: the decision table lacks the kind zz_tired",
    "README.md: the table of errors lacks the row zz_tired, 98, exit 98",
]


def new_names(printed: Path, copy: Path, check: object) -> list[str]:
    """A parameter and a kind of error that only core has: every place that was forgotten is named, and no other."""
    assert callable(check)
    failures = []
    for change, forgotten in ((a_parameter, FORGOTTEN_PARAMETER), (a_kind, FORGOTTEN_KIND)):
        data = json.loads(printed.read_text("utf-8"))
        change(data)
        lists = copy / "lists.json"
        lists.write_text(json.dumps(data), "utf-8")
        code, said = check(lists)
        named = [line.rpartition(" (")[0] for line in said.splitlines()]
        if code != 1 or sorted(named) != sorted(forgotten):
            failures.append(f"forgotten places of {change.__name__}: {sorted(set(named) ^ set(forgotten))}")
    return failures


def a_parameter(data: dict) -> None:  # type: ignore[type-arg]
    data["parameters"].append({"name": "zz_mood", "operations": ["generate", "edit"], "integer": False})


def a_kind(data: dict) -> None:  # type: ignore[type-arg]
    data["error_kinds"].append({"name": "zz_tired", "variant": "ZzTired", "number": 98, "exit_code": 98})


if __name__ == "__main__":
    sys.exit(main())
