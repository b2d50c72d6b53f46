"""A result, its client and a waiting coroutine are garbage in a cycle when the interpreter ends."""

from __future__ import annotations

import asyncio
from typing import Any

from exiting import OPTIONS, wait_a_while
from gptimage import AsyncClient, Client

client = Client(**OPTIONS)
made = client.generate("x", response_format="b64_json")


class Ring:
    def __init__(self) -> None:
        self.ring: object = self
        self.kept: list[object] = [made, memoryview(made.image), client]
        self.coroutine: Any = None


ring = Ring()


async def main() -> None:
    ring.coroutine = AsyncClient(**OPTIONS).edit("x", image=[made.image, bytes(made.image)])
    ring.coroutine.send(None)


asyncio.run(main())
wait_a_while()
