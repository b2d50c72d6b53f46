"""A call ends after its event loop was left."""

from __future__ import annotations

import asyncio
import time

from exiting import OPTIONS, SENT, note_sent
from gptimage import AsyncClient, Generated

client = AsyncClient(**OPTIONS)
loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda *_: None)


async def main() -> asyncio.Task[Generated]:
    task = asyncio.ensure_future(client.generate("x", progress=note_sent))
    while not SENT.is_set():
        await asyncio.sleep(0.01)
    return task


task = loop.run_until_complete(main())
while client.pending():
    time.sleep(0.01)
