"""A coroutine that waits for a call is neither closed nor awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from exiting import OPTIONS, a_while
from gptimage import AsyncClient, Generated

client = AsyncClient(**OPTIONS)
coroutine: Coroutine[Any, Any, Generated] | None = None


async def main() -> None:
    global coroutine
    coroutine = client.generate("x")
    coroutine.send(None)
    await asyncio.sleep(a_while())


asyncio.run(main())
