"""Creates the inputs that a case of requests.toml describes, in the test's own folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cases_shared import FIXTURES, fixture

# A path, bytes from memory, or a text that stands for a path.
Made = Path | bytes | str

_KEYS = {"file", "length", "name", "bytes_of", "text", "missing", "url", "folder", "fifo"}


def possible(described: str | dict[str, Any]) -> bool:
    """Whether this system has such a thing."""
    return isinstance(described, str) or not described.get("fifo") or hasattr(os, "mkfifo")


def make(described: str | dict[str, Any], folder: Path) -> Made:
    if isinstance(described, str):
        return FIXTURES / described
    assert described.keys() <= _KEYS, f"not understood: {described}"
    path = folder / str(described.get("name") or described.get("file") or "input")
    match described:
        case {"bytes_of": str(name)}:
            return fixture(name)
        case {"url": str(url)}:
            return url
        case {"file": str(name)}:
            with path.open("wb") as file:
                file.write(fixture(name))
                if "length" in described:
                    file.truncate(described["length"])
        case {"text": str(text)}:
            path.write_bytes(text.encode())
        case {"missing": True}:
            pass
        case {"folder": True}:
            path.mkdir()
        case {"fifo": True}:
            os.mkfifo(path)
        case _:
            raise AssertionError(f"this describes no input: {described}")
    return path


def read(made: Made) -> bytes:
    return made if isinstance(made, bytes) else Path(made).read_bytes()
