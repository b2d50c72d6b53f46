"""A progress function of an awaited call calls sys.exit."""

from __future__ import annotations

import asyncio
import sys

from exiting import OPTIONS
from gptimage import AsyncClient

client = AsyncClient(**OPTIONS)


async def main() -> None:
    other = asyncio.create_task(client.generate("y"))
    await client.generate("x", progress=lambda now: sys.exit(4))
    await other


asyncio.run(main())
