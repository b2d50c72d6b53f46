"""Ctrl-C: seen at once at every phase, says what the call may cost, and loses nothing that was paid for."""

from __future__ import annotations

import random
import sys
from typing import Any

import pytest

from processes import run

# What every script starts with. A thread sends SIGINT once a condition holds, as a terminal would; the main thread
# says how long it took to get KeyboardInterrupt, and what was on it.
PRELUDE = """
import json, os, signal, socket, sys, threading, time
import gptimage

signal.signal(signal.SIGINT, signal.default_int_handler)
MAIN = threading.main_thread().ident
sent = []

def until(condition, what):
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            print(f"waited too long until {what}", file=sys.stderr)
            os._exit(99)
        time.sleep(0.001)

def interrupt_when(condition, what="the condition holds"):
    def watch():
        until(condition, what)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=watch, daemon=True).start()

def is_in(name):
    '''Whether the main thread is in a function of gptimage of this name.'''
    frame = sys._current_frames().get(MAIN)
    while frame is not None:
        if frame.f_code.co_name == name and "gptimage" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False

def stands_still():
    '''A condition: the main thread is in one and the same call of gptimage for a while.'''
    looks = []
    def look():
        frame = sys._current_frames().get(MAIN)
        if frame is None or "gptimage" not in frame.f_code.co_filename:
            looks.clear()
            return False
        place = id(frame), frame.f_lasti
        if looks and looks[-1] != place:
            looks.clear()
        looks.append(place)
        return len(looks) > 50
    return look

def interrupted(work):
    try:
        work()
    except KeyboardInterrupt as stopped:
        seconds = time.monotonic() - sent[-1]
        cause = stopped.__cause__
        return {
            "ms": seconds * 1000,
            "notes": getattr(stopped, "__notes__", []),
            "cause": cause and cause.kind,
            "charge": cause and cause.charge,
            "phase": cause.attempts[-1].phase if cause and cause.attempts else None,
        }
    raise SystemExit("it was not interrupted")

class Left(BaseException):
    pass

def leave(client, prompt):
    '''Makes a call and goes away once it was sent; it is left to `collect`.'''
    def progress(now):
        if now.phase not in ("planned", "connecting", "sending"):
            raise Left
    try:
        client.generate(prompt, progress=progress)
    except Left:
        return
    raise SystemExit("it was not left")

def tell(facts, client=None, emulator=None):
    if client is not None:
        client.drain()
        kept = client.collect()
        facts["kept"] = [type(one).__name__ for one in kept]
        facts["formats"] = [one.image.format for one in kept if isinstance(one, gptimage.Generated)]
        facts["again"] = len(client.collect())
    if emulator is not None:
        facts["charges"] = emulator.charges
        facts["arrived"] = [entry.arrived_whole for entry in emulator.ledger]
    print(json.dumps(facts))

def png(side):
    '''A PNG of noise, stored without compression.'''
    import struct, zlib
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\\0" + os.urandom(side * 3)) * side, 0)
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")

class Listener:
    '''Accepts one connection, reads so many bytes of it, and then does nothing until asked.'''

    def __init__(self, read):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/v1" % self.socket.getsockname()[1]
        self.got = b""
        self.wanted = read
        self.go_on = threading.Event()
        self.ended = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        connection, _ = self.socket.accept()
        with connection:
            while len(self.got) < self.wanted:
                part = connection.recv(self.wanted - len(self.got))
                if not part:
                    break
                self.got += part
            self.go_on.wait()
            try:
                while part := connection.recv(1 << 20):
                    self.got += part
            except ConnectionError:
                pass
        self.ended.set()
"""


def interrupts(name: str, script: str, *, leaves_calls: bool = False) -> dict[str, Any]:
    """Runs a script that is interrupted, and checks what holds for each."""
    facts: dict[str, Any] = run(PRELUDE + script).facts(leaves_calls=leaves_calls)
    print(f"{name}: KeyboardInterrupt after {facts['ms']:.0f} ms; {'; '.join(facts['notes'])}")
    assert facts["ms"] < 1000, facts
    # What is kept is handed over once.
    assert facts.get("again", 0) == 0, facts
    return facts


