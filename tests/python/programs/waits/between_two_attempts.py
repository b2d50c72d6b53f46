"""The interpreter ends while a call pauses between two attempts."""

from __future__ import annotations

import threading

from exiting import OPTIONS
from gptimage import Client, Progress

client = Client(retry_server_errors=True, **OPTIONS)
paused = threading.Event()


def pauses(now: Progress) -> None:
    if now.pause_seconds is not None:
        paused.set()


threading.Thread(target=client.generate, args=("x",), kwargs={"progress": pauses}, daemon=True).start()
paused.wait()
