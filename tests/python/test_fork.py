"""Forks: parent and child both work, whatever was on its way, and neither disturbs the other."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from processes import FORKS, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

# What every script starts with. The emulator is in the parent; children speak to it over its ports, as to the real one.
PRELUDE = """
import gc, json, os, signal, sys, threading, time, traceback
import gptimage

def until(condition, what):
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            print(f"waited too long until {what}", file=sys.stderr)
            os._exit(99)
        time.sleep(0.001)

def fork(work):
    '''A child that does some work and ends, without ever coming back into the parent's code.'''
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)

def end_of(pid, limit=20):
    '''A child's exit code. One that hangs says where.'''
    deadline = time.monotonic() + limit
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGABRT)
            return f"it hung: {os.waitpid(pid, 0)[1]}"
        time.sleep(0.001)

def check(*pids):
    codes = [end_of(pid) for pid in pids]
    assert codes == [0] * len(codes), codes

with gptimage.Emulator() as drawing:
    PICTURE = bytes(drawing.client().generate("x", quality="low", output_format="jpeg").image)

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

def is_good(generated):
    assert bytes(generated.image) == PICTURE, generated

def emulate(**settings):
    return gptimage.Emulator(billing="pessimistic", canned=PICTURE, **settings)
"""


def forks(script: str, *, leaves_calls: bool = False) -> Any:
    """The facts that a forking script tells."""
    return run(PRELUDE + script, flags=FORKS, limit=90).facts(leaves_calls=leaves_calls)


@pytest.mark.parametrize("used", [False, True])
def test_a_client_on_both_sides(used: bool) -> None:
    """The inherited client, a new one and one made of the inherited one, before and after the first use."""
    facts = forks(
        f"""
with emulate() as emulator:
    client = emulator.client()
    if {used}:
        is_good(client.generate("before"))
    def work():
        is_good(client.generate("inherited"))
        is_good(emulator.client().generate("new"))
        is_good(client.with_options(max_attempts=1).generate("derived"))
        assert client.balance().current_balance > 0
        assert client.collect() == []
        client.drain()
    for _ in range(3):
        pid = fork(work)
        is_good(client.generate("meanwhile"))
        check(pid)
        is_good(client.generate("after"))
    print(emulator.charges)
"""
    )
    assert facts == used + 3 * 5


def test_children_of_children() -> None:
    facts = forks(
        """
with emulate() as emulator:
    client = emulator.client()
    is_good(client.generate("x"))
    def grandchild():
        is_good(client.generate("x"))
    def work():
        pid = fork(grandchild)
        is_good(client.generate("x"))
        check(pid)
        # And one more, now that this one has threads of its own.
        check(fork(grandchild))
    check(fork(work))
    print(emulator.charges)
"""
    )
    assert facts == 4


def test_from_another_thread() -> None:
    """The thread that forks is the child's main thread."""
    facts = forks(
        """
with emulate() as emulator:
    client = emulator.client()
    is_good(client.generate("x"))
    codes = []
    def thread():
        codes.append(end_of(fork(lambda: is_good(client.generate("x")))))
    threads = [threading.Thread(target=thread) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert codes == [0] * 4, codes
    print(emulator.charges)
"""
    )
    assert facts == 5


def test_asyncio_in_the_child() -> None:
    facts = forks(
        """
import asyncio
with emulate() as emulator:
    client = emulator.async_client()
    async def main():
        for one in await asyncio.gather(*(client.generate("x") for _ in range(5))):
            is_good(one)
    asyncio.run(main())
    pids = [fork(lambda: asyncio.run(main())) for _ in range(3)]
    asyncio.run(main())
    check(*pids)
    asyncio.run(main())
    print(emulator.charges)
"""
    )
    assert facts == 5 * 6