def note(facts: dict[str, Any]) -> str:
    """The one note."""
    assert len(facts["notes"]) == 1, facts
    text: str = facts["notes"][0]
    assert text.startswith("gptimage: "), facts
    return text


def assert_free(facts: dict[str, Any]) -> None:
    """The note says that nothing was charged, and that is true."""
    assert "nothing was charged" in note(facts), facts
    assert facts["charge"] in (None, "not_charged"), facts
    assert facts["kept"] == [], facts
    assert facts.get("charges", 0) == 0, facts


def assert_kept(facts: dict[str, Any]) -> None:
    """The note says that it may be paid and where to get it; it was paid once, and is there once."""
    assert "client.collect()" in note(facts), facts
    assert "nothing was charged" not in note(facts), facts
    assert facts["charge"] in ("unknown", "charged"), facts
    assert facts["kept"] == ["Generated"], facts
    assert facts["formats"] == ["png"], facts
    assert facts["charges"] == 1, facts


def test_while_a_slow_file_is_read() -> None:
    """Python reads it, so nothing has begun."""
    facts = interrupts(
        "reading a slow file",
        """
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    reading = threading.Event()
    class Slow:
        def read(self, size=-1):
            reading.set()
            # One long sleep can miss a signal that comes just before it begins.
            for _ in range(3000):
                time.sleep(0.01)
    interrupt_when(reading.is_set)
    tell(interrupted(lambda: client.edit("x", image=Slow())), client, emulator)
""",
    )
    assert facts["charges"] == 0 and facts["kept"] == [] and facts["arrived"] == []


def test_while_pixels_are_encoded() -> None:
    """Sixteen pictures of noise take seconds to encode."""
    facts = interrupts(
        "building",
        """
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    noise = memoryview(os.urandom(4000 * 4000)).cast("B", (4000, 4000))
    interrupt_when(stands_still())
    facts = interrupted(lambda: client.edit("x", image=[noise] * 16))
    facts["connections"] = emulator.connections
    tell(facts, client, emulator)
""",
    )
    assert_free(facts)
    assert facts["connections"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="how a full backlog behaves is each system's own")
def test_while_connecting_to_a_blackhole() -> None:
    """A listener whose backlog is full does not answer at all."""
    facts = interrupts(
        "connecting",
        """
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
address = listener.getsockname()
full = []
for _ in range(8):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(address)
    full.append(one)
client = gptimage.Client(api_key="k", base_url="http://%s:%d/v1" % address, proxy=False)
phases = []
interrupt_when(lambda: "connecting" in phases)
facts = interrupted(lambda: client.generate("x", progress=lambda now: phases.append(now.phase)))
tell(facts, client)
for one in [listener, *full]:
    one.close()
""",
    )
    assert_free(facts)
    assert facts["phase"] == "connecting"


def test_while_tls_is_not_answered() -> None:
    """The connection stands, and nobody speaks TLS."""
    facts = interrupts(
        "TLS",
        """
listener = Listener(1)
client = gptimage.Client(api_key="k", base_url=listener.url.replace("http:", "https:"), proxy=False)
interrupt_when(lambda: listener.got)
facts = interrupted(lambda: client.generate("x"))
tell(facts, client)
listener.socket.close()
""",
    )
    assert_free(facts)
    assert facts["phase"] == "connecting"


def test_while_a_large_upload_stands_still() -> None:
    """The server stops reading: it never gets the whole request, so nothing can be charged."""
    facts = interrupts(
        "sending",
        """
listener = Listener(10_000)
client = gptimage.Client(api_key="k", base_url=listener.url, proxy=False)
looks = []
interrupt_when(lambda: looks and looks[-1].phase == "sending" and looks[-1].bytes_sent > 0)
picture = png(3200)
facts = interrupted(lambda: client.edit("x", image=picture, progress=looks.append))
facts["bytes_sent"] = looks[-1].bytes_sent
listener.go_on.set()
listener.ended.wait(30)
facts["got"], facts["total"] = len(listener.got), looks[-1].bytes_total
tell(facts, client)
listener.socket.close()
""",
    )
    assert_free(facts)
    assert facts["phase"] == "sending"
    assert 0 < facts["got"] < facts["total"]


