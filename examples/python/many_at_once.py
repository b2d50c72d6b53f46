"""Many pictures: a few calls at a time, each saved as it lands, and none harmed by another's failure.

Run it again, and only what is missing is made. What may have been paid for leaves a note beside its place, and is not
made again until somebody has looked it up and deleted the note.
"""

import asyncio
from pathlib import Path

from gptimage import AsyncClient, GptImageError

ANIMALS = ("badger", "crane", "fox", "hare", "heron", "lynx", "otter", "owl", "toad", "wren")
AT_ONCE = 4


async def woodcut(client: AsyncClient, turn: asyncio.Semaphore, animal: str, path: Path) -> None:
    note = path.with_suffix(".txt")
    if path.exists() or note.exists():
        print(path, "is there" if path.exists() else note.read_text())
        return
    async with turn:
        try:
            made = await client.generate(f"A {animal}, as a woodcut", save_to=path, deadline=600)
            print(path, made.cost)
        except GptImageError as error:
            if error.charge != "not_charged":
                note.write_text(str(error))
            print(path, error.charge, error)


async def main() -> None:
    folder = Path("woodcuts")
    folder.mkdir(exist_ok=True)
    turn = asyncio.Semaphore(AT_ONCE)
    async with AsyncClient() as client:
        try:
            async with asyncio.TaskGroup() as group:
                for animal in ANIMALS:
                    group.create_task(woodcut(client, turn, animal, folder / f"{animal}.png"))
        finally:
            # What was sent before Ctrl-C or the deadline runs on, and still writes its file.
            await client.drain()


if __name__ == "__main__":
    asyncio.run(main())
