"""The interpreter ends with calls in flight: as it would without us, with no word, no hang and no crash.

GPTIMAGE_TEST_EXITS says how many exits there are in all; 120 unless given.
"""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gptimage import Emulator, Generated
from processes import LEFT, Ended, run

EXITS = int(os.environ.get("GPTIMAGE_TEST_EXITS", "120"))
# So many at a time, for most of an exit is waiting.
AT_ONCE = 4

# What every script starts with. The emulator is in the test's process, and its answers come at all times: before the
# exit, in the middle of it, and after it.
PRELUDE = """
import atexit, random, sys, threading, time
import gptimage

URL, DICE = sys.argv[1], random.Random(int(sys.argv[2]))
OPTIONS = {"api_key": "k", "base_url": URL, "proxy": False}

def a_while():
    time.sleep(DICE.uniform(0, 0.06))

def loops(client, threads=4):
    '''Calls one after another, for ever, on daemon threads.'''
    def work():
        while True:
            try:
                client.generate("x")
            except gptimage.GptImageError:
                pass
    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
"""

LOGGING = """
import logging
class Lines(logging.Handler):
    def emit(self, record):
        lines.append(record.getMessage())
lines = []
logging.getLogger("gptimage").addHandler(Lines())
logging.getLogger("gptimage").setLevel(logging.DEBUG)
"""

ASYNC_LOOP = """
import asyncio
client = gptimage.AsyncClient(**OPTIONS)
loop = asyncio.new_event_loop()
# asyncio's own word on tasks that were left pending.
loop.set_exception_handler(lambda *_: None)
async def work():
    while True:
        try:
            await client.generate("x")
        except gptimage.GptImageError:
            pass
"""

# Whoever leaves calls behind says which, unless they were not sent yet.
MAY_LEAVE = f"(?:{LEFT.pattern}){{0,2}}"

