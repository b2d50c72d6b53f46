"""Reads the prototypes of gptimage.h from its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "include" / "gptimage.h"

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#.*$", re.MULTILINE)
_PROTOTYPE = re.compile(
    r"^(?P<result>[a-z][\w ]*?[ *]+)(?P<name>gptimage_\w+)\((?P<parameters>[^()]*)\);", re.MULTILINE
)
_CONSTANT = re.compile(r"^#define (GPTIMAGE_(?:STATUS|PHASE|LOG_LEVEL)_\w+) (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """One parameter; its type as in C, with single spaces, and a star behind what it points to."""

    type: str
    name: str

    @property
    def is_pointer(self) -> bool:
        return self.type.endswith("*") or self.type.endswith("_callback_t")


@dataclass(frozen=True)
class Prototype:
    """One function."""

    result: str
    name: str
    parameters: tuple[Parameter, ...]


def _type(text: str) -> str:
    return " ".join(re.sub(r"\*", " * ", text).split())


def _parameter(text: str) -> Parameter:
    found = re.fullmatch(r"(.*?[ *])(\w+)", text.strip(), re.DOTALL)
    assert found, f"not understood as a parameter: {text!r}"
    return Parameter(_type(found[1]), found[2])


def prototypes(header: Path = HEADER) -> list[Prototype]:
    """Every function that the header declares, in its order."""
    code = _DIRECTIVE.sub("", _COMMENT.sub("", header.read_text("utf-8")))
    read = []
    for found in _PROTOTYPE.finditer(code):
        parameters = "" if found["parameters"].strip() == "void" else found["parameters"]
        listed = tuple(_parameter(text) for text in parameters.split(",")) if parameters else ()
        read.append(Prototype(_type(found["result"]), found["name"], listed))
    # In a type of a function, the name is in parentheses; every other `gptimage_…(` is a prototype.
    assert len(read) == len(re.findall(r"\bgptimage_\w+\s*\(", code)), "a prototype was not understood"
    return read


def constants(header: Path = HEADER) -> dict[str, int]:
    """The numbers of statuses, phases and levels."""
    return {name: int(number) for name, number in _CONSTANT.findall(header.read_text("utf-8"))}
