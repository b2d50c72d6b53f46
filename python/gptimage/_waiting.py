"""Waiting for a call, on a thread or in an event loop.

An interrupt or a cancellation can come between any two lines. What was paid for is not lost then: a result belongs to its
call until the object that was made of it has arrived, so whoever makes a call keeps it in a variable until it returns.
"""

from __future__ import annotations

from gptimage.exceptions import GptImageError, from_core
from gptimage.generated import Generated
from gptimage.records import Balance, Reconciled

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any
    from weakref import ReferenceType

    from gptimage import _core
    from gptimage._progress import ProgressReporter


def wait(call: _core.CallHandle, reporter: ProgressReporter | None = None) -> Any:
    """The call's result. Ctrl-C is seen on the main thread, as everywhere in Python."""
    import sys

    # Where nobody has imported it, there is one thread, as far as Python knows. Elsewhere, looking for signals finds none.
    threading = sys.modules.get("threading")
    signals = threading is None or threading.current_thread() is threading.main_thread()
    try:
        try:
            while not call.wait(signals):
                _report(call, reporter)
            _report(call, reporter)
        finally:
            if reporter is not None:
                reporter.end()
        return _result(call)
    except BaseException as stopped:
        # Between an error of the call's own and its raise nothing may fail.
        if (explanation := call.abandon(stopped)) is not None:
            _annotate(stopped, explanation)
        raise


async def wait_async(call: _core.CallHandle, reporter: ProgressReporter | None = None) -> Any:
    """The call's result, on whichever event loop is running."""
    import asyncio

    loop = asyncio.get_running_loop()
    try:
        try:
            while not call.done():
                await _wait_for_change(call, loop)
                _report(call, reporter)
            _report(call, reporter)
        finally:
            if reporter is not None:
                reporter.end()
        return _result(call)
    except BaseException as stopped:
        # Between an error of the call's own and its raise nothing may fail.
        if (explanation := call.abandon(stopped)) is not None:
            _annotate(stopped, explanation)
        raise


def from_fields(kind: str, fields: Any) -> Any:
    """The object that stands for what became of a call."""
    match kind:
        case "generated":
            return Generated(fields)
        case "error":
            return from_core(fields)
        case "balance":
            return Balance(fields)
        case "reconciled":
            return [Reconciled(one) for one in fields]
        case "lost":
            return GptImageError("a bug in gptimage: a call ended without a result; it may be charged")
    return fields


def _result(call: _core.CallHandle) -> Any:
    result = call.mark_delivered(from_fields(*call.take()))
    if isinstance(result, GptImageError):
        raise result
    return result


async def _wait_for_change(call: _core.CallHandle, loop: asyncio.AbstractEventLoop) -> None:
    """Waits until there is something new, or for a while."""
    import asyncio
    from functools import partial
    from weakref import ref

    # The future only wakes us; the result stays with the call, where no cancellation can lose it.
    changed: asyncio.Future[None] = loop.create_future()
    # The loop holds whoever waits, and lets go when it is closed: then the call is given up. The compiled part, whose
    # references nobody collects, only knows where they are.
    held = loop.call_later(_A_DAY, _wake, changed)
    try:
        if call.set_waker(partial(_wake_loop, ref(loop), ref(changed))):
            await changed
        else:
            await asyncio.sleep(0.02)
    finally:
        held.cancel()


_A_DAY = 86_400.0


def _wake_loop(loop: ReferenceType[asyncio.AbstractEventLoop], changed: ReferenceType[asyncio.Future[None]]) -> None:
    there, waiting = loop(), changed()
    if there is not None and waiting is not None:
        there.call_soon_threadsafe(_wake, waiting)


def _wake(changed: asyncio.Future[None]) -> None:
    if not changed.done():
        changed.set_result(None)


def _report(call: _core.CallHandle, reporter: ProgressReporter | None) -> None:
    if reporter is not None:
        reporter(call.progress())


def _annotate(stopped: BaseException, explanation: tuple[str, dict[str, Any] | None]) -> None:
    """Says on the exception that stopped a call what that may cost."""
    note, fields = explanation
    if fields is not None:
        stopped.__cause__ = from_core(fields)
    stopped.add_note(f"gptimage: {note}")
