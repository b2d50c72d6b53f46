"""Programs that fork. The emulator runs in the parent; children use it over its ports, like the real API."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gptimage
from gptimage import Client, Emulator, Generated, GptImageError, Progress
from program import leave, run_chosen, until

with Emulator() as drawing:
    PICTURE = bytes(drawing.client().generate("x", quality="low", output_format="jpeg").image)


def emulate(latency: str | None = None) -> Emulator:
    return Emulator(billing="pessimistic", canned=PICTURE, latency=latency)


def is_good(outcome: Generated | GptImageError) -> None:
    assert isinstance(outcome, Generated) and bytes(outcome.image) == PICTURE, outcome


def fork(work: Callable[[], object]) -> int:
    """Makes a child that does some work and ends, without ever coming back into the parent's code."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def end_of(pid: int) -> int | str:
    """A child's exit code. A child that hangs for 20 s is aborted, and prints where it hung."""
    deadline = time.monotonic() + 20
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGABRT)
            return f"it hung: {os.waitpid(pid, 0)[1]}"
        time.sleep(0.001)


def check(*pids: int) -> None:
    """Asserts that these children end with code 0."""
    codes = [end_of(pid) for pid in pids]
    assert codes == [0] * len(codes), codes


def calls_arrived(emulator: Emulator, count: int) -> None:
    until(lambda: sum(request.side == "api" for request in emulator.requests) == count, f"{count} calls arrived")


def prompts_charged(emulator: Emulator) -> list[str | None]:
    return [entry.prompt for entry in emulator.ledger if entry.charge is not None]


class Callers:
    """Threads that make calls until they are told to stop, and note what they got."""

    def __init__(self, client: Client, count: int) -> None:
        self.made = 0
        self.errors: list[BaseException] = []
        self._client, self._stop, self._lock = client, threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._work) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                is_good(self._client.generate("parent"))
                with self._lock:
                    self.made += 1
            except BaseException as error:
                self.errors.append(error)
                return

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        assert not self.errors, self.errors


