"""Programs that measure their own memory: measured.py NAME URL PICTURE ARGUMENT..."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gptimage import Client, Image
from program import run_chosen

MB = 1 << 20


def memory(name: str = "VmRSS") -> int:
    """A line of /proc/self/status, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


class Growth:
    """How much memory this process has taken, at most, since this object was made."""

    def __init__(self) -> None:
        gc.collect()
        self._start = memory()
        # Resets VmHWM.
        Path("/proc/self/clear_refs").write_text("5")

    def megabytes(self) -> float:
        return (max(memory(), memory("VmHWM")) - self._start) / MB


def client_of(url: str) -> Client:
    """A client that has made a connection, so that what it needs is there."""
    client = Client(api_key="k", base_url=url, proxy=False)
    client.balance()
    return client


def touched(view: memoryview) -> int:
    """Reads every page, so that a copy made lazily would count."""
    return sum(view[::4096])


def views_of_a_result(url: str, picture: str, response_format: Any) -> None:
    client = client_of(url)
    before = memory()
    made = client.generate("x", response_format=response_format)
    image: Image = made.image
    held = memory() - before
    growth = Growth()
    views = [memoryview(image) for _ in range(100)]
    sums = {touched(view) for view in views[:3]}
    viewed = growth.megabytes()
    # Checks the measurement itself: a copy must be visible.
    image.read()
    copied = growth.megabytes()
    whole = Path(picture).read_bytes()
    assert views[0] == whole and views[99].readonly and views[0].nbytes == image.nbytes == len(whole)
    assert sums == {touched(memoryview(whole))}
    del whole
    # The view keeps the image's bytes alive after the rest is deleted.
    view = views[0]
    del views, image, made
    gc.collect()
    assert touched(view) in sums
    del view
    gc.collect()
    left = (memory() - before) / MB
    print(json.dumps({"held": held / MB, "viewed": viewed, "copied": copied, "left": left}))


def large_inputs(url: str, picture: str, source: str) -> None:
    client = client_of(url)
    grown = {}
    content = Path(source).read_bytes()
    client.edit("x", image=Path(source), fetch=False)
    # The last one checks the measurement itself: a bytearray can be changed while it is sent, so it is copied.
    inputs: list[tuple[str, Any]] = [
        ("file", Path(source)),
        ("bytes", content),
        ("list", [content] * 4),
        ("bytearray", bytearray(content)),
    ]
    for name, image in inputs:
        growth = Growth()
        client.edit("x", image=image, fetch=False)
        grown[name] = growth.megabytes()
    print(json.dumps(grown))


def an_input_given_back(url: str, picture: str, source: str) -> None:
    client = client_of(url)
    content = Path(source).read_bytes()
    plain = sys.getrefcount(content)
    client.edit("x", image=content, fetch=False)
    # Rust drops its reference the next time that it calls Python.
    client.balance()
    print(sys.getrefcount(content) - plain)


def saving(url: str, picture: str, folder: str, response_format: Any) -> None:
    client = client_of(url)
    target = Path(folder)
    client.generate("x", response_format=response_format, save_to=target / "warm.png")
    growth = Growth()
    made = client.generate("x", response_format=response_format, save_to=target / "picture.png")
    grown = growth.megabytes()
    assert made.image.location == "file" and made.image.path == target / "picture.png"
    assert made.image.nbytes == Path(picture).stat().st_size
    print(json.dumps({"grown": grown}))


def resources() -> tuple[float, ...]:
    """Memory in MB, objects of Python's, open files and threads."""
    gc.collect()
    folders = ("/proc/self/fd", "/proc/self/task")
    return memory() / MB, len(gc.get_objects()), *(len(os.listdir(folder)) for folder in folders)


def growth_of(work: Callable[[], object], rounds: int) -> None:
    """Prints what so many rounds of some work leave, after half as many to warm up."""
    for _ in range(rounds // 2):
        work()
    before = resources()
    for _ in range(rounds):
        work()
    print(json.dumps([new - old for new, old in zip(resources(), before, strict=True)]))


if __name__ == "__main__":
    run_chosen()
