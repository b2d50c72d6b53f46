"""An event loop that is never closed, and the work of its tasks."""

from __future__ import annotations

import asyncio

from exiting import OPTIONS
from gptimage import AsyncClient, GptImageError

client = AsyncClient(**OPTIONS)
loop = asyncio.new_event_loop()
# asyncio's own message about tasks that were left pending.
loop.set_exception_handler(lambda *_: None)


async def work() -> None:
    while True:
        try:
            await client.generate("x")
        except GptImageError:
            pass
