"""A slow log handler still has records to process when the interpreter ends."""

from __future__ import annotations

import logging
import time

from exiting import OPTIONS, call_for_ever, log_everything, wait_a_while
from gptimage import Client


class Slow(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        time.sleep(0.02)


log_everything()
logging.getLogger("gptimage").addHandler(Slow())
call_for_ever(Client(**OPTIONS), 8)
wait_a_while()