@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
def test_with_calls_in_flight(leave: str) -> None:
    """Eight threads make calls while the main thread forks, again and again: no child hangs, nobody loses a picture."""
    facts = forks(
        f"""
rounds, leave = 40, {leave!r}
with emulate() as emulator:
    client = emulator.client()
    is_good(client.generate("parent"))
    stop, errors, made = threading.Event(), [], [1]
    def work():
        while not stop.is_set():
            try:
                is_good(client.generate("parent"))
                made.append(1)
            except BaseException as error:
                errors.append(error)
                return
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
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
            if leave == "os._exit":
                os._exit(code)
            sys.exit(code)
        codes.append(end_of(pid))
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not errors, errors
    assert codes == [42] * rounds, codes
    charged = [entry.prompt for entry in emulator.ledger if entry.charge is not None]
    assert charged.count("child") == rounds * 3 // 2, charged.count("child")
    assert charged.count("parent") == len(made), (charged.count("parent"), len(made))
    print(len(charged))
"""
    )
    print(facts, "calls")


def test_calls_end_while_a_child_lives() -> None:
    """A child holds copies of the parent's sockets; the parent's calls end all the same."""
    facts = forks(
        """
with emulate() as emulator:
    client = emulator.client()
    emulator.set(latency="300ms")
    ends = []
    def call():
        is_good(client.generate("x"))
        ends.append(1)
    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(emulator.requests) == 4, "all four arrived")
    reading, writing = os.pipe()
    pid = fork(lambda: os.read(reading, 1))
    for thread in threads:
        thread.join(20)
    os.write(writing, b"x")
    check(pid)
    print([len(ends), emulator.charges])
"""
    )
    assert facts == [4, 4]


def test_exits_as_any_other() -> None:
    """A child that goes on after the fork and ends by itself: with its exit code, without a word, without a hang."""
    facts = forks(
        """
with emulate() as emulator:
    client = emulator.client()
    is_good(client.generate("x"))
    emulator.set(latency="400ms")
    threads = [threading.Thread(target=client.generate, args=("x",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: sum(request.side == "api" for request in emulator.requests) == 5, "all four arrived")
    codes = []
    for code in range(10):
        pid = os.fork()
        if pid == 0:
            if code % 2:
                is_good(client.generate("x"))
            sys.exit(code)
        codes.append(end_of(pid))
    assert codes == list(range(10)), codes
    for thread in threads:
        thread.join()
    print(emulator.charges)
"""
    )
    assert facts == 1 + 4 + 5


def test_inherited_objects_are_left_alone() -> None:
    """Clients, pictures and the emulator of the parent are dropped in the child: the parent does not notice."""
    facts = forks(
        """
with emulate() as emulator:
    client = emulator.client()
    made = client.generate("x")
    emulator.set(latency="400ms")
    ends = []
    def call():
        is_good(client.generate("x"))
        ends.append(1)
    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: sum(request.side == "api" for request in emulator.requests) == 5, "all four arrived")
    def work():
        global client, emulator, made, threads
        for act in (lambda: emulator.charges, lambda: emulator.ledger, lambda: emulator.requests,
                    lambda: emulator.fault(delay="1s"), lambda: emulator.set(latency="1s")):
            try:
                act()
            except RuntimeError as error:
                assert "fork" in str(error), error
            else:
                raise AssertionError("it worked in a fork")
        # Not this process's to stop.
        emulator.stop()
        is_good(made)
        del client, emulator, made, threads
        gc.collect()
    check(fork(work))
    for thread in threads:
        thread.join(20)
    emulator.set(latency=0)
    is_good(client.generate("x"))
    print([len(ends), emulator.charges])
"""
    )
    assert facts == [4, 6]


@pytest.mark.parametrize("end", ["coroutine.close()", "coroutine = None; gc.collect()", "sys.exit()"])
def test_an_inherited_coroutine(end: str) -> None:
    """A child that drops what its parent was waiting for, or just ends, does so without a word."""
    facts = forks(
        f"""
import asyncio
coroutine = None
with emulate(latency="400ms") as emulator:
    client = emulator.async_client()
    async def main():
        global coroutine
        coroutine = client.generate("x")
        coroutine.send(None)
        while not emulator.requests:
            await asyncio.sleep(0.002)
    asyncio.run(main())
    pid = os.fork()
    if pid == 0:
        {end}
        sys.exit()
    check(pid)
    coroutine.close()
    asyncio.run(client.drain())
    (kept,) = client.collect()
    is_good(kept)
    print(emulator.charges)
"""
    )
    assert facts == 1


