"""Shared by the programs whose interpreter ends: PROGRAM URL SEED [EXIT_WAIT [SALVAGE_FOLDER]].

The emulator runs in the test's process, and its responses come at all times: before, during and after the exit.
"""

from __future__ import annotations

import logging
import random
import sys
import threading
import time
from typing import Any

from gptimage import Client, GptImageError, Progress
from program import was_sent

URL, RANDOM = sys.argv[1], random.Random(int(sys.argv[2]))
OPTIONS: dict[str, Any] = {"api_key": "k", "base_url": URL, "proxy": False}
if len(sys.argv) > 3:
    OPTIONS["exit_wait"] = float(sys.argv[3])
if len(sys.argv) > 4:
    OPTIONS["salvage_folder"] = sys.argv[4]

SENT = threading.Event()


def note_sent(now: Progress) -> None:
    """A progress function: sets SENT once the request has left."""
    if was_sent(now):
        SENT.set()


def a_while() -> float:
    """Up to 60 ms, by the seed."""
    return RANDOM.uniform(0, 0.06)


def wait_a_while() -> None:
    time.sleep(a_while())


def call_for_ever(client: Client, threads: int = 4) -> None:
    """Calls one after another on daemon threads."""

    def work() -> None:
        while True:
            try:
                client.generate("x")
            except GptImageError:
                pass

    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()


class Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def log_everything() -> None:
    logging.getLogger("gptimage").addHandler(Lines())
    logging.getLogger("gptimage").setLevel(logging.DEBUG)