class LateCallers:
    """Four threads that make one call each."""

    def __init__(self, client: Client) -> None:
        self.ends = 0
        self._client, self._lock = client, threading.Lock()
        self._threads = [threading.Thread(target=self._call) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        is_good(self._client.generate("x"))
        with self._lock:
            self.ends += 1

    def join(self) -> None:
        for thread in self._threads:
            thread.join(20)


def a_client_on_both_sides(used: str) -> None:
    with emulate() as emulator:
        client = emulator.client()
        if used == "used":
            is_good(client.generate("before"))

        def work() -> None:
            is_good(client.generate("inherited"))
            is_good(emulator.client().generate("new"))
            is_good(client.with_options(max_attempts=1).generate("derived"))
            balance = client.balance().current_balance
            assert balance is not None and balance > 0
            assert client.collect() == []
            client.drain()

        for _ in range(3):
            pid = fork(work)
            is_good(client.generate("meanwhile"))
            check(pid)
            is_good(client.generate("after"))
        print(emulator.charges)


def children_of_children() -> None:
    with emulate() as emulator:
        client = emulator.client()
        is_good(client.generate("x"))

        def grandchild() -> None:
            is_good(client.generate("x"))

        def work() -> None:
            pid = fork(grandchild)
            is_good(client.generate("x"))
            check(pid)
            # Forks once more, now that this process has threads of its own.
            check(fork(grandchild))

        check(fork(work))
        print(emulator.charges)


def from_another_thread() -> None:
    with emulate() as emulator:
        client = emulator.client()
        is_good(client.generate("x"))
        codes: list[int | str] = []

        def work() -> None:
            is_good(client.generate("x"))

        threads = [threading.Thread(target=lambda: codes.append(end_of(fork(work)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes == [0] * 4, codes
        print(emulator.charges)


def asyncio_in_the_child() -> None:
    with emulate() as emulator:
        client = emulator.async_client()

        async def main() -> None:
            for generated in await asyncio.gather(*(client.generate("x") for _ in range(5))):
                is_good(generated)

        asyncio.run(main())
        pids = [fork(lambda: asyncio.run(main())) for _ in range(3)]
        asyncio.run(main())
        check(*pids)
        asyncio.run(main())
        print(emulator.charges)


def with_calls_in_flight(how: str) -> None:
    rounds = 40
    with emulate() as emulator:
        client = emulator.client()
        is_good(client.generate("parent"))
        callers = Callers(client, 8)
        codes = []
        for number in range(rounds):
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    is_good(client.generate("child"))
                    if number % 2:
                        is_good(emulator.client().generate("child"))
                    code = 42
                except BaseException:
                    traceback.print_exc()
                if how == "os._exit":
                    os._exit(code)
                sys.exit(code)
            codes.append(end_of(pid))
        callers.stop()
        assert codes == [42] * rounds, codes
        charged = prompts_charged(emulator)
        assert charged.count("child") == rounds * 3 // 2, charged.count("child")
        assert charged.count("parent") == callers.made + 1, (charged.count("parent"), callers.made)
        print(len(charged))


def calls_end_while_a_child_lives() -> None:
    with emulate() as emulator:
        client = emulator.client()
        emulator.set(latency="300ms")
        callers = LateCallers(client)
        calls_arrived(emulator, 4)
        reading, writing = os.pipe()
        pid = fork(lambda: os.read(reading, 1))
        callers.join()
        os.write(writing, b"x")
        check(pid)
        print([callers.ends, emulator.charges])


def exits_as_any_other() -> None:
    with emulate() as emulator:
        client = emulator.client()
        is_good(client.generate("x"))
        emulator.set(latency="400ms")
        callers = LateCallers(client)
        calls_arrived(emulator, 5)
        codes = []
        for code in range(10):
            pid = os.fork()
            if pid == 0:
                if code % 2:
                    is_good(client.generate("x"))
                sys.exit(code)
            codes.append(end_of(pid))
        assert codes == list(range(10)), codes
        callers.join()
        print(emulator.charges)


def inherited_objects_are_left_alone() -> None:
    emulator = emulate()
    client = emulator.client()
    made = client.generate("x")
    emulator.set(latency="400ms")
    callers = LateCallers(client)
    calls_arrived(emulator, 5)

    def work() -> None:
        nonlocal client, emulator, made, callers
        refused: list[Callable[[], object]] = [
            lambda: emulator.charges,
            lambda: emulator.ledger,
            lambda: emulator.requests,
            lambda: emulator.fault(delay="1s"),
            lambda: emulator.set(latency="1s"),
        ]
        for act in refused:
            try:
                act()
            except RuntimeError as error:
                assert "fork" in str(error), error
            else:
                raise AssertionError("it worked in a fork")
        # This does not stop the parent's emulator.
        emulator.stop()
        is_good(made)
        del client, emulator, made, callers
        gc.collect()

    check(fork(work))
    callers.join()
    emulator.set(latency="0ms")
    is_good(client.generate("x"))
    print([callers.ends, emulator.charges])
    emulator.stop()


def an_inherited_coroutine(end: str) -> None:
    coroutine: Coroutine[Any, Any, Generated] | None = None
    with emulate(latency="400ms") as emulator:
        client = emulator.async_client()

        async def main() -> None:
            nonlocal coroutine
            coroutine = client.generate("x")
            coroutine.send(None)
            while not emulator.requests:
                await asyncio.sleep(0.002)

        asyncio.run(main())
        assert coroutine is not None
        pid = os.fork()
        if pid == 0:
            if end == "close":
                coroutine.close()
            elif end == "forget":
                coroutine = None
                gc.collect()
            sys.exit()
        check(pid)
        coroutine.close()
        asyncio.run(client.drain())
        (kept,) = client.collect()
        is_good(kept)
        print(emulator.charges)


def in_the_middle_of_a_call() -> None:
    with emulate(latency="400ms") as emulator:
        client = emulator.client()
        pids: list[int] = []
        parent = os.getpid()

        def progress(now: Progress) -> None:
            if now.phase == "sent" and not pids:
                pids.append(os.fork())

        try:
            is_good(client.generate("x", progress=progress))
        except RuntimeError as error:
            if os.getpid() == parent or "fork" not in str(error):
                raise
            # This is the child. Its own calls must work.
            is_good(client.generate("x"))
            os._exit(0)
        if os.getpid() != parent:
            os._exit(1)
        check(*pids)
        print(emulator.charges)


def kept_results_stay_where_they_are() -> None:
    with emulate(latency="300ms") as emulator:
        client = emulator.client()
        leave(client, "parent")

        def work() -> None:
            leave(client, "child")
            client.drain()
            (kept,) = client.collect()
            is_good(kept)

        check(fork(work))
        client.drain()
        (kept,) = client.collect()
        is_good(kept)
        print(emulator.charges)


def relatives_share_kept_results() -> None:
    with emulate(latency="300ms") as emulator:
        client = emulator.client()
        relative = client.with_options(max_attempts=1)

        def work() -> None:
            leave(relative, "x")
            client.drain()
            kept = client.collect()
            if len(kept) != 1:
                relative.drain()
                raise AssertionError(f"{kept}; its relative has {relative.collect()}")
            is_good(kept[0])

        work()
        check(fork(work))
        print(emulator.charges)


def ctrl_c_in_the_child() -> None:
    with emulate(latency="500ms") as emulator:
        client = emulator.client()

        def interrupt(now: Progress) -> None:
            if now.phase == "sent":
                os.kill(os.getpid(), signal.SIGINT)

        def work() -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                client.generate("x", progress=interrupt)
            except KeyboardInterrupt as stopped:
                assert "client.collect()" in stopped.__notes__[0], stopped.__notes__
            else:
                raise AssertionError("it was not interrupted")
            client.drain()
            (kept,) = client.collect()
            is_good(kept)

        check(fork(work))
        print(emulator.charges)


def logging_in_the_child() -> None:
    lines: list[tuple[int, str]] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append((os.getpid(), record.getMessage()))

    logging.getLogger("gptimage").addHandler(Lines())
    logging.getLogger("gptimage").setLevel(logging.DEBUG)
    with emulate() as emulator:
        client = emulator.client()
        is_good(client.generate("x"))
        until(lambda: any("made" in line for _, line in lines), "the parent's records are there")

        def work() -> None:
            lines.clear()
            is_good(client.generate("x"))
            until(lambda: any("made" in line for _, line in lines), "the child's records are there")
            assert {process for process, _ in lines} == {os.getpid()}
            assert sum("made" in line for _, line in lines) == 1, lines

        check(*[fork(work) for _ in range(5)])
        print(emulator.charges)


def an_emulator_in_the_child() -> None:
    with emulate() as emulator:
        is_good(emulator.client().generate("x"))

        def work() -> None:
            with emulate() as own:
                is_good(own.client().generate("x"))
                assert own.charges == 1

        check(*[fork(work) for _ in range(3)])
        is_good(emulator.client().generate("x"))
        print(emulator.charges)


def serve(listener: socket.socket, client: Client) -> None:
    """A worker: makes a picture for each connection, until SIGTERM ends it."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    while True:
        connection, _ = listener.accept()
        with connection:
            prompt = connection.recv(100).decode()
            name = client.generate(prompt).client_request_id
            assert name is not None
            connection.sendall(name.encode())


def prefork_server() -> None:
    with emulate() as emulator:
        client = emulator.client()
        is_good(client.generate("master"))
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        workers = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                with listener:
                    serve(listener, client)
            workers.append(pid)

        def ask(number: int) -> str:
            with socket.create_connection(listener.getsockname(), 30) as connection:
                connection.sendall(f"job {number}".encode())
                connection.shutdown(socket.SHUT_WR)
                return connection.recv(100).decode()

        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(ask, range(64)))
        # One worker must be in the middle of a call when it is told to end.
        emulator.set(latency="2s")
        late = socket.create_connection(listener.getsockname(), 30)
        late.sendall(b"late")
        until(lambda: any(b"late" in (request.body or b"") for request in emulator.requests), "the job was sent")
        for pid in workers:
            os.kill(pid, signal.SIGTERM)
        check(*workers)
        late.close()
        listener.close()
        emulator.set(latency="0ms")
        is_good(client.generate("master"))
        assert len(set(ids)) == 64 and all(ids), ids
        prompts = sorted(str(prompt) for prompt in prompts_charged(emulator))
        assert prompts == sorted(["master", "master", "late", *(f"job {number}" for number in range(64))]), prompts
        print(len(prompts))


def subprocesses_meanwhile() -> None:
    with emulate() as emulator:
        callers = Callers(emulator.client(), 4)
        for _ in range(20):
            subprocess.run(["true"], check=True)
            subprocess.run(["true"], check=True, preexec_fn=lambda: None)
        callers.stop()
        assert emulator.charges == callers.made
        print(callers.made)


def threads_only_for_work() -> None:
    def threads() -> int:
        return len(os.listdir("/proc/self/task"))

    with emulate() as emulator:
        client = emulator.client()
        is_good(client.generate("x"))

        def work() -> None:
            assert threads() == 1, threads()
            is_good(client.generate("x"))
            few = threads()
            for _ in range(20):
                is_good(client.generate("x"))
            assert threads() <= few + 2, (few, threads())

        check(fork(work))
        print(emulator.charges)


if __name__ == "__main__":
    run_chosen()
