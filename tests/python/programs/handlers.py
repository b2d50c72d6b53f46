"""Programs whose log handlers do something that they should not."""

from __future__ import annotations

import _thread
import asyncio
import json
import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import gptimage
from gptimage import AsyncClient, Client, Emulator, Progress
from program import KEPT, run_chosen, until, was_sent

logger = logging.getLogger("gptimage")
logger.setLevel(logging.DEBUG)


class Handler(logging.Handler):
    """Does something with each record, and remembers it."""

    def __init__(self, work: Callable[[logging.LogRecord], object]) -> None:
        super().__init__()
        self.work = work
        self.lines: list[str] = []
        self._seen = threading.Condition()
        logger.addHandler(self)

    def createLock(self) -> None:
        # A handler that never returns must not block the shutdown of `logging`.
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.work(record)
        finally:
            with self._seen:
                self.lines.append(record.getMessage())
                self._seen.notify_all()

    def wait_for(self, count: int) -> None:
        with self._seen:
            assert self._seen.wait_for(lambda: len(self.lines) >= count, 30), self.lines


async def calls(client: AsyncClient, count: int) -> list[str]:
    """Makes some calls and returns their ids."""
    return [str((await client.generate(f"picture {number}")).client_request_id) for number in range(count)]


def stands_still() -> None:
    go = threading.Event()
    handler = Handler(lambda record: go.wait())
    with Emulator() as emulator:
        ids = asyncio.run(calls(emulator.async_client(), 3))
        ids += [str(emulator.client().generate("x").client_request_id) for _ in range(3)]
        # Threat: standing-handler
        assert handler.lines == []
        go.set()
        handler.wait_for(12)
        places = [[number for number, line in enumerate(handler.lines) if name in line] for name in ids]
        assert places == sorted(places) and all(len(place) == 2 for place in places), places


def waits_for_the_event_loop() -> None:
    written: list[str] = []

    async def write(record: logging.LogRecord) -> None:
        await asyncio.sleep(0)
        written.append(record.getMessage())

    async def main() -> None:
        loop = asyncio.get_running_loop()
        handler = Handler(lambda record: asyncio.run_coroutine_threadsafe(write(record), loop).result(30))
        with Emulator() as emulator:
            await calls(emulator.async_client(), 3)
            while len(handler.lines) < 6:
                await asyncio.sleep(0.01)
            assert written == handler.lines

    asyncio.run(main())


def has_an_event_loop_of_its_own() -> None:
    handler = Handler(lambda record: asyncio.run(asyncio.sleep(0.001)))
    with Emulator() as emulator:
        asyncio.run(calls(emulator.async_client(), 3))
        handler.wait_for(6)


def calls_the_client() -> None:
    with Emulator() as emulator:
        balances: list[Decimal] = []

        def work(record: logging.LogRecord) -> None:
            if len(handler.lines) < 2:
                balances.append(emulator.client().balance().current_balance)
                balances.append(asyncio.run(emulator.async_client().balance()).current_balance)
                emulator.client().generate("from a handler")

        handler = Handler(work)
        asyncio.run(calls(emulator.async_client(), 2))
        handler.wait_for(8)
        assert len(balances) == 4 and emulator.charges == 4


def raises(what: str) -> None:
    error = {
        "LookupError": LookupError("a bug in the handler"),
        "SystemExit": SystemExit(3),
        "KeyboardInterrupt": KeyboardInterrupt(),
    }[what]
    told: list[str] = []

    def hook(args: sys.UnraisableHookArgs) -> None:
        told.append(repr(args.exc_value))

    def work(record: logging.LogRecord) -> None:
        raise error

    sys.unraisablehook = hook
    handler = Handler(work)
    with Emulator() as emulator:
        asyncio.run(calls(emulator.async_client(), 2))
        handler.wait_for(4)
    until(lambda: len(told) >= 4, "each exception is told of")
    assert told == [repr(error)] * 4, told


def forks(child: str) -> None:
    warnings.simplefilter("ignore")
    children: list[int] = []

    def work(record: logging.LogRecord) -> None:
        if not children:
            pid = os.fork()
            if pid:
                children.append(pid)
            elif child == "ends":
                os._exit(0)

    handler = Handler(work)
    with Emulator() as emulator:
        asyncio.run(calls(emulator.async_client(), 2))
        handler.wait_for(4)
        assert os.waitpid(children[0], 0) == (children[0], 0)


def never_returns() -> None:
    never = threading.Event()
    Handler(lambda record: never.wait())
    emulator = Emulator()
    KEPT.append(emulator)
    emulator.fault(delay="1h")
    sent = threading.Event()

    def progress(now: Progress) -> None:
        if was_sent(now):
            sent.set()

    client = emulator.client()
    threading.Thread(target=client.generate, args=("x",), kwargs={"progress": progress}, daemon=True).start()
    sent.wait()


def takes_a_while() -> None:
    Handler(lambda record: time.sleep(0.02))
    logger.addHandler(logging.StreamHandler(sys.stdout))
    emulator = Emulator()
    KEPT.append(emulator)
    print(json.dumps(asyncio.run(calls(emulator.async_client(), 5))))


def has_no_thread() -> None:
    start: Any = _thread.start_new_thread

    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    setattr(_thread, "start_new_thread", refuse)
    client = Client(api_key="k", base_url="http://127.0.0.1:9/v1", proxy=False, max_attempts=1)
    begin: list[Callable[[], object]] = [
        lambda: client.generate("x"),
        lambda: asyncio.run(AsyncClient(api_key="k").generate("x")),
    ]
    for call in begin:
        try:
            call()
        except RuntimeError as error:
            assert "can't start new thread" in str(error), error
        else:
            raise SystemExit("it began")
    setattr(_thread, "start_new_thread", start)
    try:
        client.generate("x")
    except gptimage.APIConnectionError as error:
        assert error.charge == "not_charged"


if __name__ == "__main__":
    run_chosen()
