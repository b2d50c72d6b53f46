"""Waiting for a call, on a thread or in an event loop, and giving it up without losing what may be paid."""

from __future__ import annotations

from gptimage.exceptions import GptImageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any

    from gptimage import _core
    from gptimage._progress import Show


def wait(call: _core.Call, show: Show | None = None) -> Any:
    """The call's result. Ctrl-C is seen on the main thread, as everywhere in Python."""
    import threading

    signals = threading.current_thread() is threading.main_thread()
    try:
        while not call.wait(signals):
            _tell(call, show)
        _tell(call, show)
        result = call.take()
    except GptImageError:
        raise
    except BaseException as stopped:
        _explain(stopped, call)
        raise
    finally:
        if show is not None:
            show.end()
    call.settle()
    return result


async def wait_async(call: _core.Call, show: Show | None = None) -> Any:
    """The call's result, on whichever event loop is running."""
    import asyncio
    from functools import partial

    loop = asyncio.get_running_loop()
    try:
        while not call.done():
            # The future only wakes us; the result stays with the call, where no cancellation can lose it.
            news: asyncio.Future[None] = loop.create_future()
            call.notify(partial(loop.call_soon_threadsafe, _wake, news))
            await news
            _tell(call, show)
        result = call.take()
    except GptImageError:
        raise
    except BaseException as stopped:
        _explain(stopped, call)
        raise
    finally:
        if show is not None:
            show.end()
    call.settle()
    return result


def _wake(news: asyncio.Future[None]) -> None:
    if not news.done():
        news.set_result(None)


def _tell(call: _core.Call, show: Show | None) -> None:
    if show is not None:
        show(call.progress())


def _explain(stopped: BaseException, call: _core.Call) -> None:
    """Gives the call up, and says on the exception that stops it what it may cost."""
    state, error = call.abandon()
    if isinstance(error, GptImageError):
        stopped.__cause__ = error
        note = error.message
        if error.charge != "not_charged":
            note += "; client.collect() has what becomes of it"
    elif state == "ended":
        note = "the call had ended; client.collect() has its result"
    elif state == "running":
        note = "the call runs on and may be paid; client.collect() has what becomes of it"
    else:
        note = "nothing had been sent, and nothing was charged"
    stopped.add_note(f"gptimage: {note}")
