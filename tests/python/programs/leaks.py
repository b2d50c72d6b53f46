"""Repeats one action for many rounds and measures what remains in the process: leaks.py THING ROUNDS PICTURE."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from gptimage import BadRequestError, Emulator, GptImageError, Image, InvalidRequestError
from measured import growth_of


class Things:
    """Everything that is done again and again."""

    def __init__(self, emulator: Emulator, picture: Path) -> None:
        self.emulator, self.picture, self.content = emulator, picture, picture.read_bytes()
        self.client = emulator.client(max_attempts=1)
        self.asynchronous = emulator.async_client()
        self.image = self.client.generate("x", fetch=False).image

    def generate(self) -> None:
        memoryview(self.client.generate("x", response_format="b64_json").image)

    def url(self) -> None:
        self.client.generate("x").to_dict()

    def edit(self) -> None:
        self.client.edit("x", image=[self.content, self.content])

    def fetch(self) -> None:
        self.client.fetch(self.image)

    def progress(self) -> None:
        self.client.generate("x", progress=lambda now: None)

    def refused(self) -> None:
        self.emulator.fault(answer={"status": 400})
        try:
            self.client.generate("x")
        except BadRequestError:
            pass

    def invalid(self) -> None:
        try:
            self.client.generate("", size="1x1")
        except InvalidRequestError:
            pass

    def unknown(self) -> None:
        self.emulator.fault(cut_response={"after": 100_000, "cut": "rst"})
        try:
            self.client.generate("x", response_format="b64_json")
        except GptImageError as error:
            assert error.charge == "charged"

    def left(self) -> None:
        self.emulator.fault(delay="20ms")
        try:
            self.client.generate("x", deadline=0.01)
        except GptImageError:
            pass
        self.client.drain()
        self.client.collect()

    def awaited(self) -> None:
        asyncio.run(self.asynchronous.generate("x"))

    def cancelled(self) -> None:
        async def main() -> None:
            tasks = [asyncio.ensure_future(self.asynchronous.generate("x")) for _ in range(3)]
            await asyncio.sleep(0.001)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self.asynchronous.drain()
            self.asynchronous.collect()

        asyncio.run(main())

    def clients(self) -> None:
        with self.emulator.client() as other:
            other.with_options(max_attempts=2).balance()

    def emulators(self) -> None:
        with Emulator() as other:
            other.client().balance()

    def pictures(self) -> None:
        bytes(Image.from_bytes(self.content))
        Image.from_file(self.picture).read()


if __name__ == "__main__":
    path = Path(sys.argv[3])
    with Emulator(billing="pessimistic", canned=path.read_bytes(), keep_bodies=0) as emulator:
        growth_of(getattr(Things(emulator, path), sys.argv[1]), int(sys.argv[2]))
