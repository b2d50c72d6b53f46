"""gptimage as a Python program uses it."""

from gptimage import AsyncClient, Client
from measure import CALLS_BEFORE, PROMPT, Idle, Job, many, run


def in_turn(job: Job) -> Idle:
    """One call after another, each picture into a file."""
    client = Client(api_key="key", base_url=job.url)
    idle = Idle()
    for number in range(job.count):
        client.generate(PROMPT, save_to=job.picture(number))
    return idle


async def at_once(job: Job) -> Idle:
    """All calls at once, each picture into a file."""
    import asyncio

    client = AsyncClient(api_key="key", base_url=job.url)
    idle = Idle()
    await asyncio.gather(*(client.generate(PROMPT, save_to=job.picture(number)) for number in range(job.count)))
    return idle


async def small(job: Job) -> Idle:
    """Many small calls, some of them at once, each picture into memory."""
    client = AsyncClient(api_key="key", base_url=job.url)

    async def call() -> bytes:
        return (await client.generate(PROMPT)).image.read()

    await many(call, CALLS_BEFORE)
    idle = Idle()
    await many(call, job.count)
    return idle


if __name__ == "__main__":
    run(in_turn, at_once, small)
