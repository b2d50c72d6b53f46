"""Daemon threads make calls with progress functions while the interpreter ends."""

from __future__ import annotations

import threading

from exiting import OPTIONS, wait_a_while
from gptimage import Client

client = Client(**OPTIONS)


def work() -> None:
    while True:
        client.generate("x", progress=lambda now: None, response_format="b64_json")


for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
wait_a_while()
