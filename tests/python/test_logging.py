"""Handlers of log records are other people's code: whatever they do, no call and no event loop stands still for it."""

from __future__ import annotations

import json

import pytest

from processes import run

PRELUDE = """
import asyncio, json, logging, os, sys, threading, time
import gptimage

logger = logging.getLogger("gptimage")
logger.setLevel(logging.DEBUG)

class Handler(logging.Handler):
    '''Does something with each record, and remembers it.'''

    def __init__(self, work):
        super().__init__()
        self.work, self.lines, self.seen = work, [], threading.Condition()

    def createLock(self):
        # One that takes for ever must not hold up logging's own end.
        self.lock = None

    def emit(self, record):
        try:
            self.work(record)
        finally:
            with self.seen:
                self.lines.append(record.getMessage())
                self.seen.notify_all()

    def until(self, count):
        with self.seen:
            assert self.seen.wait_for(lambda: len(self.lines) >= count, 30), self.lines

def handle(work):
    handler = Handler(work)
    logger.addHandler(handler)
    return handler

async def calls(client, count):
    return [(await client.generate(f"picture {number}")).client_request_id for number in range(count)]
"""


def test_a_handler_that_stands_still() -> None:
    """Calls of both kinds go on while it does; the records come afterwards, in their order."""
    script = """
go = threading.Event()
handler = handle(lambda record: go.wait())
with gptimage.Emulator() as emulator:
    ids = asyncio.run(calls(emulator.async_client(), 3))
    ids += [emulator.client().generate("x").client_request_id for _ in range(3)]
    assert handler.lines == []
    go.set()
    handler.until(12)
    places = [[number for number, line in enumerate(handler.lines) if name in line] for name in ids]
    assert places == sorted(places) and all(len(place) == 2 for place in places), places
"""
    run(PRELUDE + script).quiet()


def test_a_handler_that_waits_for_the_event_loop() -> None:
    """It hands each record to a coroutine of the loop that makes the call, and waits until that is done with it."""
    script = """
written = []
async def write(record):
    await asyncio.sleep(0)
    written.append(record.getMessage())
async def main():
    loop = asyncio.get_running_loop()
    handler = handle(lambda record: asyncio.run_coroutine_threadsafe(write(record), loop).result(30))
    with gptimage.Emulator() as emulator:
        await calls(emulator.async_client(), 3)
        while len(handler.lines) < 6:
            await asyncio.sleep(0.01)
        assert written == handler.lines
asyncio.run(main())
"""
    run(PRELUDE + script).quiet()


def test_a_handler_with_an_event_loop_of_its_own() -> None:
    script = """
handler = handle(lambda record: asyncio.run(asyncio.sleep(0.001)))
with gptimage.Emulator() as emulator:
    asyncio.run(calls(emulator.async_client(), 3))
    handler.until(6)
"""
    run(PRELUDE + script).quiet()


def test_a_handler_that_calls_the_client() -> None:
    """Blocking, and awaited; also a paid call, whose records come in their turn."""
    script = """
with gptimage.Emulator() as emulator:
    def work(record):
        if len(handler.lines) < 2:
            balances.append(emulator.client().balance().current_balance)
            balances.append(asyncio.run(emulator.async_client().balance()).current_balance)
            emulator.client().generate("from a handler")
    balances = []
    handler = handle(work)
    asyncio.run(calls(emulator.async_client(), 2))
    handler.until(8)
    assert len(balances) == 4 and emulator.charges == 4
"""
    run(PRELUDE + script).quiet()


@pytest.mark.parametrize("what", ["LookupError('a bug in the handler')", "SystemExit(3)", "KeyboardInterrupt()"])
def test_a_handler_that_raises(what: str) -> None:
    """What it raises is told of as what nobody can catch, and the next record comes all the same."""
    script = f"""
told = []
sys.unraisablehook = lambda args: told.append(repr(args.exc_value))
def work(record):
    raise {what}
handler = handle(work)
with gptimage.Emulator() as emulator:
    asyncio.run(calls(emulator.async_client(), 2))
    handler.until(4)
deadline = time.monotonic() + 30
while len(told) < 4:
    assert time.monotonic() < deadline
    time.sleep(0.001)
assert told == [repr({what})] * 4, told
"""
    run(PRELUDE + script).quiet()


@pytest.mark.skipif("not hasattr(__import__('os'), 'fork')")
@pytest.mark.parametrize("child", ["os._exit(0)", "pass"])
def test_a_handler_that_forks(child: str) -> None:
    """The child ends, whether it says so or returns to a thread that its parent alone has."""
    script = f"""
import warnings
warnings.simplefilter("ignore")
children = []
def work(record):
    if not children:
        pid = os.fork()
        if pid == 0:
            {child}
        else:
            children.append(pid)
handler = handle(work)
with gptimage.Emulator() as emulator:
    asyncio.run(calls(emulator.async_client(), 2))
    handler.until(4)
    assert os.waitpid(children[0], 0) == (children[0], 0)
"""
    run(PRELUDE + script, limit=60).quiet()


def test_the_end_does_not_wait_for_handlers_for_ever() -> None:
    """One that never comes back: the process ends, and what is lost is said all the same."""
    script = """
never = threading.Event()
handler = handle(lambda record: never.wait())
emulator = gptimage.Emulator()
emulator.fault(delay="1h")
sent = threading.Event()
def look(now):
    if now.phase not in ("planned", "connecting", "sending"):
        sent.set()
threading.Thread(target=emulator.client().generate, args=("x",), kwargs={"progress": look}, daemon=True).start()
sent.wait()
"""
    ended = run(PRELUDE + script, limit=30)
    ended.quiet(leaves_calls=True)
    assert len(ended.left) == 1


def test_at_the_end_handlers_get_what_there_is() -> None:
    """One that takes a while gets every record before the process ends."""
    script = """
handler = handle(lambda record: time.sleep(0.02))
logger.addHandler(logging.StreamHandler(sys.stdout))
emulator = gptimage.Emulator()
ids = asyncio.run(calls(emulator.async_client(), 5))
print(json.dumps(ids))
"""
    lines = run(PRELUDE + script).quiet().out.splitlines()
    ids = next(line for line in lines if line.startswith("["))
    for name in json.loads(ids):
        assert sum(name in line for line in lines if line != ids) == 2, lines


def test_without_a_thread_for_records_nothing_is_sent() -> None:
    """It is looked for before money is spent; and again by the next call, which has one."""
    script = """
import _thread
start = _thread.start_new_thread
def refuse(*_):
    raise RuntimeError("can't start new thread")
_thread.start_new_thread = refuse
client = gptimage.Client(api_key="k", base_url="http://127.0.0.1:9/v1", proxy=False, max_attempts=1)
for call in (lambda: client.generate("x"), lambda: asyncio.run(gptimage.AsyncClient(api_key="k").generate("x"))):
    try:
        call()
    except RuntimeError as error:
        assert "can't start new thread" in str(error), error
    else:
        raise SystemExit("it began")
_thread.start_new_thread = start
try:
    client.generate("x")
except gptimage.APIConnectionError as error:
    assert error.charge == "not_charged"
"""
    run(PRELUDE + script).quiet()
