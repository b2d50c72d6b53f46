"""An event loop on a daemon thread waits for a call."""

from __future__ import annotations

import asyncio
import sys
import threading

from exiting import OPTIONS, SENT, note_sent
from gptimage import AsyncClient

client = AsyncClient(**OPTIONS)


async def main() -> None:
    made = await client.generate("x", progress=note_sent)
    sys.stdout.write(f"{made.image.format}\n")
    await asyncio.sleep(1000)


threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
SENT.wait()
