"""Checks that an editor shows the same text for the compiled part as `help`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gptimage
from gptimage import _core

STUB = Path(gptimage.__file__).with_name("_core.pyi")


def documented(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, str]]:
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.ClassDef)):
            text = ast.get_docstring(item)
            if text is not None:
                yield prefix + item.name, text
            if isinstance(item, ast.ClassDef):
                yield from documented(item, f"{prefix}{item.name}.")


@pytest.mark.parametrize(("name", "text"), list(documented(ast.parse(STUB.read_text("utf-8")))))
def test_the_stub_says_what_help_says(name: str, text: str) -> None:
    found: object = _core
    for part in name.split("."):
        found = getattr(found, part)
    assert " ".join((found.__doc__ or "").split()) == " ".join(text.split())
