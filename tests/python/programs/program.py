"""Shared by the programs of this folder. Tests run each program in a process of its own (see processes.py)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType

import gptimage
from gptimage import Client, Progress

PACKAGE = str(Path(gptimage.__file__).parent) + os.sep

# Objects that must live until the interpreter ends, like the globals of a script.
KEPT: list[object] = []


def run_chosen() -> None:
    """Calls the function of the main module that the first argument names, with the other arguments."""
    name, *arguments = sys.argv[1:]
    vars(sys.modules["__main__"])[name](*arguments)


def until(condition: Callable[[], object], what: str) -> None:
    """Waits for a condition. Ends the process with code 99 if it does not hold within 30 s."""
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            print(f"waited too long until {what}", file=sys.stderr)
            os._exit(99)
        time.sleep(0.001)


def is_of_the_package(code: CodeType) -> bool:
    """Whether this code belongs to the installed gptimage."""
    return code.co_filename.startswith(PACKAGE)


def was_sent(now: Progress) -> bool:
    """Whether the request has left, so that the call may be charged."""
    return now.phase not in ("planned", "connecting", "sending")


class Left(BaseException):
    """Raised by a progress function to leave a call."""


def leave(client: Client, prompt: str) -> None:
    """Makes a call and leaves it once it was sent: its result is kept for `collect`."""

    def progress(now: Progress) -> None:
        if was_sent(now):
            raise Left

    try:
        client.generate(prompt, progress=progress)
    except Left:
        return
    raise SystemExit("the call ended before it could be left")
