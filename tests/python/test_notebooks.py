"""The notebooks in examples/notebooks: committed without outputs, and every cell shows what it is meant to show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "examples" / "notebooks"

# The cells whose output ends with an image.
PICTURES = {
    "quickstart": {"generate", "save-to", "edit", "gallery", "one-of-them", "array-in", "pillow-out", "gather"},
    "edit_with_a_mask": {
        "picture",
        "from-boxes",
        "edit-boxes",
        "from-array",
        "edit-array",
        "from-pillow",
        "edit-pillow",
        "edit-several",
    },
    "cost_and_errors": {"cost", "fetch-again", "collect", "collect-again", "awaited"},
}

# The texts that a notebook must show, besides its images.
SAID = {
    "quickstart": {
        "save-to": "t-rex.png $0.",
        "save-copy": "copy of t-rex.png",
        "gallery": "4 pictures · 1024×1024 png each · $0.",
        "pixels": "((1024, 1536, 3), dtype('uint8'))",
        "balance": " USD)",
    },
    "edit_with_a_mask": {
        "from-boxes": "Mask(1536x1024, 46.9 % editable)",
        "edit-pillow": "3 pictures",
        "refused": "both must have the same dimensions",
    },
    "cost_and_errors": {
        "cost": "1024×1024 png · $0.",
        "refused": "image[1]: ",
        "table": "DownloadError               charged       1",
        "too-late": "the deadline passed",
        "interrupted": "client.collect()",
        "awaited": "unknown gptimage-",
        "ledger": "A slow dawn",
    },
}

# A preview is at most 160 KiB, and is in an output twice, as base64: in HTML, and for frontends that do not show
# HTML.
MOST_IN_AN_OUTPUT = 2 * (160 << 10) * 4 // 3 + 2048


class ThisInterpreter(KernelSpecManager):
    """Every kernel is that of the interpreter that runs the test, whatever kernels are installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name=kernel_name, language="python")


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def execute(name: str, to: Path) -> None:
    """Runs the notebook in the folder that this process is in."""
    notebook = read(NOTEBOOKS / f"{name}.ipynb")
    manager = AsyncKernelManager(kernel_spec_manager=ThisInterpreter())
    NotebookClient(notebook, km=manager, timeout=60, resources={"metadata": {"path": "."}}).execute()
    nbformat.write(notebook, to)  # type: ignore[no-untyped-call]


def shown(output: Any) -> dict[str, str]:
    """An output's MIME types and what they hold."""
    if output.output_type == "stream":
        return {f"stream/{output.name}": output.text}
    return dict(output.data)


def test_every_notebook_is_tested() -> None:
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(PICTURES) == set(SAID)


@pytest.mark.parametrize("name", PICTURES)
def test_a_notebook_is_committed_clean(name: str) -> None:
    text = (NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8")
    plain = json.loads(text)
    assert text == json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
    nbformat.validate(plain)
    assert set(plain["metadata"]) == {"kernelspec", "language_info"}
    assert plain["metadata"]["language_info"] == {"name": "python"}
    for cell in plain["cells"]:
        assert cell["metadata"] == {}
        assert re.fullmatch(r"[a-z][a-z-]*", cell["id"]), "an id that a person gave and no tool changes"
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
        longest = max(map(len, "".join(cell["source"]).splitlines()))
        assert longest <= 120, f"{cell['id']}: {longest} characters in a line"
    start = next("".join(cell["source"]) for cell in plain["cells"] if cell["cell_type"] == "code")
    assert re.search(r"^emulator = gptimage\.Emulator\(.*\)\nclient = emulator\.client\(\)\n# client = ", start, re.M)


@pytest.mark.parametrize("name", PICTURES)
def test_a_notebook_runs(name: str, tmp_path: Path) -> None:
    variables = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    environment = {**os.environ, **{variable: str(tmp_path / variable) for variable in variables}}
    work = tmp_path / "work"
    work.mkdir()
    # In a process of its own, because Jupyter's client leaves sockets open.
    run = subprocess.run(
        [sys.executable, __file__, name, "executed.ipynb"], cwd=work, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    notebook = read(work / "executed.ipynb")

    pictures, said = set(), {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        outputs = [shown(output) for output in cell.outputs]
        if outputs and "image/png" in outputs[-1]:
            pictures.add(cell.id)
        for output in outputs:
            assert "stream/stderr" not in output, output
            assert sum(map(len, output.values())) <= MOST_IN_AN_OUTPUT, f"{cell.id} floods the notebook"
            for kind in ("text/plain", "stream/stdout"):
                assert not re.search(r"[A-Za-z0-9+/]{80}", output.get(kind, "")), f"{cell.id} shows base64"
        texts = (text for output in outputs for kind, text in output.items() if not kind.startswith("image/"))
        said[cell.id] = "\n".join(texts)
    assert pictures == PICTURES[name]
    for cell_id, text in SAID[name].items():
        assert text in said[cell_id], said[cell_id][-2000:]


if __name__ == "__main__":
    execute(sys.argv[1], Path(sys.argv[2]))