def test_while_waiting_for_the_answer() -> None:
    """Sent whole: it runs on, and its result is kept."""
    facts = interrupts(
        "waiting for the head",
        """
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    emulator.fault(delay="1500ms")
    interrupt_when(lambda: emulator.requests)
    tell(interrupted(lambda: client.generate("x")), client, emulator)
""",
    )
    assert_kept(facts)
    assert facts["phase"] == "sent"


def test_while_an_unaccepting_server_has_it_all() -> None:
    """The kernel takes the whole request for a server that never accepts: nobody knows what becomes of it."""
    facts = interrupts(
        "sent to a server that does not accept",
        """
listener = socket.create_server(("127.0.0.1", 0))
url = "http://127.0.0.1:%d/v1" % listener.getsockname()[1]
client = gptimage.Client(api_key="k", base_url=url, proxy=False)
phases = []
interrupt_when(lambda: "sent" in phases)
facts = interrupted(lambda: client.generate("x", progress=lambda now: phases.append(now.phase)))
# Now the server is gone, and the call that runs on with it.
listener.close()
tell(facts, client)
""",
    )
    assert "client.collect()" in note(facts), facts
    assert facts["charge"] == "unknown"
    assert facts["kept"] == ["OutcomeUnknownError"]


def test_while_the_body_comes() -> None:
    facts = interrupts(
        "receiving the body",
        """
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    emulator.fault(pauses=[{"after": 100_000, "pause": "1500ms"}])
    looks = []
    interrupt_when(lambda: looks and looks[-1].phase == "head_received" and looks[-1].bytes_received)
    call = lambda: client.generate("x", response_format="b64_json", progress=looks.append)
    tell(interrupted(call), client, emulator)
""",
    )
    assert_kept(facts)
    assert facts["phase"] == "head_received"


def test_while_the_body_goes_to_a_file(tmp_path: Any) -> None:
    """The file is written all the same, whole and under the name that was asked for."""
    target = tmp_path / "picture.png"
    facts = interrupts(
        "writing the body to a file",
        f"""
target = {str(target)!r}
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    emulator.fault(pauses=[{{"after": 100_000, "pause": "1500ms"}}])
    looks = []
    interrupt_when(lambda: looks and looks[-1].phase == "head_received" and looks[-1].bytes_received)
    call = lambda: client.generate("x", response_format="b64_json", save_to=target, progress=looks.append)
    facts = interrupted(call)
    facts["early"] = os.path.exists(target)
    tell(facts, client, emulator)
""",
    )
    assert_kept(facts)
    assert facts["early"] is False
    assert target.read_bytes().endswith(b"IEND\xaeB`\x82")
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


def test_while_the_picture_is_downloaded() -> None:
    facts = interrupts(
        "downloading",
        """
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    emulator.fault(cdn={"pauses": [{"after": 5000, "pause": "1500ms"}]})
    looks = []
    interrupt_when(lambda: looks and looks[-1].phase == "body_complete")
    call = lambda: client.generate("x", response_format="url", progress=looks.append)
    tell(interrupted(call), client, emulator)
""",
    )
    assert_kept(facts)
    assert facts["phase"] == "body_complete"
    assert facts["charge"] == "charged"


def test_between_two_attempts() -> None:
    """Refused with 429 and told to wait half a minute."""
    facts = interrupts(
        "retry pause",
        """
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    emulator.fault(answer={"status": 429, "headers": {"retry-after": "30"}})
    looks = []
    interrupt_when(lambda: looks and looks[-1].pause_seconds)
    facts = interrupted(lambda: client.generate("x", progress=looks.append))
    tell(facts, client, emulator)
""",
    )
    assert facts["charge"] == "not_charged" and facts["cause"] == "cancelled"
    assert facts["kept"] == [] and facts["charges"] == 0 and len(facts["arrived"]) == 1
    assert "collect" not in note(facts)


