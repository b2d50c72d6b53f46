"""Daemon threads decode a picture with Pillow while the interpreter ends."""

from __future__ import annotations

import importlib.util
import sys
import threading

from exiting import OPTIONS, wait_a_while
from gptimage import Client

if importlib.util.find_spec("PIL") is None:
    sys.exit()
client = Client(**OPTIONS)
image = client.generate("x").image
started = threading.Event()


def work() -> None:
    while True:
        image.to_pil()
        started.set()


for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
started.wait()
wait_a_while()
