"""Programs that misuse their event loop. Neither gptimage nor asyncio may print anything on stderr."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from types import FrameType
from typing import Any

import gptimage
from gptimage import AsyncClient, Emulator, Generated, GptImageError, Progress
from pictures import PIXEL
from program import is_of_the_package, run_chosen, until

# Messages that asyncio passed to the exception handler.
COMPLAINTS: list[str] = []
DESTROYED = "Task was destroyed but it is pending!"


def new_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: COMPLAINTS.append(context["message"]))
    return loop


async def arrived(emulator: Emulator, count: int) -> None:
    while len(emulator.requests) < count:
        await asyncio.sleep(0.002)


def until_delivered(emulator: Emulator) -> None:
    until(lambda: all(entry.delivered for entry in emulator.ledger), "every answer is delivered")


def results(client: AsyncClient) -> int:
    """Collects everything, asserts that all of it are results, and returns their number."""
    asyncio.run(client.drain())
    kept = client.collect()
    assert all(isinstance(outcome, Generated) for outcome in kept), kept
    return len(kept)


def closed_while_calls_run() -> None:
    with Emulator(billing="pessimistic") as emulator:
        client = emulator.async_client()
        emulator.set(latency="400ms")
        loop = new_loop()
        updates: list[Progress] = []
        tasks = [loop.create_task(client.generate("x", progress=updates.append)) for _ in range(5)]
        loop.run_until_complete(arrived(emulator, 5))
        loop.close()
        # Their responses come when the loop is already closed.
        until_delivered(emulator)
        del tasks
        gc.collect()
        found = results(client)
        assert COMPLAINTS == [DESTROYED] * 5, COMPLAINTS
        assert found == emulator.charges == 5, found
        print(found)


def forgotten_while_calls_run() -> None:
    with Emulator(billing="pessimistic") as emulator:
        client = emulator.async_client()
        emulator.set(latency="400ms")
        loop = new_loop()
        tasks = [loop.create_task(client.generate("x")) for _ in range(5)]
        loop.run_until_complete(arrived(emulator, 5))
        del tasks, loop
        gc.collect()
        until_delivered(emulator)
        found: list[Generated | GptImageError] = []

        def collected() -> bool:
            gc.collect()
            found.extend(client.collect())
            return len(found) >= 5

        until(collected, "everything is collected")
        assert set(COMPLAINTS) <= {DESTROYED}, COMPLAINTS
        assert all(isinstance(outcome, Generated) for outcome in found), found
        assert len(found) == emulator.charges == 5, found
        print(len(found))


def stopped_and_continued() -> None:
    with Emulator(billing="pessimistic") as emulator:
        client = emulator.async_client()
        emulator.set(latency="200ms")
        loop = new_loop()
        tasks = [loop.create_task(client.generate("x")) for _ in range(5)]
        loop.run_until_complete(arrived(emulator, 5))
        until_delivered(emulator)
        made = loop.run_until_complete(asyncio.gather(*tasks))
        loop.close()
        assert COMPLAINTS == [] and client.collect() == [] and emulator.charges == 5
        print(len(made))


def many_failures() -> None:
    with Emulator(billing="pessimistic") as emulator:
        client = emulator.async_client(max_attempts=1)
        emulator.fault(answer={"status": 400}, times="always")

        async def main() -> None:
            tasks = [asyncio.create_task(client.generate("x")) for _ in range(100)]
            await asyncio.sleep(0)
            for task in tasks[::3]:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            expected = (asyncio.CancelledError, gptimage.BadRequestError)
            assert all(isinstance(outcome, expected) for outcome in outcomes), outcomes

        asyncio.run(main(), debug=True)
        gc.collect()
        assert emulator.charges == 0


class At:
    """Interrupts at the n-th moment of the package at which CPython looks for a signal."""

    def __init__(self, n: int) -> None:
        self.n, self.seen = n, 0
        self.where: str | None = None

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event in ("call", "c_return") and is_of_the_package(frame.f_code):
            self.seen += 1
            if self.seen == self.n:
                after = f" after {argument.__name__}" if event == "c_return" else f" at its {event}"
                self.where = f"{frame.f_code.co_name}, line {frame.f_lineno}{after}"
                raise KeyboardInterrupt


def interrupted(client: AsyncClient, prompt: str, at: At) -> list[Generated | GptImageError]:
    """Makes a call in a loop without asyncio.run's handler, and returns what its caller got."""
    loop = new_loop()
    task = loop.create_task(client.generate(prompt))
    sys.setprofile(at)
    try:
        loop.run_until_complete(task)
    except KeyboardInterrupt:
        pass
    finally:
        sys.setprofile(None)
    loop.close()
    return [task.result()] if task.done() and not task.cancelled() and task.exception() is None else []


def ctrl_c_at_every_moment() -> None:
    with Emulator(billing="pessimistic", canned=PIXEL) as emulator:
        client = emulator.async_client()
        asyncio.run(client.generate("warm"))
        where: dict[str | None, str | None] = {"warm": None}
        have: list[Generated | GptImageError] = []
        untouched = 0
        # Garbage of one round must not be collected, and interrupted, in the middle of the next.
        gc.disable()
        while untouched < 4:
            gc.collect()
            at = At(len(where))
            have += interrupted(client, f"moment {at.n}", at)
            where[f"moment {at.n}"] = at.where
            untouched = 0 if at.where else untouched + 1

        def lost() -> list[str]:
            """Each charged call whose outcome is not there exactly once."""
            # A thread that is waking a loop at this moment may keep the loop's objects alive, so one collection may
            # not be enough.
            gc.collect()
            asyncio.run(client.drain())
            have.extend(client.collect())
            ids = [outcome.client_request_id for outcome in have]
            charged = [entry for entry in emulator.ledger if entry.charge is not None and entry.prompt != "warm"]
            counts = [(where[entry.prompt], ids.count(entry.client_request_id)) for entry in charged]
            return [f"{place}: {count} outcomes" for place, count in counts if count != 1]

        deadline = time.monotonic() + 10
        while lost() and time.monotonic() < deadline:
            time.sleep(0.01)
        found = lost()
    assert set(COMPLAINTS) <= {DESTROYED}, COMPLAINTS
    print(json.dumps({"lost": found, "moments": len(where) - 1 - untouched}))


if __name__ == "__main__":
    run_chosen()
