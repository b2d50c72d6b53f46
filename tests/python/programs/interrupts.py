"""Programs that are interrupted, one for each phase of a call."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import socket
import sys
import threading
import time
from types import FrameType
from typing import Any

import gptimage
from gptimage import Client, Emulator, GptImageError, Progress
from interrupted import SENT, Facts, Listener, interrupt_when, interrupted, is_in, send_when, stands_still, tell
from pictures import PIXEL, png
from program import leave, run_chosen, until

# A fault that holds the answer back for longer than an interrupt takes.
HELD = "1500ms"


def pessimistic() -> Emulator:
    return Emulator(billing="pessimistic")


def reading_a_slow_file() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        reading = threading.Event()

        class Slow:
            def read(self, size: int = -1) -> bytes:
                reading.set()
                # One long sleep can miss a signal that comes just before it begins.
                for _ in range(3000):
                    time.sleep(0.01)
                return b""

        slow: Any = Slow()
        interrupt_when(reading.is_set)
        tell(interrupted(lambda: client.edit("x", image=slow)), client, emulator)


def encoding_pixels() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        noise = memoryview(os.urandom(4000 * 4000)).cast("B", (4000, 4000))
        interrupt_when(stands_still())
        facts = interrupted(lambda: client.edit("x", image=[noise] * 16))
        facts["connections"] = emulator.connections
        tell(facts, client, emulator)


def connecting_to_a_blackhole() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    host, port = listener.getsockname()
    full = []
    for _ in range(8):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex((host, port))
        full.append(one)
    client = Client(api_key="k", base_url=f"http://{host}:{port}/v1", proxy=False)
    phases: list[str] = []
    interrupt_when(lambda: "connecting" in phases)
    facts = interrupted(lambda: client.generate("x", progress=lambda now: phases.append(now.phase)))
    tell(facts, client)
    for one in [listener, *full]:
        one.close()


def tls_is_not_answered() -> None:
    listener = Listener(1)
    client = Client(api_key="k", base_url=listener.url.replace("http:", "https:"), proxy=False)
    interrupt_when(lambda: listener.got)
    facts = interrupted(lambda: client.generate("x"))
    tell(facts, client)
    listener.socket.close()


def a_large_upload_stands_still() -> None:
    listener = Listener(10_000)
    client = Client(api_key="k", base_url=listener.url, proxy=False)
    looks: list[Progress] = []
    interrupt_when(lambda: looks and looks[-1].phase == "sending" and looks[-1].bytes_sent > 0)
    picture = png(3200)
    facts = interrupted(lambda: client.edit("x", image=picture, progress=looks.append))
    facts["bytes_sent"] = looks[-1].bytes_sent
    listener.go_on.set()
    listener.ended.wait(30)
    facts["got"], facts["total"] = len(listener.got), looks[-1].bytes_total
    tell(facts, client)
    listener.socket.close()


def waiting_for_the_answer() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(delay=HELD)
        interrupt_when(lambda: emulator.requests)
        tell(interrupted(lambda: client.generate("x")), client, emulator)


def an_unaccepting_server_has_it_all() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    client = Client(api_key="k", base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1", proxy=False)
    phases: list[str] = []
    interrupt_when(lambda: "sent" in phases)
    facts = interrupted(lambda: client.generate("x", progress=lambda now: phases.append(now.phase)))
    # The server goes away, and with it the call that runs on.
    listener.close()
    tell(facts, client)


def the_body_comes() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(pauses=[{"after": 100_000, "pause": HELD}])
        looks: list[Progress] = []
        interrupt_when(lambda: looks and looks[-1].phase == "head_received" and looks[-1].bytes_received)
        facts = interrupted(lambda: client.generate("x", response_format="b64_json", progress=looks.append))
        tell(facts, client, emulator)


def the_body_goes_to_a_file(target: str) -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(pauses=[{"after": 100_000, "pause": HELD}])
        looks: list[Progress] = []
        interrupt_when(lambda: looks and looks[-1].phase == "head_received" and looks[-1].bytes_received)
        facts = interrupted(
            lambda: client.generate("x", response_format="b64_json", save_to=target, progress=looks.append)
        )
        facts["early"] = os.path.exists(target)
        tell(facts, client, emulator)


def the_picture_is_downloaded() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(cdn={"pauses": [{"after": 5000, "pause": HELD}]})
        looks: list[Progress] = []
        interrupt_when(lambda: looks and looks[-1].phase == "body_complete")
        facts = interrupted(lambda: client.generate("x", response_format="url", progress=looks.append))
        tell(facts, client, emulator)


def between_two_attempts() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(answer={"status": 429, "headers": {"retry-after": "30"}})
        looks: list[Progress] = []
        interrupt_when(lambda: looks and looks[-1].pause_seconds)
        facts = interrupted(lambda: client.generate("x", progress=looks.append))
        tell(facts, client, emulator)


def fetching() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        image = client.generate("x", response_format="url", fetch=False).image
        emulator.fault(cdn={"pauses": [{"after": 5000, "pause": "30s"}]})
        interrupt_when(lambda: any(request.side == "cdn" for request in emulator.requests))
        facts = interrupted(lambda: client.fetch(image))
        emulator.clear_faults()
        facts["fetched"] = client.fetch(image).format
        tell(facts, client, emulator)


def asking_for_the_balance() -> None:
    listener = Listener(20)
    client = Client(api_key="k", base_url=listener.url, proxy=False)
    interrupt_when(lambda: len(listener.got) >= 20)
    tell(interrupted(client.balance), client)
    listener.socket.close()


def draining() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(delay=HELD)
        leave(client, "x")
        interrupt_when(lambda: is_in("drain"))
        tell(interrupted(client.drain), client, emulator)


def the_ledger_settles() -> None:
    emulator = pessimistic()
    client = emulator.client()
    emulator.fault(delay="30s")
    errors: list[str] = []

    def call() -> None:
        try:
            client.generate("x")
        except GptImageError as error:
            errors.append(type(error).__name__)

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
    facts["caller"] = errors
    tell(facts)


def in_asyncio_run() -> None:
    with pessimistic() as emulator:
        client = emulator.async_client()
        emulator.fault(delay=HELD)
        interrupt_when(lambda: emulator.requests)

        async def main() -> None:
            await client.generate("x")

        facts: Facts = {}
        try:
            asyncio.run(main())
        except KeyboardInterrupt as stopped:
            seconds = time.monotonic() - SENT[-1]
            cancelled = stopped.__context__
            assert isinstance(cancelled, asyncio.CancelledError), cancelled
            cause = cancelled.__cause__
            assert isinstance(cause, GptImageError), cause
            facts = {"ms": seconds * 1000, "notes": cancelled.__notes__, "charge": cause.charge}
        asyncio.run(client.drain())
        kept = client.collect()
        facts["kept"] = [type(outcome).__name__ for outcome in kept]
        facts["formats"] = [outcome.image.format for outcome in kept if isinstance(outcome, gptimage.Generated)]
        tell({**facts, "again": len(client.collect())}, emulator=emulator)


def an_aborted_call() -> None:
    logging.getLogger("gptimage").setLevel(logging.CRITICAL)
    with pessimistic() as emulator:
        client = emulator.client(on_cancel="abort")
        emulator.fault(delay=HELD)
        interrupt_when(lambda: emulator.requests)
        tell(interrupted(lambda: client.generate("x")), client, emulator)


def a_handler_of_ones_own() -> None:
    class TooLong(Exception):
        pass

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, ring)
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(delay=HELD)
        send_when(lambda: emulator.requests, signal.SIGALRM)
        facts: Facts = {}
        try:
            client.generate("x")
        except TooLong as stopped:
            assert isinstance(stopped.__cause__, GptImageError), stopped.__cause__
            facts = {"notes": stopped.__notes__, "charge": stopped.__cause__.charge}
        tell(facts, client, emulator)


def a_handler_that_fails_with_our_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    other = Client(api_key="k", base_url=url, proxy=False, max_attempts=1)

    def ring(number: int, frame: FrameType | None) -> None:
        other.balance()

    signal.signal(signal.SIGALRM, ring)
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(delay=HELD)
        send_when(lambda: emulator.requests, signal.SIGALRM)
        facts: Facts = {}
        try:
            client.generate("x")
        except gptimage.APIConnectionError as stopped:
            facts = {"notes": getattr(stopped, "__notes__", [])}
            client.drain()
            facts["inside"] = len(client.collect())
        tell(facts, client, emulator)


def a_signal_that_raises_nothing() -> None:
    seen: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(delay="500ms")

        def send() -> None:
            until(lambda: emulator.requests, "the request is there")
            for count in range(1, 6):
                os.kill(os.getpid(), signal.SIGUSR1)
                until(lambda: len(seen) >= count, "the handler ran")

        sender = threading.Thread(target=send)
        sender.start()
        made = client.generate("x")
        sender.join()
        tell({"format": made.image.format, "seen": len(seen)}, client, emulator)


def racing_with_the_end(seed: str, rounds: str) -> None:
    with Emulator(billing="pessimistic", canned=PIXEL) as emulator:
        draw = random.Random(int(seed))
        client = emulator.client()
        began = time.monotonic()
        for _ in range(5):
            client.generate("warm")
        usual = (time.monotonic() - began) / 5
        base = emulator.charges
        returned = collected = 0
        for number in range(int(rounds)):
            made = stopped = None
            wait = draw.uniform(0, 2 * usual)
            go = threading.Event()

            def kill() -> None:
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
                notes = getattr(stopped, "__notes__", None)
                said = f"{charged} charges, returned {made!r}, kept {kept!r}, {notes}"
                print(f"seed {seed}, round {number}: {said}", file=sys.stderr)
                os._exit(1)
            returned += made is not None
            collected += len(kept)
        tell({"returned": returned, "collected": collected, "charges": emulator.charges - base})


if __name__ == "__main__":
    run_chosen()
