"""Functions of atexit run event loops."""

from __future__ import annotations

import asyncio
import atexit

from exiting import OPTIONS
from gptimage import AsyncClient

client = AsyncClient(**OPTIONS)


def last(when: str) -> None:
    print(when, asyncio.run(client.generate("x")).image.format)


atexit.register(last, "late")
asyncio.run(client.generate("x"))
atexit.register(last, "early")
