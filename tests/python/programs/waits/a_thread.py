"""A non-daemon thread waits for a call."""

from __future__ import annotations

import sys
import threading

from exiting import OPTIONS, SENT, note_sent
from gptimage import Client

client = Client(**OPTIONS)


def work() -> None:
    made = client.generate("x", progress=note_sent)
    sys.stdout.write(f"{made.image.format}\n")


threading.Thread(target=work).start()
SENT.wait()
