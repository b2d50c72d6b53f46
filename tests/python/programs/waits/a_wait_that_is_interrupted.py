"""Ctrl-C comes while the exit waits for the call of a daemon thread."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from exiting import OPTIONS, SENT, note_sent
from gptimage import Client

signal.signal(signal.SIGINT, signal.default_int_handler)
client = Client(**OPTIONS)


def waits() -> bool:
    """Whether the exit waits: the main thread is in no code of Python's any more."""
    main = threading.main_thread()
    return main.ident not in sys._current_frames() or not main.is_alive()


def interrupt() -> None:
    SENT.wait()
    while not waits():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


threading.Thread(target=interrupt, daemon=True).start()
threading.Thread(target=client.generate, args=("x",), kwargs={"progress": note_sent}, daemon=True).start()
SENT.wait()
