"""The first call of the process is made by a function of atexit, and logged by a busy handler."""

from __future__ import annotations

import atexit
import logging
import time

from exiting import OPTIONS, call_for_ever, log_everything, wait_a_while
from gptimage import Client


class Busy(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        end = time.monotonic() + 0.003
        while time.monotonic() < end:
            pass


def last() -> None:
    logging.getLogger("gptimage").addHandler(Busy())
    print(client.generate("x").image.format)
    call_for_ever(client, 8)
    wait_a_while()


log_everything()
atexit.register(last)
client = Client(**OPTIONS)
