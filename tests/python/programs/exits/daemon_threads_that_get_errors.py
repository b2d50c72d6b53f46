"""Daemon threads get one error after another while the interpreter ends."""

from __future__ import annotations

import threading

from exiting import OPTIONS, wait_a_while
from gptimage import Client, InvalidRequestError

client = Client(**OPTIONS)
started = threading.Event()


def work() -> None:
    while True:
        try:
            client.generate("")
        except InvalidRequestError:
            started.set()


for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
started.wait()
wait_a_while()
