"""The thread that passes log records to Python's logging handlers, which may block."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gptimage._core import LogRecords


def run(records: LogRecords) -> None:
    """Logs records until the interpreter exits."""
    while True:
        try:
            record = records.next()
            if record is None:
                return
            import logging
            import threading

            threading.current_thread().name = "gptimage-log"
            level, text = record
            logging.getLogger("gptimage").log(level, "%s", text)
        except BaseException as error:
            # A handler's mistake, which must not stop the records that follow.
            records.failed(error)