def test_while_fetching() -> None:
    """A download is free and can be repeated."""
    facts = interrupts(
        "fetch",
        """
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    image = client.generate("x", response_format="url", fetch=False).image
    emulator.fault(cdn={"pauses": [{"after": 5000, "pause": "30s"}]})
    interrupt_when(lambda: any(request.side == "cdn" for request in emulator.requests))
    facts = interrupted(lambda: client.fetch(image))
    emulator.clear_faults()
    facts["fetched"] = client.fetch(image).format
    tell(facts, client, emulator)
""",
    )
    assert facts["fetched"] == "png" and facts["charges"] == 1 and facts["kept"] == []
    assert "nothing was charged" in note(facts) and "nothing had been sent" not in note(facts)


def test_while_asking_for_the_balance() -> None:
    facts = interrupts(
        "balance",
        """
listener = Listener(20)
client = gptimage.Client(api_key="k", base_url=listener.url, proxy=False)
interrupt_when(lambda: len(listener.got) >= 20)
tell(interrupted(client.balance), client)
listener.socket.close()
""",
    )
    assert "nothing was charged" in note(facts) and "nothing had been sent" not in note(facts)
    assert facts["kept"] == []


def test_while_draining() -> None:
    """What is waited for may be paid, so nobody may read here that nothing was charged."""
    facts = interrupts(
        "drain",
        """
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    emulator.fault(delay="1500ms")
    leave(client, "x")
    interrupt_when(lambda: is_in("drain"))
    tell(interrupted(client.drain), client, emulator)
""",
    )
    assert facts["charges"] == 1 and facts["kept"] == ["Generated"], facts
    said = " ".join(facts["notes"])
    assert "nothing had been sent" not in said and "nothing was charged" not in said, said


def test_while_the_ledger_settles() -> None:
    """The ledger waits for the answer that is being held back; so does `stop`, which must still stop it."""
    facts = interrupts(
        "emulator.ledger",
        """
emulator = gptimage.Emulator(billing="pessimistic")
client = emulator.client()
emulator.fault(delay="30s")
done = []
def call():
    try:
        client.generate("x")
    except gptimage.GptImageError as error:
        done.append(type(error).__name__)
caller = threading.Thread(target=call, daemon=True)
caller.start()
until(lambda: emulator.requests, "the request is there")
interrupt_when(lambda: is_in("ledger"))
facts = interrupted(lambda: emulator.ledger)
emulator.stop()
port = int(emulator.url.split(":")[2].split("/")[0])
try:
    socket.create_connection(("127.0.0.1", port), 5).close()
    facts["stopped"] = False
except ConnectionRefusedError:
    facts["stopped"] = True
caller.join(5)
facts["caller"] = done
tell(facts)
""",
        # Only where the emulator was not stopped, which is what is reported then.
        leaves_calls=True,
    )
    assert facts["stopped"], "stop() left the emulator's port open"
    assert facts["caller"] == ["OutcomeUnknownError"], facts


def test_in_asyncio_run() -> None:
    """asyncio.run cancels the main task; its CancelledError has the note, and is what the interrupt came from."""
    facts = interrupts(
        "asyncio.run",
        """
import asyncio
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.async_client()
    emulator.fault(delay="1500ms")
    interrupt_when(lambda: emulator.requests)
    async def main():
        await client.generate("x")
    try:
        asyncio.run(main())
    except KeyboardInterrupt as stopped:
        seconds = time.monotonic() - sent[-1]
        cancelled = stopped.__context__
        assert isinstance(cancelled, asyncio.CancelledError), cancelled
        cause = cancelled.__cause__
        facts = {"ms": seconds * 1000, "notes": cancelled.__notes__, "charge": cause.charge}
    sync = emulator.client()
    asyncio.run(client.drain())
    kept = client.collect()
    facts["kept"] = [type(one).__name__ for one in kept]
    facts["formats"] = [one.image.format for one in kept]
    tell({**facts, "again": len(client.collect())}, emulator=emulator)
""",
    )
    assert_kept(facts)


