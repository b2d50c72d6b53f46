"""The process ends by an interrupt."""

from __future__ import annotations

import os
import signal
import threading

from exiting import OPTIONS, call_for_ever, wait_a_while
from gptimage import Client

signal.signal(signal.SIGINT, signal.default_int_handler)
client = Client(**OPTIONS)
# Python does not recover from an interrupt in the middle of an import, so everything is imported before.
client.generate("x")
call_for_ever(client, 2)


def interrupt() -> None:
    wait_a_while()
    os.kill(os.getpid(), signal.SIGINT)


threading.Thread(target=interrupt, daemon=True).start()
while True:
    client.generate("x")
