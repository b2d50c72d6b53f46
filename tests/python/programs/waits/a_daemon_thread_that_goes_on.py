"""A daemon thread makes one call after another."""

from __future__ import annotations

import sys
import threading

from exiting import OPTIONS, SENT, note_sent
from gptimage import Client

client = Client(**OPTIONS)


def work() -> None:
    while True:
        made = client.generate("x", progress=note_sent)
        sys.stdout.write(f"{made.image.format}\n")


threading.Thread(target=work, daemon=True).start()
SENT.wait()