def test_an_aborted_call_is_not_said_to_be_kept() -> None:
    """`on_cancel="abort"` gives it up: it may be paid, and nobody collects it."""
    facts = interrupts(
        "waiting for the head, on_cancel=abort",
        """
import logging
logging.getLogger("gptimage").setLevel(logging.CRITICAL)
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client(on_cancel="abort")
    emulator.fault(delay="1500ms")
    interrupt_when(lambda: emulator.requests)
    tell(interrupted(lambda: client.generate("x")), client, emulator)
""",
    )
    assert facts["charge"] == "unknown" and facts["charges"] == 1
    assert facts["kept"] == []
    assert "nothing was charged" not in note(facts)
    assert "collect" not in note(facts), note(facts)


def test_a_handler_of_ones_own() -> None:
    """Whatever a signal's handler raises comes through as it is, with the note: here a timeout of one's own."""
    facts: dict[str, Any] = run(
        PRELUDE
        + """
class TooLong(Exception):
    pass
def ring(number, frame):
    raise TooLong
signal.signal(signal.SIGALRM, ring)
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    emulator.fault(delay="1500ms")
    def alarm():
        until(lambda: emulator.requests, "the request is there")
        os.kill(os.getpid(), signal.SIGALRM)
    threading.Thread(target=alarm, daemon=True).start()
    try:
        client.generate("x")
    except TooLong as stopped:
        facts = {"notes": stopped.__notes__, "charge": stopped.__cause__.charge}
    tell(facts, client, emulator)
"""
    ).facts()
    assert_kept(facts)


def test_a_handler_that_fails_with_an_error_of_this_library() -> None:
    """The handler asks for the balance, in vain. The call that it came upon is given up like any other, and is kept."""
    facts: dict[str, Any] = run(
        PRELUDE
        + """
with socket.create_server(("127.0.0.1", 0)) as nobody:
    other = gptimage.Client(api_key="k", base_url="http://127.0.0.1:%d/v1" % nobody.getsockname()[1], proxy=False,
        max_attempts=1)
def ring(number, frame):
    other.balance()
signal.signal(signal.SIGALRM, ring)
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    emulator.fault(delay="1500ms")
    def alarm():
        until(lambda: emulator.requests, "the request is there")
        os.kill(os.getpid(), signal.SIGALRM)
    threading.Thread(target=alarm, daemon=True).start()
    try:
        client.generate("x")
    except gptimage.APIConnectionError as stopped:
        facts = {"notes": getattr(stopped, "__notes__", [])}
        client.drain()
        facts["inside"] = len(client.collect())
    tell(facts, client, emulator)
"""
    ).facts(leaves_calls=True)
    assert facts["charges"] == 1 and facts["inside"] == 1, facts
    assert "client.collect()" in note(facts), facts


def test_a_signal_that_raises_nothing() -> None:
    """A handler that only takes notice does not disturb the call."""
    facts: dict[str, Any] = run(
        PRELUDE
        + """
seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
with gptimage.Emulator(billing="pessimistic") as emulator:
    client = emulator.client()
    emulator.fault(delay="500ms")
    def send():
        until(lambda: emulator.requests, "the request is there")
        for count in range(1, 6):
            os.kill(os.getpid(), signal.SIGUSR1)
            until(lambda: len(seen) >= count, "the handler ran")
    sender = threading.Thread(target=send)
    sender.start()
    made = client.generate("x")
    sender.join()
    tell({"format": made.image.format, "seen": len(seen)}, client, emulator)
"""
    ).facts()
    assert facts["format"] == "png" and facts["seen"] == 5 and facts["charges"] == 1 and facts["kept"] == []


RACE = """
import random
with gptimage.Emulator(billing="pessimistic", canned=png(8)) as emulator:
    seed, rounds = int(sys.argv[1]), int(sys.argv[2])
    dice = random.Random(seed)
    client = emulator.client()
    began = time.monotonic()
    for _ in range(5):
        client.generate("warm")
    usual = (time.monotonic() - began) / 5
    base = emulator.charges
    returned = collected = 0
    for number in range(rounds):
        made, kept, stopped = None, [], None
        wait = dice.uniform(0, 2 * usual)
        go = threading.Event()
        def kill():
            go.wait()
            time.sleep(wait)
            os.kill(os.getpid(), signal.SIGINT)
        killer = threading.Thread(target=kill)
        killer.start()
        try:
            try:
                go.set()
                made = client.generate(f"round {number}")
            finally:
                killer.join()
                # The signal is there by now, so it is raised here at the latest.
                time.sleep(0)
        except KeyboardInterrupt as caught:
            stopped = caught
        client.drain()
        kept = client.collect()
        entries = [entry for entry in emulator.ledger if entry.prompt == f"round {number}"]
        charged = sum(entry.charge is not None for entry in entries)
        have = (made is not None) + len(kept)
        if have != charged or len(entries) > 1 or stopped is None:
            print(f"seed {seed}, round {number}: {charged} charges, returned {made!r}, kept {kept!r}, "
                  f"{getattr(stopped, '__notes__', None)}", file=sys.stderr)
            os._exit(1)
        returned += made is not None
        collected += len(kept)
    tell({"returned": returned, "collected": collected, "charges": emulator.charges - base})
"""


