"""Tasks are left pending in a loop that is never closed."""

from __future__ import annotations

import asyncio

from abandoned_loop import loop, work
from exiting import a_while, wait_a_while

tasks = [loop.create_task(work()) for _ in range(4)]
loop.run_until_complete(asyncio.sleep(a_while()))
wait_a_while()
