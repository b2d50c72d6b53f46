"""`AsyncClient` in event loops of every kind: nothing hangs, no warning is printed, no paid result is lost."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import random
import sys
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import pytest

import gptimage
from gptimage import AsyncClient, Emulator, Generated, GptImageError, Progress
from pictures import PIXEL
from processes import run

T = TypeVar("T")

@pytest.fixture
def quick() -> Iterator[Emulator]:
    """An emulator that draws nothing."""
    with Emulator(billing="pessimistic", canned=PIXEL) as emulator:
        yield emulator


def quietly(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """`asyncio.run` in debug mode, which fails if the loop had anything to complain of."""
    complaints: list[str] = []

    async def watched() -> T:
        loop = asyncio.get_running_loop()
        # A busy machine may be slow; slow callbacks are measured by tests of their own.
        loop.slow_callback_duration = 60
        loop.set_exception_handler(lambda _, context: complaints.append(repr(context)))
        return await main()

    result = asyncio.run(watched(), debug=True)
    gc.collect()
    assert complaints == []
    return result


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"waited too long until {what}"
        await asyncio.sleep(0.002)


def notes(error: BaseException | None) -> str:
    return " ".join(getattr(error, "__notes__", []))


def prompts(emulator: Emulator) -> list[str]:
    """The prompts that were charged."""
    return [entry.prompt or "" for entry in emulator.ledger if entry.charge is not None]


def made(outcomes: list[Generated | GptImageError]) -> list[Generated]:
    """These outcomes, all of them results."""
    results = [outcome for outcome in outcomes if isinstance(outcome, Generated)]
    assert len(results) == len(outcomes), outcomes
    return results


def test_gather(quick: Emulator) -> None:
    client = quick.async_client()

    async def main() -> list[Generated]:
        return await asyncio.gather(*(client.generate(f"picture {number}") for number in range(100)))

    results = quietly(main)
    assert all(bytes(result.image) == PIXEL for result in results)
    assert len({result.client_request_id for result in results}) == 100
    assert sorted(prompts(quick)) == sorted(f"picture {number}" for number in range(100))


def test_gather_with_failures(quick: Emulator) -> None:
    """Each failure is its own, and the others come through."""
    client = quick.async_client(max_attempts=1)
    quick.fault([{"answer": {"status": 400}}, {"answer": {"status": 429}}])

    async def main() -> list[Generated | BaseException]:
        return await asyncio.gather(*(client.generate("x") for _ in range(10)), return_exceptions=True)

    outcomes = quietly(main)
    kinds = sorted(outcome.kind for outcome in outcomes if isinstance(outcome, GptImageError))
    assert kinds == ["bad_request", "rate_limited"]
    assert sum(isinstance(outcome, Generated) for outcome in outcomes) == 8 == quick.charges


def test_one_loop_after_another(quick: Emulator) -> None:
    """The client was made outside of any loop, and outlives several."""
    client = quick.async_client()
    for count in range(1, 4):
        result = quietly(lambda: client.generate("x"))
        assert bytes(result.image) == PIXEL
        assert quick.charges == count
    assert quietly(client.balance).current_balance > 0


def test_a_client_made_inside_the_loop(quick: Emulator) -> None:
    async def main() -> Generated:
        async with quick.async_client() as client:
            return await client.generate("x")

    assert bytes(quietly(main).image) == PIXEL


def test_a_closed_client_refuses(quick: Emulator) -> None:
    async def main() -> AsyncClient:
        async with quick.async_client() as client:
            await client.generate("x")
        with pytest.raises(RuntimeError, match="closed"):
            await client.generate("x")
        return client

    client = quietly(main)
    assert client.collect() == []
    assert quick.charges == 1


def test_two_loops_in_two_threads(quick: Emulator) -> None:
    client = quick.async_client()
    errors: list[BaseException] = []

    async def main(name: str) -> None:
        for _ in range(5):
            await asyncio.gather(*(client.generate(name) for _ in range(10)))

    def work(name: str) -> None:
        try:
            asyncio.run(main(name))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == [] and not any(thread.is_alive() for thread in threads)
    charged = prompts(quick)
    assert charged.count("one") == charged.count("two") == 50


def test_the_loop_goes_on_meanwhile(quick: Emulator) -> None:
    """A call that takes half a second does not hold the loop up."""
    client = quick.async_client()
    quick.fault(delay="500ms")

    async def main() -> int:
        task = asyncio.ensure_future(client.generate("x"))
        ticks = 0
        while not task.done():
            await asyncio.sleep(0.001)
            ticks += 1
        await task
        return ticks

    assert quietly(main) > 20


def test_cancelled_before_it_began(quick: Emulator) -> None:
    client = quick.async_client()

    async def main() -> None:
        task = asyncio.ensure_future(client.generate("x"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.drain()

    quietly(main)
    assert client.collect() == []
    assert quick.ledger == ()


def test_cancelled_before_it_was_sent() -> None:
    """The server takes the connection and no byte of the request: nothing can be charged, and the note says so."""

    async def main() -> None:
        connected = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.set()
            with suppress(ConnectionError):
                await reader.read()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        # The server never answers the handshake.
        client = AsyncClient(api_key="k", base_url=f"https://127.0.0.1:{port}/v1", proxy=False)
        task = asyncio.ensure_future(client.generate("x"))
        await connected.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        cause = caught.value.__cause__
        assert isinstance(cause, GptImageError)
        assert (cause.kind, cause.charge) == ("cancelled", "not_charged")
        assert "nothing was charged" in notes(caught.value)
        await client.drain()
        assert client.collect() == []
        server.close()
        await server.wait_closed()

    quietly(main)


def test_cancelled_after_it_was_sent(quick: Emulator) -> None:
    client = quick.async_client()
    quick.fault(delay="300ms")

    async def main() -> None:
        task = asyncio.ensure_future(client.generate("x"))
        await until(lambda: quick.requests, "the request arrived")
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert task.cancelled()
        cause = caught.value.__cause__
        assert isinstance(cause, GptImageError)
        assert (cause.kind, cause.charge) == ("cancelled", "unknown")
        assert "client.collect()" in notes(caught.value)
        assert client.collect() == []
        await client.drain()
        (result,) = made(client.collect())
        assert bytes(result.image) == PIXEL
        assert result.client_request_id == cause.client_request_id
        assert client.collect() == []

    quietly(main)
    assert quick.charges == 1


def test_aborted_after_it_was_sent(quick: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """`on_cancel="abort"`: given up, with a warning; the note does not promise what `collect` will not have."""
    client = quick.async_client(on_cancel="abort")
    quick.fault(delay="300ms")

    async def main() -> None:
        task = asyncio.ensure_future(client.generate("x"))
        await until(lambda: quick.requests, "the request arrived")
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert "collect" not in notes(caught.value)
        assert "nothing was charged" not in notes(caught.value)
        await until(lambda: "given up" in caplog.text, "the warning was logged")
        await client.drain()

    quietly(main)
    assert client.collect() == []
    assert quick.charges == 1


def test_wait_for(quick: Emulator) -> None:
    """It can only cancel: its TimeoutError comes from a CancelledError that says what may be paid."""
    client = quick.async_client()
    quick.fault(delay="600ms")

    async def main() -> None:
        task = asyncio.ensure_future(client.generate("x"))
        await until(lambda: quick.requests, "the request arrived")
        with pytest.raises(asyncio.TimeoutError) as caught:
            await asyncio.wait_for(task, 0.01)
        cancelled = caught.value.__cause__ or caught.value.__context__
        assert isinstance(cancelled, asyncio.CancelledError)
        assert "client.collect()" in notes(cancelled)
        await client.drain()
        assert len(made(client.collect())) == 1

    quietly(main)
    assert quick.charges == 1


def test_timeout_block(quick: Emulator) -> None:
    client = quick.async_client()
    quick.fault(delay="600ms")

    async def main() -> None:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(30) as limit:
                task = asyncio.ensure_future(client.generate("x"))
                await until(lambda: quick.requests, "the request arrived")
                limit.reschedule(asyncio.get_running_loop().time())
                await task
        # Python 3.11.2 and older raise it without a cause.
        cancelled = caught.value.__cause__ or caught.value.__context__
        assert isinstance(cancelled, asyncio.CancelledError)
        await client.drain()
        assert len(made(client.collect())) == 1

    quietly(main)
    assert quick.charges == 1


def test_deadline(quick: Emulator) -> None:
    """The better way: an error that is no TimeoutError, with the id; the result is collected later."""
    client = quick.async_client()
    quick.fault(delay="1500ms")

    async def main() -> None:
        with pytest.raises(gptimage.OutcomeUnknownError) as caught:
            await client.generate("x", deadline=1)
        assert not isinstance(caught.value, TimeoutError)
        assert caught.value.timed_out and caught.value.charge == "unknown"
        await client.drain()
        (result,) = made(client.collect())
        assert result.client_request_id == caught.value.client_request_id

    quietly(main)
    assert quick.charges == 1


def test_task_group(quick: Emulator) -> None:
    """One task fails, the group cancels the others, and each of those is collected once."""
    client = quick.async_client()
    quick.set(latency="400ms")

    async def fail() -> None:
        await until(lambda: len(quick.requests) == 5, "all five arrived")
        raise LookupError("one of the group")

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                for number in range(5):
                    group.create_task(client.generate(f"picture {number}"))
                group.create_task(fail())
        assert [type(error) for error in caught.value.exceptions] == [LookupError]
        await client.drain()

    quietly(main)
    assert len(made(client.collect())) == 5
    assert sorted(prompts(quick)) == [f"picture {number}" for number in range(5)]


def test_the_main_task_ends_first(quick: Emulator) -> None:
    """asyncio.run cancels what is left; nothing of it is lost, and nobody complains."""
    client = quick.async_client()
    quick.set(latency="300ms")
    left: list[asyncio.Future[Generated]] = []

    async def main() -> None:
        left.extend(asyncio.ensure_future(client.generate("x")) for _ in range(5))
        await until(lambda: len(quick.requests) == 5, "all five arrived")

    quietly(main)
    assert all(task.cancelled() for task in left)
    quietly(client.drain)
    assert len(made(client.collect())) == 5 == quick.charges


def test_cancelling_many_does_not_hold_the_loop_up(quick: Emulator) -> None:
    """A cancelled call is asked what it may cost, which waits for no answer: here they come long after all have ended."""
    client = quick.async_client()
    quick.set(latency="5s")
    calls = 50

    async def main() -> int:
        tasks = [asyncio.ensure_future(client.generate("x")) for _ in range(calls)]
        await until(lambda: len(quick.requests) == calls, "all arrived")
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        on_their_way = sum(not pending.ended for pending in client.pending())
        for task in tasks:
            # gather would raise errors of its own, without notes.
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert "client.collect()" in notes(caught.value)
        await client.drain()
        return on_their_way

    # If one cancelled task had waited for its response, the first responses would have arrived in the meantime.
    assert quietly(main) == calls
    assert len(made(client.collect())) == calls == quick.charges


@pytest.mark.parametrize("watched", [False, True])
def test_cancel_racing_with_the_end(quick: Emulator, watched: bool) -> None:
    """Cancelled at random moments: each result is returned or collected, never lost, never both."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    client = quick.async_client()
    updates: list[Progress] = []
    said_free: list[str] = []
    progress = updates.append if watched else None

    async def one(number: int, longest: float) -> str | None:
        task = asyncio.ensure_future(client.generate(f"round {number}", progress=progress))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), rng.uniform(0, longest))
        task.cancel()
        try:
            return (await task).client_request_id
        except asyncio.CancelledError as cancelled:
            if "nothing was charged" in notes(cancelled):
                said_free.append(f"round {number}")
            return None

    async def main() -> list[str | None]:
        began = time.monotonic()
        await asyncio.gather(*(client.generate("warm") for _ in range(10)))
        usual = time.monotonic() - began
        outcomes: list[str | None] = []
        for first in range(0, 400, 10):
            outcomes += await asyncio.gather(*(one(number, 2 * usual) for number in range(first, first + 10)))
        await client.drain()
        return outcomes

    outcomes = quietly(main)
    returned = [outcome for outcome in outcomes if outcome is not None]
    collected = [result.client_request_id for result in made(client.collect())]
    entries = [entry for entry in quick.ledger if entry.charge and entry.prompt != "warm"]
    charged = {entry.client_request_id: entry.prompt for entry in entries}
    print(f"{len(returned)} returned, {len(collected)} collected, {len(said_free)} free, {len(outcomes)} calls")
    assert sorted(map(str, returned + collected)) == sorted(map(str, charged))
    assert set(said_free).isdisjoint(charged.values())
    assert returned and len(returned) < len(outcomes)