# The script, its exit code, and what it says on stdout and stderr.
SCENARIOS: dict[str, tuple[str, int, str, str]] = {
    "daemon threads": (
        """
loops(gptimage.Client(**OPTIONS))
a_while()
""",
        0,
        "",
        MAY_LEAVE,
    ),
    "daemon threads that watch": (
        """
client = gptimage.Client(**OPTIONS)
def work():
    while True:
        client.generate("x", progress=lambda now: None, response_format="b64_json")
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
a_while()
""",
        0,
        "",
        MAY_LEAVE,
    ),
    "daemon threads that get errors": (
        """
client = gptimage.Client(**OPTIONS)
started = threading.Event()
def work():
    while True:
        try:
            client.generate("")
        except gptimage.InvalidRequestError:
            started.set()
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
started.wait()
a_while()
""",
        0,
        "",
        "",
    ),
    "daemon threads that decode": (
        """
try:
    import PIL.Image
except ImportError:
    sys.exit()
client = gptimage.Client(**OPTIONS)
image = client.generate("x").image
started = threading.Event()
def work():
    while True:
        image.to_pil()
        started.set()
for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
started.wait()
a_while()
""",
        0,
        "",
        "",
    ),
    "logging": (
        LOGGING
        + """
loops(gptimage.Client(**OPTIONS), 8)
a_while()
""",
        0,
        "",
        "",
    ),
    "logging slowly": (
        LOGGING
        + """
class Slow(logging.Handler):
    def emit(self, record):
        time.sleep(0.02)
logging.getLogger("gptimage").addHandler(Slow())
loops(gptimage.Client(**OPTIONS), 8)
a_while()
""",
        0,
        "",
        "",
    ),
    "asyncio abandoned": (
        ASYNC_LOOP
        + """
tasks = [loop.create_task(work()) for _ in range(4)]
loop.run_until_complete(asyncio.sleep(DICE.uniform(0, 0.06)))
a_while()
""",
        0,
        "",
        MAY_LEAVE,
    ),
    "asyncio abandoned, logging": (
        LOGGING
        + ASYNC_LOOP
        + """
tasks = [loop.create_task(work()) for _ in range(4)]
loop.run_until_complete(asyncio.sleep(DICE.uniform(0, 0.06)))
""",
        0,
        "",
        "",
    ),
    "asyncio on a daemon thread": (
        ASYNC_LOOP
        + """
def run():
    asyncio.set_event_loop(loop)
    tasks.extend(loop.create_task(work()) for _ in range(4))
    loop.run_forever()
tasks = []
threading.Thread(target=run, daemon=True).start()
a_while()
""",
        0,
        "",
        MAY_LEAVE,
    ),
    "a coroutine that waits": (
        """
import asyncio
client = gptimage.AsyncClient(**OPTIONS)
coroutine = None
async def main():
    global coroutine
    coroutine = client.generate("x")
    coroutine.send(None)
    await asyncio.sleep(DICE.uniform(0, 0.06))
asyncio.run(main())
""",
        0,
        "",
        MAY_LEAVE,
    ),
    "atexit": (
        """
def last(when):
    print(when, client.generate("x").image.format, client.collect())
atexit.register(last, "late")
client = gptimage.Client(**OPTIONS)
client.generate("x")
atexit.register(last, "early")
loops(client)
a_while()
""",
        0,
        "early png []\nlate png []\n",
        MAY_LEAVE,
    ),
    "atexit, first use": (
        LOGGING
        + """
class Busy(logging.Handler):
    def emit(self, record):
        end = time.monotonic() + 0.003
        while time.monotonic() < end:
            pass
def last():
    logging.getLogger("gptimage").addHandler(Busy())
    print(client.generate("x").image.format)
    loops(client, 8)
    a_while()
atexit.register(last)
client = gptimage.Client(**OPTIONS)
""",
        0,
        "png\n",
        "",
    ),
    "atexit, asyncio": (
        """
import asyncio
client = gptimage.AsyncClient(**OPTIONS)
def last(when):
    print(when, asyncio.run(client.generate("x")).image.format)
atexit.register(last, "late")
asyncio.run(client.generate("x"))
atexit.register(last, "early")
""",
        0,
        "early png\nlate png\n",
        "",
    ),
    "sys.exit in a progress function": (
        """
client = gptimage.Client(**OPTIONS)
loops(client, 2)
client.generate("x", progress=lambda now: sys.exit(3))
""",
        3,
        "",
        MAY_LEAVE,
    ),
    "sys.exit in a progress function, asyncio": (
        """
import asyncio
client = gptimage.AsyncClient(**OPTIONS)
async def main():
    other = asyncio.create_task(client.generate("y"))
    await client.generate("x", progress=lambda now: sys.exit(4))
asyncio.run(main())
""",
        4,
        "",
        MAY_LEAVE,
    ),
    "an exception": (
        """
loops(gptimage.Client(**OPTIONS))
a_while()
raise LookupError("bye")
""",
        1,
        "",
        r"Traceback \(most recent call last\):\n  File \"<string>\", line \d+, in <module>\nLookupError: bye\n"
        + MAY_LEAVE,
    ),
    "os._exit": (
        LOGGING
        + """
import os
loops(gptimage.Client(**OPTIONS))
a_while()
os._exit(5)
""",
        5,
        "",
        "",
    ),
    "Ctrl-C": (
        """
import os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
client = gptimage.Client(**OPTIONS)
# Python does not recover from an interrupt in the middle of an import, so everything is imported before.
client.generate("x")
loops(client, 2)
def interrupt():
    a_while()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
while True:
    client.generate("x")
""",
        -signal.SIGINT,
        "",
        r"(?s).*Traceback .*\nKeyboardInterrupt\n(gptimage: [^\n]+\n)?" + MAY_LEAVE,
    ),
    "threads that are waited for": (
        """
client = gptimage.Client(**OPTIONS)
def work():
    sys.stdout.write(client.generate("x").image.format + "\\n")
for _ in range(4):
    threading.Thread(target=work).start()
""",
        0,
        "png\n" * 4,
        "",
    ),
    "a pool that is waited for": (
        """
from concurrent.futures import ThreadPoolExecutor
client = gptimage.Client(**OPTIONS)
pool = ThreadPoolExecutor(4)
calls = [pool.submit(client.generate, "x") for _ in range(8)]
calls[0].add_done_callback(lambda call: print(call.result().image.format))
""",
        0,
        "png\n",
        "",
    ),
    "an emulator of its own": (
        """
emulator = gptimage.Emulator(latency="0ms..40ms")
client = emulator.client()
loops(client)
threading.Thread(target=lambda: emulator.ledger, daemon=True).start()
a_while()
""",
        0,
        "",
        MAY_LEAVE,
    ),
    "just started": (
        """
client = gptimage.Client(**OPTIONS)
threading.Thread(target=client.generate, args=("x",), daemon=True).start()
while threading.active_count() < 2:
    pass
""",
        0,
        "",
        MAY_LEAVE,
    ),
    "results kept in cycles": (
        """
import asyncio
client = gptimage.Client(**OPTIONS)
made = client.generate("x", response_format="b64_json")
class Ring:
    pass
ring = Ring()
ring.ring, ring.made, ring.view, ring.client = ring, made, memoryview(made.image), client
async def main():
    ring.coroutine = gptimage.AsyncClient(**OPTIONS).edit("x", image=[made.image, bytes(made.image)])
    ring.coroutine.send(None)
asyncio.run(main())
a_while()
""",
        0,
        "",
        MAY_LEAVE,
    ),
}