def test_in_the_middle_of_a_call() -> None:
    """A fork in a progress function: the call is the parent's, and the child is told so at once."""
    facts = forks(
        """
with emulate(latency="400ms") as emulator:
    client = emulator.client()
    pids, parent = [], os.getpid()
    def progress(now):
        if now.phase == "sent" and not pids:
            pids.append(os.fork())
    try:
        is_good(client.generate("x", progress=progress))
    except RuntimeError as error:
        if os.getpid() == parent or "fork" not in str(error):
            raise
        # The child; its own calls work.
        is_good(client.generate("x"))
        os._exit(0)
    if os.getpid() != parent:
        os._exit(1)
    check(*pids)
    print(emulator.charges)
"""
    )
    assert facts == 2


def test_what_is_kept_stays_where_it_is() -> None:
    """What the parent may collect is the parent's alone, and the other way round."""
    facts = forks(
        """
with emulate(latency="300ms") as emulator:
    client = emulator.client()
    leave(client, "parent")
    def work():
        leave(client, "child")
        client.drain()
        (kept,) = client.collect()
        is_good(kept)
    pid = fork(work)
    check(pid)
    client.drain()
    (kept,) = client.collect()
    is_good(kept)
    print(emulator.charges)
"""
    )
    assert facts == 2


def test_relatives_share_what_is_kept() -> None:
    """`with_options`: both clients share what `collect` gives, in the child as in the parent."""
    facts = forks(
        """
with emulate(latency="300ms") as emulator:
    client = emulator.client()
    relative = client.with_options(max_attempts=1)
    def work():
        leave(relative, "x")
        client.drain()
        kept = client.collect()
        assert len(kept) == 1, f"{kept}; its relative has {relative.drain() or relative.collect()}"
        is_good(kept[0])
    work()
    check(fork(work))
    print(emulator.charges)
"""
    )
    assert facts == 2


def test_ctrl_c_in_the_child() -> None:
    facts = forks(
        """
with emulate(latency="500ms") as emulator:
    client = emulator.client()
    def work():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        def interrupt(now):
            if now.phase == "sent":
                os.kill(os.getpid(), signal.SIGINT)
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
"""
    )
    assert facts == 1


def test_logging_in_the_child() -> None:
    """Its records are its own; none of the parent's is told twice."""
    facts = forks(
        """
import logging
class Lines(logging.Handler):
    def emit(self, record):
        lines.append((os.getpid(), record.getMessage()))
lines = []
logging.getLogger("gptimage").addHandler(Lines())
logging.getLogger("gptimage").setLevel(logging.DEBUG)
with emulate() as emulator:
    client = emulator.client()
    is_good(client.generate("x"))
    until(lambda: any("made" in line for _, line in lines), "the parent's records are there")
    def work():
        lines.clear()
        is_good(client.generate("x"))
        until(lambda: any("made" in line for _, line in lines), "the child's records are there")
        assert {process for process, _ in lines} == {os.getpid()}
        assert sum("made" in line for _, line in lines) == 1, lines
    check(*[fork(work) for _ in range(5)])
    print(emulator.charges)
"""
    )
    assert facts == 6


def test_an_emulator_in_the_child() -> None:
    facts = forks(
        """
with emulate() as emulator:
    is_good(emulator.client().generate("x"))
    def work():
        with emulate() as own:
            is_good(own.client().generate("x"))
            assert own.charges == 1
    check(*[fork(work) for _ in range(3)])
    is_good(emulator.client().generate("x"))
    print(emulator.charges)
"""
    )
    assert facts == 2


