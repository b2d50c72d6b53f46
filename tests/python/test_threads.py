"""`Client` on many threads at once: no internal lock blocks another thread."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest

import gptimage
from gptimage import Emulator, Generated, GptImageError, Progress
from processes import run

THREADS = 64


@pytest.fixture(scope="module")
def picture() -> bytes:
    """A real picture, drawn once."""
    with Emulator() as emulator:
        return bytes(emulator.client().generate("x", quality="low", output_format="jpeg").image)


@pytest.fixture
def quick(picture: bytes) -> Iterator[Emulator]:
    """An emulator that draws nothing."""
    with Emulator(billing="pessimistic", canned=picture) as emulator:
        yield emulator


class Left(BaseException):
    """What makes a caller go away."""


def leave(client: gptimage.Client) -> None:
    """Makes a call and goes away once it was sent; it is left to `collect`."""

    def progress(now: Progress) -> None:
        if now.phase not in ("planned", "connecting", "sending"):
            raise Left

    with pytest.raises(Left):
        client.generate("x", progress=progress)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"waited too long until {what}"
        time.sleep(0.002)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Runs `work` in so many threads at once; fails with what any of them raised."""
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def one(number: int) -> None:
        try:
            start.wait(30)
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def test_two_clients_from_many_threads(quick: Emulator, picture: bytes) -> None:
    clients = quick.client(), quick.client()
    ids: list[str | None] = []

    def work(number: int) -> None:
        for _ in range(5):
            result = clients[number % 2].generate(f"thread {number}")
            assert bytes(result.image) == picture
            ids.append(result.client_request_id)

    in_threads(THREADS, work)
    assert len(set(ids)) == len(ids) == 5 * THREADS == quick.charges
    assert Counter(entry.prompt for entry in quick.ledger) == {f"thread {number}": 5 for number in range(THREADS)}
    assert [client.collect() for client in clients] == [[], []]


def test_every_method_at_once(quick: Emulator, picture: bytes) -> None:
    """One client, everything that it can do, from every thread."""
    client = quick.client()
    image = client.generate("x", fetch=False).image

    def work(number: int) -> None:
        match number % 6:
            case 0:
                assert bytes(client.generate("x").image) == picture
            case 1:
                assert bytes(client.edit("x", image=picture).image) == picture
            case 2:
                assert bytes(client.fetch(image)) == picture
            case 3:
                assert client.balance().current_balance > 0
            case 4:
                assert bytes(client.with_options(max_attempts=1).generate("x").image) == picture
            case _:
                client.drain()
                assert client.collect() == []

    in_threads(48, work)
    assert quick.charges == 1 + 8 + 8 + 8


def test_many_threads_make_clients(quick: Emulator, picture: bytes) -> None:
    """Clients come and go on the threads that use them."""

    def work(number: int) -> None:
        with quick.client() as client:
            assert bytes(client.generate("x").image) == picture

    in_threads(32, work)
    assert quick.charges == 32


def test_first_use_from_many_threads() -> None:
    """The very first use of the package, from many threads at once."""
    run("first_use.py").quiet()


def test_thread_pool(quick: Emulator) -> None:
    client = quick.client()
    with ThreadPoolExecutor(16) as pool:
        calls = {pool.submit(client.generate, f"picture {number}"): number for number in range(200)}
        results = {calls[call]: call.result() for call in as_completed(calls, timeout=60)}
    assert len(results) == 200 == quick.charges
    assert all(isinstance(result, Generated) for result in results.values())


