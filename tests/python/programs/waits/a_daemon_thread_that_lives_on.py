"""A daemon thread waits for a call and then does something else."""

from __future__ import annotations

import sys
import threading
import time

from exiting import OPTIONS, SENT, note_sent
from gptimage import Client

client = Client(**OPTIONS)


def work() -> None:
    made = client.generate("x", progress=note_sent)
    sys.stdout.write(f"{made.image.format}\n")
    time.sleep(1000)


threading.Thread(target=work, daemon=True).start()
SENT.wait()