def test_prefork_server() -> None:
    """A master makes the client and forks workers, which take jobs from a shared socket until SIGTERM ends them."""
    facts = forks(
        """
import socket
def serve(listener, client):
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    while True:
        connection, _ = listener.accept()
        with connection:
            prompt = connection.recv(100).decode()
            connection.sendall(client.generate(prompt).client_request_id.encode())

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
    def ask(number):
        with socket.create_connection(listener.getsockname(), 30) as connection:
            connection.sendall(f"job {number}".encode())
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(100).decode()
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(ask, range(64)))
    # One worker is in the middle of a call when it is told to end.
    emulator.set(latency="2s")
    late = socket.create_connection(listener.getsockname(), 30)
    late.sendall(b"late")
    until(lambda: any(b"late" in (request.body or b"") for request in emulator.requests), "the job was sent")
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
    check(*workers)
    late.close()
    listener.close()
    emulator.set(latency=0)
    is_good(client.generate("master"))
    prompts = [entry.prompt for entry in emulator.ledger if entry.charge is not None]
    assert len(set(ids)) == 64 and all(ids), ids
    assert sorted(prompts) == sorted(["master", "master", "late"] + [f"job {number}" for number in range(64)]), prompts
    print(len(prompts))
""",
        leaves_calls=True,
    )
    assert facts == 67


WORKERS = """
import multiprocessing, os, sys
import gptimage

def work(address):
    url, prompt = address
    made = gptimage.Client(api_key="k", base_url=url, proxy=False).generate(prompt)
    return os.getpid(), made

def inherited(queue):
    # Only a forked child has it.
    queue.put(client.generate("inherited").image.nbytes)

if __name__ == "__main__":
    method = sys.argv[1]
    context = multiprocessing.get_context(method)
    with gptimage.Emulator(billing="pessimistic") as emulator:
        client = emulator.client()
        size = client.generate("x", quality="low").image.nbytes
        with context.Pool(3) as pool:
            results = pool.map(work, [(emulator.url, f"picture {number}") for number in range(9)], chunksize=1)
            # Results come home by pickle.
            assert all(made.image.format == "png" and made.cost.usd > 0 for _, made in results)
            assert os.getpid() not in {pid for pid, _ in results}
            pool.close()
            pool.join()
        expected = 10
        if method == "fork":
            queue = context.SimpleQueue()
            processes = [context.Process(target=inherited, args=(queue,)) for _ in range(3)]
            for process in processes:
                process.start()
            assert all(queue.get() > 1000 for _ in processes)
            for process in processes:
                process.join(30)
                assert process.exitcode == 0, process
            expected += 3
        from concurrent.futures import ProcessPoolExecutor
        with ProcessPoolExecutor(2, mp_context=context) as executor:
            made = list(executor.map(work, [(emulator.url, "x")] * 4))
        assert len(made) == 4
        client.generate("x")
        assert emulator.charges == expected + 5, emulator.charges
    print(expected)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str, tmp_path: Path) -> None:
    """Pools, processes and executors, with whatever start method; results are pickled on their way home."""
    script = tmp_path / "workers.py"
    script.write_text(WORKERS)
    run(script, method, flags=FORKS, limit=90).quiet()


def test_subprocesses_meanwhile() -> None:
    """`subprocess` forks too, or does something like it, while calls are in flight."""
    facts = forks(
        """
import subprocess
with emulate() as emulator:
    client = emulator.client()
    stop, errors, made = threading.Event(), [], []
    def work():
        while not stop.is_set():
            try:
                is_good(client.generate("x"))
                made.append(1)
            except BaseException as error:
                errors.append(error)
                return
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        subprocess.run(["true"], check=True)
        subprocess.run(["true"], check=True, preexec_fn=lambda: None)
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors, errors
    assert emulator.charges == len(made)
    print(len(made))
"""
    )
    assert facts > 0


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads where Linux lists them")
def test_a_child_has_threads_only_if_it_works() -> None:
    """A fork alone starts nothing; the first call does, once."""
    facts = forks(
        """
def threads():
    return len(os.listdir("/proc/self/task"))
with emulate() as emulator:
    client = emulator.client()
    is_good(client.generate("x"))
    def work():
        assert threads() == 1, threads()
        is_good(client.generate("x"))
        few = threads()
        for _ in range(20):
            is_good(client.generate("x"))
        assert threads() <= few + 2, (few, threads())
    check(fork(work))
    print(emulator.charges)
"""
    )
    assert facts == 22