def test_errors_are_each_threads_own(quick: Emulator) -> None:
    """Half of the calls are refused; whoever gets a refusal made the refused call."""
    client = quick.client(max_attempts=1)
    quick.fault([{"answer": {"status": 400}} for _ in range(THREADS // 2)])
    refused: list[str | None] = []
    made: list[str | None] = []

    def work(number: int) -> None:
        try:
            made.append(client.generate("x").client_request_id)
        except GptImageError as error:
            assert error.charge == "not_charged"
            refused.append(error.client_request_id)

    in_threads(THREADS, work)
    free = [entry.client_request_id for entry in quick.ledger if entry.charge is None]
    charged = [entry.client_request_id for entry in quick.ledger if entry.charge is not None]
    assert sorted(map(str, refused)) == sorted(map(str, free))
    assert sorted(map(str, made)) == sorted(map(str, charged))


def test_progress_is_told_on_the_callers_thread(quick: Emulator) -> None:
    client = quick.client()

    def work(number: int) -> None:
        told: list[tuple[Progress, int]] = []
        client.generate("x", progress=lambda now: told.append((now, threading.get_ident())))
        assert {thread for _, thread in told} == {threading.get_ident()}
        assert told[-1][0].phase == "stored"

    in_threads(16, work)


def turns_during(blocked: threading.Thread, blocks: threading.Event) -> int:
    """Starts a thread that blocks, and counts how often this one has its turn from then until that one ends.

    The interpreter changes threads every 5 ms. Were it held by what blocks, there would be no turn at all.
    """
    turns = 0
    blocked.start()
    assert blocks.wait(30)
    while blocked.is_alive():
        time.sleep(0.001)
        turns += 1
    blocked.join()
    return turns


@pytest.mark.parametrize("method", ["generate", "fetch", "drain", "ledger"])
def test_the_interpreter_is_free_meanwhile(quick: Emulator, method: str) -> None:
    """Other threads work on while a call blocks, also if one of them never waits."""
    client = quick.client()
    steps, stop, blocks = 0, threading.Event(), threading.Event()

    def spin() -> None:
        nonlocal steps
        while not stop.is_set():
            steps += 1

    def block() -> None:
        match method:
            case "generate":
                quick.fault(delay="1s")
                blocks.set()
                client.generate("x")
            case "fetch":
                image = client.generate("x", fetch=False).image
                quick.fault(cdn={"pauses": [{"after": 200, "pause": "1s"}]})
                blocks.set()
                client.fetch(image)
            case "drain":
                quick.fault(delay="1300ms")
                leave(client)
                blocks.set()
                client.drain()
            case _:
                quick.fault(delay="1300ms")
                leave(client)
                blocks.set()
                assert len(quick.ledger) == 1

    spinner = threading.Thread(target=spin)
    spinner.start()
    try:
        turns = turns_during(threading.Thread(target=block), blocks)
    finally:
        stop.set()
        spinner.join(30)
    print(f"{method}: {turns} turns, {steps} steps")
    assert turns > 10 and steps > 1000


def test_encoding_pixels_leaves_the_interpreter_free(quick: Emulator) -> None:
    """Large pictures are encoded behind Python's back."""
    numpy = pytest.importorskip("numpy")
    client = quick.client()
    noise = numpy.random.default_rng(1).integers(0, 256, (1500, 1500, 3), dtype="uint8")
    blocks = threading.Event()

    def work() -> None:
        blocks.set()
        client.edit("x", image=[noise] * 5)

    turns = turns_during(threading.Thread(target=work), blocks)
    print(f"{turns} turns")
    # More than one turn between any two of the five images.
    assert turns > 20
    assert quick.charges == 1


def test_emulator_from_many_threads(quick: Emulator) -> None:
    """Faults, settings and the ledger, while calls are made."""
    client = quick.client(max_attempts=1)

    def work(number: int) -> None:
        match number % 4:
            case 0:
                quick.fault(answer={"status": 400}, on_client_request_id="nobody's")
                quick.clear_faults()
            case 1:
                quick.set(price_headers=number % 8 == 1)
                assert quick.connections >= 0 and quick.balance <= 1000
            case 2:
                assert all(entry.operation == "generate" for entry in quick.ledger)
                assert all(request.side in ("api", "cdn") for request in quick.requests)
            case _:
                client.generate("x")

    in_threads(THREADS, work)
    assert quick.charges == THREADS // 4


def test_stopping_while_others_use_it(picture: bytes) -> None:
    """`stop` while calls and waits are on their way: everybody gets an answer or an error, and the ports are closed."""
    emulator = Emulator(billing="pessimistic", canned=picture, latency="20s")
    client = emulator.client(max_attempts=1)
    ends: list[str] = []

    def call() -> None:
        try:
            client.generate("x")
        except GptImageError as error:
            ends.append(error.kind)

    def read_ledger() -> None:
        try:
            ends.append(f"{len(emulator.ledger)} entries")
        except RuntimeError:
            ends.append("stopped")

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(emulator.requests) == 4, "all four arrived")
    threads += [threading.Thread(target=read_ledger) for _ in range(2)]
    for thread in threads[4:]:
        thread.start()
    until(lambda: sum(is_waiting_idle(thread) for thread in threads) == 2, "both wait for the ledger")
    emulator.stop()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads), ends
    assert ends.count("outcome_unknown") == 4 and len(ends) == 6, ends


def is_waiting_idle(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code.co_name in ("ledger", "charges")


def test_a_call_given_up_on_a_thread_that_ended(quick: Emulator) -> None:
    """A thread leaves a call behind; another one collects it."""
    client = quick.client()
    quick.fault(delay="400ms")

    thread = threading.Thread(target=leave, args=(client,))
    thread.start()
    thread.join(30)
    client.drain()
    assert len(client.collect()) == 1 == quick.charges


def test_collect_hands_over_once_among_many(quick: Emulator) -> None:
    """Many threads collect at the same time: each result goes to one of them."""
    client = quick.client()
    quick.set(latency="300ms")

    in_threads(20, lambda number: leave(client))
    kept: list[object] = []

    def collect(number: int) -> None:
        client.drain()
        kept.extend(client.collect())

    in_threads(16, collect)
    assert len(kept) == 20 == quick.charges
    assert len({one.client_request_id for one in kept if isinstance(one, Generated)}) == 20


def test_daemon_threads_end_with_the_process() -> None:
    """They wait for calls that take a minute; the process does not, and says in one line which they were."""
    ended = run("minute_long_calls.py", limit=30)
    ids = ended.report(leaves_calls=True)
    print(f"ended after {ended.seconds:.2f} s")
    assert ended.seconds < 20
    assert sorted(ended.left) == sorted(ids) and ended.err.count("\n") == 1
