"""Waiting for a call, on a thread or in an event loop.

An interrupt or a cancellation can come between any two lines. What was paid for is not lost then: a result belongs to its
call until the object that was made of it has arrived, so whoever makes a call keeps it in a variable until it returns.
"""

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

    try:
        return call.result(threading.current_thread() is threading.main_thread(), show)
    except GptImageError:
        raise
    except BaseException as stopped:
        call.explain(stopped)
        raise
    finally:
        if show is not None:
            show.end()


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
            if show is not None:
                show(call.progress())
        if show is not None:
            # The call may have ended while the last look was shown.
            show(call.progress())
        return call.take()
    except GptImageError:
        raise
    except BaseException as stopped:
        call.explain(stopped)
        raise
    finally:
        if show is not None:
            show.end()


def _wake(news: asyncio.Future[None]) -> None:
    if not news.done():
        news.set_result(None)