@pytest.mark.parametrize("rounds", [400])
def test_racing_with_the_end(rounds: int) -> None:
    """Interrupts at random moments of a call: its result is returned or collected, never lost, never both."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    facts = run(PRELUDE + RACE, str(seed), str(rounds)).facts()
    print(facts)
    assert facts["returned"] + facts["collected"] == facts["charges"]
    # Of both kinds there were some, or nothing raced.
    assert facts["returned"] > 0 and facts["returned"] < rounds


# CPython raises KeyboardInterrupt at the start of a Python function, or when a C function or a call with * has
# returned; a profiler is told of the same moments. So every one of them is tried, one call each, with the exception
# kept alive meanwhile, as a handler or a notebook does.
EVERYWHERE = """
import dis, gc

class HandlerFailed(gptimage.APIConnectionError):
    '''A signal's handler that uses a client of its own can fail like any other.'''

# What the handler raises.
STOP = KeyboardInterrupt

class At:
    '''Interrupts at the n-th moment at which CPython looks for a signal.'''

    def __init__(self, n, armed=True):
        self.n, self.armed, self.seen, self.where = n, armed, 0, None

    def __call__(self, frame, event, argument):
        if not self.armed:
            return
        if event in ("call", "c_return") or event == "return" and argument and is_called_with_star(frame):
            self.seen += 1
            if self.seen == self.n:
                after = f" after {argument.__name__}" if event == "c_return" else f" at its {event}"
                self.where = f"{frame.f_code.co_name}, line {frame.f_lineno}{after}"
                raise STOP

def is_called_with_star(frame):
    caller = frame.f_back
    return caller is not None and dis.opname[caller.f_code.co_code[caller.f_lasti]] == "CALL_FUNCTION_EX"

def attempt(work, at):
    '''What came of it: the result, the error, the interrupt.'''
    result = error = stopped = None
    sys.setprofile(at)
    try:
        result = work()
    except STOP as caught:
        stopped = caught
    except gptimage.GptImageError as caught:
        error = caught
    finally:
        sys.setprofile(None)
    return result, error, stopped

def everywhere(emulator, client, fault, progress=None, armed=True):
    complaints, n, untouched = [], 0, 0
    while True:
        n += 1
        prompt = f"moment {n}."
        entries = lambda: [entry for entry in emulator.ledger if entry.prompt == prompt]
        at = At(n, armed)
        if fault:
            emulator.fault(fault)
        if not armed:
            # A real first interrupt ends the wait; what follows it is counted.
            def first(number, frame):
                at.armed = True
                raise KeyboardInterrupt
            signal.signal(signal.SIGINT, first)
            interrupt_when(lambda: any(prompt.encode() in (request.body or b"") for request in emulator.requests))
        result, error, stopped = attempt(lambda: client.generate(prompt, progress=progress), at)
        client.drain()
        kept = client.collect()
        # An error that the interrupt came upon is shown with it.
        shown = stopped is not None and isinstance(stopped.__context__, gptimage.GptImageError)
        notes = getattr(stopped, "__notes__", [])
        have = (result is not None) + (error is not None) + len(kept)
        # What is still held back is lost to whoever handles the interrupt, but must not disturb the next moment.
        result = error = stopped = kept = None
        gc.collect()
        client.drain()
        charges = sum(entry.charge is not None for entry in entries())
        client.drain()
        late = len(client.collect())
        emulator.clear_faults()
        if charges and not have and not shown:
            complaints.append(f"{at.where}: lost to its handler, {late} later; notes {notes}")
        elif have + late > 1:
            complaints.append(f"{at.where}: {have} + {late} outcomes of one call")
        if charges and any("nothing was charged" in note for note in notes):
            complaints.append(f"{at.where}: charged, and the note says {notes}")
        # How often progress is told is not the same each time, so the first round without an interrupt says little.
        untouched = 0 if at.where else untouched + 1
        if untouched == 4:
            return complaints, n - untouched
