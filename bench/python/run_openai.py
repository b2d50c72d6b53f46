"""openai-python as a program uses it: the whole answer, base64, a file."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from base64 import b64decode

from measure import CALLS_BEFORE, PROMPT, Idle, Job, many, run
from openai import AsyncOpenAI, OpenAI
from openai.types import ImagesResponse

MODEL = "openai/gpt-image-2"


def in_turn(job: Job) -> Idle:
    """One call after another, each picture into a file."""
    client = OpenAI(api_key="key", base_url=f"{job.url}/v1", max_retries=0)
    idle = Idle()
    for number in range(job.count):
        answer = client.images.generate(model=MODEL, prompt=PROMPT)
        save(answer, job.picture(number))
    return idle


async def at_once(job: Job) -> Idle:
    """All calls at once, each picture into a file."""
    import asyncio

    client = AsyncOpenAI(api_key="key", base_url=f"{job.url}/v1", max_retries=0)

    async def call(path: str) -> None:
        save(await client.images.generate(model=MODEL, prompt=PROMPT), path)

    idle = Idle()
    await asyncio.gather(*(call(job.picture(number)) for number in range(job.count)))
    return idle


async def small(job: Job) -> Idle:
    """Many small calls, some of them at once, each picture into memory."""
    client = AsyncOpenAI(api_key="key", base_url=f"{job.url}/v1", max_retries=0)

    async def call() -> bytes:
        return decoded(await client.images.generate(model=MODEL, prompt=PROMPT))

    await many(call, CALLS_BEFORE)
    idle = Idle()
    await many(call, job.count)
    return idle


def decoded(answer: ImagesResponse) -> bytes:
    """The picture of an answer."""
    entry = answer.data[0] if answer.data else None
    if entry is None or entry.b64_json is None:
        raise ValueError("an answer has no picture")
    return b64decode(entry.b64_json)


def save(answer: ImagesResponse, path: str) -> None:
    with open(path, "wb") as file:
        file.write(decoded(answer))


if __name__ == "__main__":
    run(in_turn, at_once, small)
