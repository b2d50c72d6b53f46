"""Shared by the programs about Ctrl-C.

A thread sends SIGINT once a condition holds, as a terminal would. The main thread prints how long it took until
KeyboardInterrupt came, and what was on it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from gptimage import Client, Emulator, Generated, GptImageError
from program import is_of_the_package, until

Report = dict[str, Any]

signal.signal(signal.SIGINT, signal.default_int_handler)
MAIN = threading.main_thread().ident or 0
# The times at which signals were sent.
SENT: list[float] = []


def interrupt_when(condition: Callable[[], object]) -> None:
    """Sends SIGINT to this process once a condition holds."""

    def watch() -> None:
        until(condition, "the condition holds")
        SENT.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()


def send_when(condition: Callable[[], object], number: int) -> None:
    """Sends another signal to this process once a condition holds."""

    def watch() -> None:
        until(condition, "the condition holds")
        os.kill(os.getpid(), number)

    threading.Thread(target=watch, daemon=True).start()


def is_in(name: str) -> bool:
    """Whether the main thread is in a function of gptimage of this name."""
    frame: FrameType | None = sys._current_frames().get(MAIN)
    while frame is not None:
        if frame.f_code.co_name == name and is_of_the_package(frame.f_code):
            return True
        frame = frame.f_back
    return False


def stands_still() -> Callable[[], bool]:
    """A condition: fifty samples in a row have found the main thread in one and the same call of gptimage."""
    samples: list[tuple[int, int]] = []

    def is_still() -> bool:
        frame = sys._current_frames().get(MAIN)
        if frame is None or not is_of_the_package(frame.f_code):
            samples.clear()
            return False
        place = id(frame), frame.f_lasti
        if samples and samples[-1] != place:
            samples.clear()
        samples.append(place)
        return len(samples) > 50

    return is_still


def interrupted(work: Callable[[], object]) -> Report:
    """Does some work that is interrupted, and returns the report of the interrupt."""
    try:
        work()
    except KeyboardInterrupt as stopped:
        seconds = time.monotonic() - SENT[-1]
        cause = stopped.__cause__
        assert cause is None or isinstance(cause, GptImageError), cause
        return {
            "ms": seconds * 1000,
            "notes": getattr(stopped, "__notes__", []),
            "cause": cause and cause.kind,
            "charge": cause and cause.charge,
            "phase": cause.attempts[-1].phase if cause and cause.attempts else None,
        }
    raise SystemExit("it was not interrupted")


def print_report(report: Report, client: Client | None = None, emulator: Emulator | None = None) -> None:
    """Prints the report, with what the client has kept and what the emulator has charged."""
    if client is not None:
        client.drain()
        kept = client.collect()
        report["kept"] = [type(outcome).__name__ for outcome in kept]
        report["formats"] = [outcome.image.format for outcome in kept if isinstance(outcome, Generated)]
        report["again"] = len(client.collect())
    if emulator is not None:
        report["charges"] = emulator.charges
        report["arrived"] = [entry.arrived_whole for entry in emulator.ledger]
    print(json.dumps(report))


class Listener:
    """Accepts one connection, reads so many bytes of it, and then does nothing until asked."""

    def __init__(self, wanted: int) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/v1"
        self.got = b""
        self.go_on = threading.Event()
        self.ended = threading.Event()
        self._wanted = wanted
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.socket.accept()
        with connection:
            while len(self.got) < self._wanted:
                part = connection.recv(self._wanted - len(self.got))
                if not part:
                    break
                self.got += part
            self.go_on.wait()
            try:
                while part := connection.recv(1 << 20):
                    self.got += part
            except ConnectionError:
                pass
        self.ended.set()