"""


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        ("returned", {}),
        ("watched", {}),
        ("download failed", {"cdn": {"status": 403, "times": 9}}),
        ("outcome unknown", {"cut_response": {"after": 17, "cut": "rst"}}),
    ],
)
def test_at_every_moment(outcome: str, fault: dict[str, Any]) -> None:
    """No moment of a call loses what was paid for, and no note says that nothing was charged when something was."""
    watch = "lambda now: None" if outcome == "watched" else "None"
    script = f"""
with gptimage.Emulator(billing="pessimistic", canned=png(8)) as emulator:
    client = emulator.client()
    client.generate("warm")
    complaints, moments = everywhere(emulator, client, {fault!r}, {watch})
    tell({{"complaints": complaints, "moments": moments}})
"""
    facts = run(PRELUDE + EVERYWHERE + script).facts()
    print(f"{outcome}: {facts['moments']} moments", *facts["complaints"], sep="\n")
    assert facts["moments"] > 10
    assert facts["complaints"] == []


@pytest.mark.parametrize("fault", [{}, {"cdn": {"status": 403, "times": 9}}])
def test_at_every_moment_by_a_handler_that_fails(fault: dict[str, Any]) -> None:
    """What a signal's handler raises may be an error of this library, from another call: it is not this call's own."""
    script = f"""
STOP = HandlerFailed
with gptimage.Emulator(billing="pessimistic", canned=png(8)) as emulator:
    client = emulator.client()
    client.generate("warm")
    complaints, moments = everywhere(emulator, client, {fault!r})
    tell({{"complaints": complaints, "moments": moments}})
"""
    facts = run(PRELUDE + EVERYWHERE + script).facts()
    print(f"{facts['moments']} moments", *facts["complaints"], sep="\n")
    assert facts["moments"] > 10
    assert facts["complaints"] == []


def test_at_every_moment_after_an_interrupt() -> None:
    """An impatient second Ctrl-C, while the first one is being explained, loses nothing either."""
    script = """
with gptimage.Emulator(billing="pessimistic", canned=png(8)) as emulator:
    client = emulator.client()
    client.generate("warm")
    complaints, moments = everywhere(emulator, client, {"delay": "100ms"}, armed=False)
    tell({"complaints": complaints, "moments": moments})
"""
    facts = run(PRELUDE + EVERYWHERE + script).facts()
    print(f"{facts['moments']} moments", *facts["complaints"], sep="\n")
    assert facts["moments"] > 1
    assert facts["complaints"] == []


def test_at_every_moment_of_collecting() -> None:
    """What `collect` was about to hand over when it was interrupted is handed over the next time."""
    script = """
with gptimage.Emulator(billing="pessimistic", canned=png(8)) as emulator:
    client = emulator.client()
    complaints, n = [], -1
    while True:
        n += 1
        for picture in range(2):
            leave(client, f"moment {n}.{picture}")
        client.drain()
        at = At(n)
        kept, _, stopped = attempt(client.collect, at)
        later = client.collect()
        have = len(kept or []) + len(later)
        if have != 2:
            complaints.append(f"{at.where}: {have} of 2")
        if n > 0 and at.where is None:
            break
    tell({"complaints": complaints, "moments": n - 1, "charges": emulator.charges})
"""
    facts = run(PRELUDE + EVERYWHERE + script).facts()
    print(f"{facts['moments']} moments", *facts["complaints"], sep="\n")
    assert facts["moments"] > 1
    # The first round warms up, and the last finds no more moment.
    assert facts["charges"] == 2 * (facts["moments"] + 2)
    assert facts["complaints"] == []
