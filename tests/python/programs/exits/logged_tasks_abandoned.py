"""Tasks are left pending in a loop that is never closed, and their calls are logged."""

from __future__ import annotations

import asyncio

from abandoned_loop import loop, work
from exiting import a_while, log_everything

log_everything()
tasks = [loop.create_task(work()) for _ in range(4)]
loop.run_until_complete(asyncio.sleep(a_while()))
