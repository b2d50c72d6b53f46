"""An event loop runs on a daemon thread while the interpreter ends."""

from __future__ import annotations

import asyncio
import threading

from abandoned_loop import loop, work
from exiting import wait_a_while

tasks: list[asyncio.Task[None]] = []


def run() -> None:
    asyncio.set_event_loop(loop)
    tasks.extend(loop.create_task(work()) for _ in range(4))
    loop.run_forever()


threading.Thread(target=run, daemon=True).start()
wait_a_while()