# Python's own words on event loops that nobody closes.
FLAGS = ("-W", "ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Answers that take from nothing to as long as an exit."""
    with Emulator() as drawing:
        picture = bytes(drawing.client().generate("x", quality="low").image)
    with Emulator(billing="pessimistic", canned=picture, latency="0ms..50ms") as emulator:
        yield emulator


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_exit(emulator: Emulator, scenario: str) -> None:
    script, code, out, err = SCENARIOS[scenario]
    count = -(-EXITS // len(SCENARIOS))
    seeds = [random.randrange(1 << 30) for _ in range(count)]
    print("seeds", seeds)

    def end(seed: int) -> Ended:
        return run(PRELUDE + script, emulator.url, str(seed), flags=FLAGS, limit=30)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(end, seeds))
    longest = max(ended.seconds for ended in ends)
    print(f"{count} exits, the longest after {longest:.1f} s")
    for seed, ended in zip(seeds, ends, strict=True):
        # Where other threads run, CPython now and then forgets that it was an interrupt: then it is an exception.
        assert ended.code in ({code, 1} if code == -signal.SIGINT else {code}), f"seed {seed}: {ended}"
        assert ended.out == out, f"seed {seed}: {ended}"
        assert re.fullmatch(err, ended.err), f"seed {seed}: {ended}"


# What follows is about `exit_wait`. The emulator takes as long as it is told; the answer comes after the exit has begun.
WAITING = """
SENT = threading.Event()
def look(now):
    if now.phase not in ("planned", "connecting", "sending"):
        SENT.set()
"""


@pytest.fixture
def slow() -> Iterator[Emulator]:
    """Answers that take a second."""
    with Emulator() as drawing:
        picture = bytes(drawing.client().generate("x", quality="low").image)
    with Emulator(billing="pessimistic", canned=picture, latency="1s") as emulator:
        yield emulator


WAITS = {
    "a daemon thread": """
def work():
    made = client.generate("x", progress=look)
    sys.stdout.write(made.image.format + "\\n")
threading.Thread(target=work, daemon=True).start()
SENT.wait()
""",
    "a daemon thread that lives on": """
def work():
    made = client.generate("x", progress=look)
    sys.stdout.write(made.image.format + "\\n")
    time.sleep(1000)
threading.Thread(target=work, daemon=True).start()
SENT.wait()
""",
    "a daemon thread that goes on": """
def work():
    while True:
        sys.stdout.write(client.generate("x", progress=look).image.format + "\\n")
threading.Thread(target=work, daemon=True).start()
SENT.wait()
""",
    "an event loop on a daemon thread": """
import asyncio
many = gptimage.AsyncClient(**OPTIONS)
async def main():
    sys.stdout.write((await many.generate("x", progress=look)).image.format + "\\n")
    await asyncio.sleep(1000)
threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
SENT.wait()
""",
    "a thread that Python waits for": """
def work():
    sys.stdout.write(client.generate("x", progress=look).image.format + "\\n")
threading.Thread(target=work).start()
SENT.wait()
""",
    "a pool": """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
call = pool.submit(client.generate, "x", progress=look)
call.add_done_callback(lambda call: sys.stdout.write(call.result().image.format + "\\n"))
SENT.wait()
""",
}


@pytest.mark.parametrize("scenario", WAITS)
def test_the_exit_waits_for_calls(slow: Emulator, scenario: str) -> None:
    """`exit_wait`: whoever waits for a call gets its result, and then the process ends, long before the time is up."""
    script = PRELUDE + WAITING + 'OPTIONS["exit_wait"] = 300\nclient = gptimage.Client(**OPTIONS)\n' + WAITS[scenario]
    ended = run(script, slow.url, "0", flags=FLAGS)
    assert (ended.code, ended.out, ended.err) == (0, "png\n", ""), ended
    # Nothing was begun that nobody would have had.
    assert slow.charges == 1


def test_the_exit_waits_for_nobody_unless_asked(slow: Emulator) -> None:
    ended = run(
        PRELUDE + WAITING + "client = gptimage.Client(**OPTIONS)\n" + WAITS["a daemon thread"], slow.url, "0", flags=FLAGS
    )
    assert ended.code == 0 and ended.out == "" and len(ended.left) == 1, ended


def test_the_exits_patience_ends(slow: Emulator) -> None:
    """What takes longer than `exit_wait` is named."""
    slow.fault(delay="1h")
    script = 'OPTIONS["exit_wait"] = 0.3\nclient = gptimage.Client(**OPTIONS)\n' + WAITS["a daemon thread"]
    ended = run(PRELUDE + WAITING + script, slow.url, "0", flags=FLAGS)
    assert ended.code == 0 and ended.out == "" and len(ended.left) == 1, ended


def test_an_impatient_exit(slow: Emulator) -> None:
    """Ctrl-C ends the waiting, and what was waited for is named."""
    slow.fault(delay="1h")
    script = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
OPTIONS["exit_wait"] = 3000
client = gptimage.Client(**OPTIONS)
def waits():
    '''Whether the main thread is in the exit's wait: it is in no code of Python's any more.'''
    return threading.main_thread().ident not in sys._current_frames() or not threading.main_thread().is_alive()
def interrupt():
    import os
    SENT.wait()
    while not waits():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
""" + WAITS["a daemon thread"]
    ended = run(PRELUDE + WAITING + script, slow.url, "0", flags=FLAGS)
    assert ended.code == 0 and ended.out == "" and len(ended.left) == 1, ended
    assert "KeyboardInterrupt" in ended.err


def test_an_outcome_on_its_way_to_a_thread_is_kept(slow: Emulator, tmp_path: Path) -> None:
    """The call has ended, and its event loop has been left: at the exit the folder gets what nobody fetched."""
    script = f"""
import asyncio
client = gptimage.AsyncClient(salvage_folder={str(tmp_path / "kept")!r}, **OPTIONS)
loop = asyncio.new_event_loop()
loop.set_exception_handler(lambda *_: None)
async def main():
    task = asyncio.ensure_future(client.generate("x", progress=look))
    while not SENT.is_set():
        await asyncio.sleep(0.01)
    return task
task = loop.run_until_complete(main())
while client.pending():
    time.sleep(0.01)
"""
    ended = run(PRELUDE + WAITING + script, slow.url, "0", flags=FLAGS)
    assert ended.code == 0 and ended.out == "", ended
    [kept] = slow.client(salvage_folder=tmp_path / "kept").collect()
    assert isinstance(kept, Generated) and kept.image.format == "png"
    assert slow.charges == 1


def test_between_two_attempts_the_exit_names_the_first(slow: Emulator) -> None:
    """It may be paid, and what follows it never comes."""
    slow.set(latency="0s")
    slow.fault(answer={"status": 503, "headers": {"retry-after": "100"}})
    script = """
client = gptimage.Client(retry_server_errors=True, **OPTIONS)
paused = threading.Event()
def pauses(now):
    if now.pause_seconds is not None:
        paused.set()
threading.Thread(target=client.generate, args=("x",), kwargs={"progress": pauses}, daemon=True).start()
paused.wait()
"""
    ended = run(PRELUDE + script, slow.url, "0", flags=FLAGS)
    assert ended.code == 0 and len(ended.left) == 1, ended
    assert [entry.client_request_id for entry in slow.ledger] == ended.left
