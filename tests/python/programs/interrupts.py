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
from interrupted import SENT, Listener, Report, interrupt_when, interrupted, is_in, print_report, send_when, stands_still
from pictures import PIXEL, png
from program import leave, run_chosen, until

# A fault's delay of the response, longer than an interrupt takes.
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
                # Many short sleeps: a single long one can miss a signal that comes just before it begins.
                for _ in range(3000):
                    time.sleep(0.01)
                return b""

        slow: Any = Slow()
        interrupt_when(reading.is_set)
        print_report(interrupted(lambda: client.edit("x", image=slow)), client, emulator)


def encoding_pixels() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        noise = memoryview(os.urandom(4000 * 4000)).cast("B", (4000, 4000))
        interrupt_when(stands_still())
        report = interrupted(lambda: client.edit("x", image=[noise] * 16))
        report["connections"] = emulator.connections
        print_report(report, client, emulator)


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
    report = interrupted(lambda: client.generate("x", progress=lambda now: phases.append(now.phase)))
    print_report(report, client)
    for one in [listener, *full]:
        one.close()


def tls_is_not_answered() -> None:
    listener = Listener(1)
    client = Client(api_key="k", base_url=listener.url.replace("http:", "https:"), proxy=False)
    interrupt_when(lambda: listener.got)
    report = interrupted(lambda: client.generate("x"))
    print_report(report, client)
    listener.socket.close()


def a_large_upload_stands_still() -> None:
    listener = Listener(10_000)
    client = Client(api_key="k", base_url=listener.url, proxy=False)
    updates: list[Progress] = []
    interrupt_when(lambda: updates and updates[-1].phase == "sending" and updates[-1].bytes_sent > 0)
    picture = png(3200)
    report = interrupted(lambda: client.edit("x", image=picture, progress=updates.append))
    report["bytes_sent"] = updates[-1].bytes_sent
    listener.go_on.set()
    listener.ended.wait(30)
    report["got"], report["total"] = len(listener.got), updates[-1].bytes_total
    print_report(report, client)
    listener.socket.close()


def waiting_for_the_answer() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(delay=HELD)
        interrupt_when(lambda: emulator.requests)
        print_report(interrupted(lambda: client.generate("x")), client, emulator)


def an_unaccepting_server_has_it_all() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    client = Client(api_key="k", base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1", proxy=False)
    phases: list[str] = []
    interrupt_when(lambda: "sent" in phases)
    report = interrupted(lambda: client.generate("x", progress=lambda now: phases.append(now.phase)))
    # The server closes, which ends the call that was left running.
    listener.close()
    print_report(report, client)


def the_body_comes() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(pauses=[{"after": 100_000, "pause": HELD}])
        updates: list[Progress] = []
        interrupt_when(lambda: updates and updates[-1].phase == "head_received" and updates[-1].bytes_received)
        report = interrupted(lambda: client.generate("x", response_format="b64_json", progress=updates.append))
        print_report(report, client, emulator)


def the_body_goes_to_a_file(target: str) -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(pauses=[{"after": 100_000, "pause": HELD}])
        updates: list[Progress] = []
        interrupt_when(lambda: updates and updates[-1].phase == "head_received" and updates[-1].bytes_received)
        report = interrupted(
            lambda: client.generate("x", response_format="b64_json", save_to=target, progress=updates.append)
        )
        report["early"] = os.path.exists(target)
        print_report(report, client, emulator)


def the_picture_is_downloaded() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(cdn={"pauses": [{"after": 5000, "pause": HELD}]})
        updates: list[Progress] = []
        interrupt_when(lambda: updates and updates[-1].phase == "body_complete")
        report = interrupted(lambda: client.generate("x", response_format="url", progress=updates.append))
        print_report(report, client, emulator)


def between_two_attempts() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(answer={"status": 429, "headers": {"retry-after": "30"}})
        updates: list[Progress] = []
        interrupt_when(lambda: updates and updates[-1].pause_seconds)
        report = interrupted(lambda: client.generate("x", progress=updates.append))
        print_report(report, client, emulator)


def fetching() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        image = client.generate("x", response_format="url", fetch=False).image
        emulator.fault(cdn={"pauses": [{"after": 5000, "pause": "30s"}]})
        interrupt_when(lambda: any(request.side == "cdn" for request in emulator.requests))
        report = interrupted(lambda: client.fetch(image))
        emulator.clear_faults()
        report["fetched"] = client.fetch(image).format
        print_report(report, client, emulator)


def asking_for_the_balance() -> None:
    listener = Listener(20)
    client = Client(api_key="k", base_url=listener.url, proxy=False)
    interrupt_when(lambda: len(listener.got) >= 20)
    print_report(interrupted(client.balance), client)
    listener.socket.close()


def draining() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        emulator.fault(delay=HELD)
        leave(client, "x")
        interrupt_when(lambda: is_in("drain"))
        print_report(interrupted(client.drain), client, emulator)


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
    report = interrupted(lambda: emulator.ledger)
    emulator.stop()
    port = int(emulator.url.split(":")[2].split("/")[0])
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        report["stopped"] = False
    except ConnectionRefusedError:
        report["stopped"] = True
    caller.join(5)
    report["caller"] = errors
    print_report(report)


def in_asyncio_run() -> None:
    with pessimistic() as emulator:
        client = emulator.async_client()
        emulator.fault(delay=HELD)
        interrupt_when(lambda: emulator.requests)

        async def main() -> None:
            await client.generate("x")

        report: Report = {}
        try:
            asyncio.run(main())
        except KeyboardInterrupt as stopped:
            seconds = time.monotonic() - SENT[-1]
            cancelled = stopped.__context__
            assert isinstance(cancelled, asyncio.CancelledError), cancelled
            cause = cancelled.__cause__
            assert isinstance(cause, GptImageError), cause
            report = {"ms": seconds * 1000, "notes": cancelled.__notes__, "charge": cause.charge}
        asyncio.run(client.drain())
        kept = client.collect()
        report["kept"] = [type(outcome).__name__ for outcome in kept]
        report["formats"] = [outcome.image.format for outcome in kept if isinstance(outcome, gptimage.Generated)]
        print_report({**report, "again": len(client.collect())}, emulator=emulator)


def an_aborted_call() -> None:
    logging.getLogger("gptimage").setLevel(logging.CRITICAL)
    with pessimistic() as emulator:
        client = emulator.client(on_cancel="abort")
        emulator.fault(delay=HELD)
        interrupt_when(lambda: emulator.requests)
        print_report(interrupted(lambda: client.generate("x")), client, emulator)


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
        report: Report = {}
        try:
            client.generate("x")
        except TooLong as stopped:
            assert isinstance(stopped.__cause__, GptImageError), stopped.__cause__
            report = {"notes": stopped.__notes__, "charge": stopped.__cause__.charge}
        print_report(report, client, emulator)


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
        report: Report = {}
        try:
            client.generate("x")
        except gptimage.APIConnectionError as stopped:
            report = {"notes": getattr(stopped, "__notes__", [])}
            client.drain()
            report["inside"] = len(client.collect())
        print_report(report, client, emulator)


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
        print_report({"format": made.image.format, "seen": len(seen)}, client, emulator)


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
                    # The signal has been sent by now, so the interrupt is raised here at the latest.
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
        print_report({"returned": returned, "collected": collected, "charges": emulator.charges - base})


if __name__ == "__main__":
    run_chosen()
