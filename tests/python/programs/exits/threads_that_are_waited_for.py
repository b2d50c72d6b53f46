"""Non-daemon threads make calls; the interpreter waits for them."""

from __future__ import annotations

import sys
import threading

from exiting import OPTIONS
from gptimage import Client

client = Client(**OPTIONS)


def work() -> None:
    sys.stdout.write(f"{client.generate('x').image.format}\n")


for _ in range(4):
    threading.Thread(target=work).start()
