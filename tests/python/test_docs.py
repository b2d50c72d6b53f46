"""Checks that the Python code in the pages runs unchanged, and that docs/python.md is complete."""

from __future__ import annotations

import ast
import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gptimage
from gptimage import Client, Emulator, Mask

ROOT = Path(__file__).parents[2]
PAGES = ["docs/python.md", "README.md"]
PACKAGE = Path(gptimage.__file__).parent

PICTURE = re.compile(r"[\w -]+\.(png|jpe?g|webp)")


def blocks(page: str) -> list[ast.Module]:
    """The page's Python, block by block, with the page's line numbers."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S):
        tree = ast.parse(block[1], page)
        ast.increment_lineno(tree, text.count("\n", 0, block.start(1)))
        found.append(tree)
    return found


def is_for_pytest(block: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in block.body)


def written(node: ast.AST) -> Iterator[ast.expr]:
    """What is saved to here."""
    if isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "save_to")
        if isinstance(node.func, ast.Attribute) and node.func.attr == "save":
            yield from node.args[:1]


def needed(block: ast.Module) -> dict[str, bool]:
    """The files that the block reads and has not written, each with whether it is a mask."""
    nodes = list(ast.walk(block))
    targets = {id(target) for node in nodes for target in written(node)}
    masks = {id(node.value) for node in nodes if isinstance(node, ast.keyword) and node.arg == "mask"}
    names = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    names.sort(key=lambda node: (node.lineno, node.col_offset))
    first: dict[str, ast.Constant] = {}
    for node in names:
        if PICTURE.fullmatch(str(node.value)):
            first.setdefault(str(node.value), node)
    return {name: id(node) in masks for name, node in first.items() if id(node) not in targets}


def make(name: str, is_mask: bool, client: Client) -> None:
    """A picture of this name, or a mask for one."""
    if is_mask:
        Mask.from_boxes((1536, 1024), [(0, 0, 1536, 400)]).save(name)
        return
    kind = Path(name).suffix.removeprefix(".").replace("jpg", "jpeg")
    client.generate(Path(name).stem, size="1536x1024", output_format=kind, save_to=name)


def run_page(page: str) -> None:
    """Runs the page's blocks one after another, each in a folder of its own that has the files that it needs."""
    import asyncio
    import inspect

    names: dict[str, Any] = {"__name__": "__main__"}
    with Emulator() as studio:
        client = studio.client()
        for number, block in enumerate(blocks(page)):
            if is_for_pytest(block):
                continue
            folder = Path.cwd() / str(number)
            folder.mkdir()
            os.chdir(folder)
            for name, is_mask in needed(block).items():
                make(name, is_mask, client)
            code = compile(block, ROOT / page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, names)
            if inspect.iscoroutine(result):
                asyncio.run(result)
            os.chdir(folder.parent)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs(page: str, gptimage_emulator: Emulator, tmp_path: Path) -> None:
    assert blocks(page)
    environment = {"AIMLAPI_KEY": gptimage_emulator.key, "AIMLAPI_BASE_URL": gptimage_emulator.url}
    program = subprocess.run(
        # In a process of its own, because pages set up logging. Files may be left open, as in openai-python's
        # examples.
        [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", __file__, page],
        cwd=tmp_path,
        env={**os.environ, **environment, "COLUMNS": "80"},
        capture_output=True,
        text=True,
    )
    assert program.returncode == 0, program.stdout + program.stderr
    assert "Traceback" not in program.stderr, program.stderr
    # No page pays for a result that it does not receive.
    assert gptimage_emulator.ledger
    assert all(entry.charge and entry.delivered for entry in gptimage_emulator.ledger)


def test_the_pages_tests_run(tmp_path: Path) -> None:
    tests = [block for page in PAGES for block in blocks(page) if is_for_pytest(block)]
    assert tests
    for number, block in enumerate(tests):
        (tmp_path / f"test_block_{number}.py").write_text(ast.unparse(block), encoding="utf-8")
    program = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert program.returncode == 0, program.stdout + program.stderr


def test_links_lead_somewhere() -> None:
    page = ROOT / "docs" / "python.md"
    text = page.read_text(encoding="utf-8")
    headings = {heading.lower().replace(" ", "-").replace(",", "") for heading in re.findall(r"^#+ (.*)$", text, re.M)}
    for link in re.findall(r"\]\(([^)]*)\)", text):
        path, _, anchor = link.partition("#")
        assert not path or (page.parent / path).exists(), link
        assert not anchor or anchor in headings, link


def docstrings() -> Iterator[tuple[str, str]]:
    for path in sorted([*PACKAGE.glob("*.py"), *PACKAGE.glob("*.pyi")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_docstring(node) or ""
                if ">>>" in text:
                    yield f"{path.name}:{getattr(node, 'name', 'module')}", text


@pytest.mark.parametrize(("where", "text"), [pytest.param(*found, id=found[0]) for found in docstrings()])
def test_docstrings_hold_python(where: str, text: str) -> None:
    examples = doctest.DocTestParser().get_examples(text)
    assert examples
    for example in examples:
        compile(example.source, where, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


if __name__ == "__main__":
    run_page(sys.argv[1])