def test_progress_is_told_in_the_loops_thread(quick: Emulator) -> None:
    client = quick.async_client()
    quick.fault(delay="200ms")
    told: list[tuple[Progress, int, asyncio.AbstractEventLoop]] = []

    def progress(now: Progress) -> None:
        told.append((now, threading.get_ident(), asyncio.get_running_loop()))

    async def main() -> asyncio.AbstractEventLoop:
        await client.generate("x", progress=progress)
        return asyncio.get_running_loop()

    loop = quietly(main)
    assert {(thread, its) for _, thread, its in told} == {(threading.get_ident(), loop)}
    phases = [now.phase for now, _, _ in told]
    assert phases[0] == "connecting" and phases[-1] == "stored"


def test_progress_that_cancels_its_own_task(quick: Emulator) -> None:
    """What the function asks for takes effect at the next await, and loses nothing."""
    client = quick.async_client()
    quick.fault(delay="300ms")

    def progress(now: Progress) -> None:
        task = asyncio.current_task()
        if now.phase == "sent" and task is not None:
            task.cancel()

    async def main() -> None:
        task = asyncio.ensure_future(client.generate("x", progress=progress))
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.drain()

    quietly(main)
    assert len(made(client.collect())) == 1 == quick.charges


def test_progress_that_fails(quick: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    def progress(now: Progress) -> None:
        raise LookupError("a bug in the spectator")

    client = quick.async_client()
    assert bytes(quietly(lambda: client.generate("x", progress=progress)).image) == PIXEL
    assert "a bug in the spectator" in caplog.text


def test_never_awaited(quick: Emulator) -> None:
    """Python says so, as it always does; nothing was sent."""
    client = quick.async_client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        coroutine = client.generate("x")
        del coroutine
        gc.collect()
    assert [str(warning.message) for warning in caught] == ["coroutine 'AsyncClient.generate' was never awaited"]
    assert quick.connections == 0


def test_closed_before_it_began(quick: Emulator) -> None:
    client = quick.async_client()
    coroutine = client.generate("x")
    coroutine.close()
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
    assert quick.connections == 0


def test_closed_while_it_waits(quick: Emulator) -> None:
    """`coro.close()` in place of a cancellation: the call runs on all the same."""
    client = quick.async_client()
    quick.fault(delay="300ms")

    async def main() -> None:
        coroutine = client.generate("x")
        coroutine.send(None)
        await until(lambda: quick.requests, "the request arrived")
        coroutine.close()
        await client.drain()

    quietly(main)
    assert len(made(client.collect())) == 1 == quick.charges


def test_forgotten_while_it_waits(quick: Emulator) -> None:
    """As above, by the garbage collector."""
    client = quick.async_client()
    quick.fault(delay="300ms")

    async def main() -> None:
        coroutine = client.generate("x")
        coroutine.send(None)
        await until(lambda: quick.requests, "the request arrived")
        del coroutine
        gc.collect()
        await client.drain()

    quietly(main)
    assert len(made(client.collect())) == 1 == quick.charges


def test_an_async_generator_that_is_closed(quick: Emulator) -> None:
    """One picture was taken of a stream of them; the call for the next one is given up, and kept."""
    client = quick.async_client()

    async def pictures() -> AsyncIterator[Generated]:
        yield await client.generate("one")
        quick.fault(delay="300ms")
        yield await client.generate("two")

    async def main() -> None:
        stream = pictures()
        await anext(stream)
        second = asyncio.ensure_future(anext(stream))
        await until(lambda: sum(request.side == "api" for request in quick.requests) == 2, "the second arrived")
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        await client.drain()

    quietly(main)
    assert len(made(client.collect())) == 1
    assert prompts(quick) == ["one", "two"]


def test_a_cell_of_a_notebook(quick: Emulator) -> None:
    """A notebook's loop runs already, and runs each cell as a coroutine; both clients work in it."""
    cells = [
        "client = emulator.async_client()",
        "result = await client.generate('x')",
        "import asyncio\nboth = await asyncio.gather(client.generate('y'), client.generate('z'))",
        "blocking = emulator.client().generate('w')",
    ]
    names: dict[str, Any] = {"emulator": quick}

    async def kernel() -> None:
        for cell in cells:
            code = compile(cell, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            running = eval(code, names)
            if code.co_flags & inspect.CO_COROUTINE:
                await running

    quietly(kernel)
    assert bytes(names["result"].image) == bytes(names["blocking"].image) == PIXEL
    assert len(names["both"]) == 2 and quick.charges == 4


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks(quick: Emulator) -> None:
    client = quick.async_client()

    async def main() -> None:
        factory: Any = getattr(asyncio, "eager_task_factory")  # noqa: B009
        asyncio.get_running_loop().set_task_factory(factory)
        await asyncio.gather(*(client.generate("x") for _ in range(10)))

    quietly(main)
    assert quick.charges == 10


def test_uvloop(quick: Emulator) -> None:
    uvloop = pytest.importorskip("uvloop")
    client = quick.async_client()

    async def main() -> None:
        await asyncio.gather(*(client.generate("x") for _ in range(10)))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    assert quick.charges == 10


def test_a_loop_of_ones_own(quick: Emulator) -> None:
    """No asyncio.run: run_until_complete, again and again."""
    client = quick.async_client()
    loop = asyncio.new_event_loop()
    try:
        for _ in range(3):
            assert bytes(loop.run_until_complete(client.generate("x")).image) == PIXEL
    finally:
        loop.close()
    assert quick.charges == 3


def test_a_loop_closed_while_calls_run() -> None:
    """asyncio says once for each task that it was destroyed; nothing else is said, and the results are there."""
    report = run("loops.py", "closed_while_calls_run").report()
    assert report == 5


def test_a_loop_forgotten_while_calls_run() -> None:
    """Nobody closes the loop, and it is garbage when the answers come: what it waited for is not lost with it."""
    report = run(
        "loops.py",
        "forgotten_while_calls_run",
        # Python's own warning about loops that were not closed.
        flags=("-W", "ignore:unclosed:ResourceWarning"),
    ).report()
    assert report == 5


def test_a_loop_stopped_and_continued() -> None:
    """Stopped while calls run, it finds their results when it goes on."""
    report = run("loops.py", "stopped_and_continued").report()
    assert report == 5


def test_failures_make_no_storm() -> None:
    """A hundred failed and cancelled calls, all looked at: not a word on stderr, whatever the collector finds."""
    run("loops.py", "many_failures").quiet()


def test_ctrl_c_at_every_moment_of_a_loop() -> None:
    """A loop without asyncio.run's handler: KeyboardInterrupt comes between any two steps of ours, and nothing is lost.

    CPython raises it at the start of a Python function, or when a C function has returned; a profiler hears of both.
    """
    report = run("loops.py", "ctrl_c_at_every_moment").report()
    print(report["moments"], "moments")
    assert report["moments"] > 10
    assert report["lost"] == []


# A failure that may be charged, and is retried half a minute later because the caller asked for it.
DARING: dict[str, Any] = {"status": 503, "headers": {"retry-after": "30"}}


@pytest.mark.parametrize("how", ["closed", "cancelled", "loop closed", "timed out"])
@pytest.mark.parametrize("on_cancel", ["keep", "abort"])
def test_given_up_between_two_attempts(quick: Emulator, how: str, on_cancel: Any) -> None:
    """The first attempt may be paid: what is known of it is kept, however its caller goes."""
    client = quick.async_client(retry_server_errors=True, on_cancel=on_cancel)
    quick.fault(answer=DARING)
    updates: list[Progress] = []
    calls = [client.generate("x", progress=updates.append)]

    def paused() -> bool:
        return bool(updates) and updates[-1].pause_seconds is not None

    async def by_hand() -> None:
        call = calls.pop()
        news = call.send(None)
        while not paused():
            if news.done():
                news = call.send(None)
            await asyncio.sleep(0.002)
        call.close()

    async def as_a_task() -> asyncio.Task[Generated]:
        task = asyncio.ensure_future(calls.pop())
        await until(paused, "it pauses")
        return task

    async def in_a_task() -> None:
        task = await as_a_task()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            if how == "timed out":
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(task), 0.001)
            task.cancel()
            await task
        told = cancelled.value.__cause__
        assert isinstance(told, GptImageError) and told.charge == "unknown"
        assert ("client.collect()" in notes(cancelled.value)) is (on_cancel == "keep")

    if how == "closed":
        asyncio.run(by_hand())
    elif how == "loop closed":
        loop = asyncio.new_event_loop()
        left = [loop.run_until_complete(as_a_task())]
        # asyncio's own message about such tasks is not under test.
        left[0]._log_destroy_pending = False  # type: ignore[attr-defined]
        [pending] = client.pending()
        assert not pending.ended
        loop.close()
        left.clear()
        gc.collect()
    else:
        asyncio.run(in_a_task())
    asyncio.run(client.drain())
    kept = client.collect()
    if how in ("cancelled", "timed out") and on_cancel == "abort":
        # A caller who gives up on purpose and receives the error has the outcome; it is not kept for `collect`.
        assert kept == []
    else:
        [error] = kept
        assert isinstance(error, GptImageError) and error.charge == "unknown" and error.http_status == 503
        assert [attempt.charge for attempt in error.attempts] == ["unknown"]
        assert error.client_request_id and error.client_request_id in str(error)
    assert client.collect() == [] and client.pending() == []
    assert [entry.charge is not None for entry in quick.ledger] == [True]
