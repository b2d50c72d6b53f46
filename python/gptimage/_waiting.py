"""Waiting for a call, on a thread or in an event loop.

An interrupt or a cancellation can come between any two lines. A paid result is not lost then: it belongs to its call until
the object that was made from it has been delivered. So a caller must keep the call in a variable until it returns.
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
    """Waits for a call and returns its result. On the main thread it can be interrupted by Ctrl-C."""
    import sys

    # If `threading` was not imported, this is the only Python thread. On other threads there are no signals to check.
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
        # Nothing here may fail for the call's own error.
        if (explanation := call.abandon(stopped)) is not None:
            _annotate(stopped, explanation)
        raise


async def wait_async(call: _core.CallHandle, reporter: ProgressReporter | None = None) -> Any:
    """Awaits a call on the running event loop and returns its result."""
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
        # Nothing here may fail for the call's own error.
        if (explanation := call.abandon(stopped)) is not None:
            _annotate(stopped, explanation)
        raise


def from_fields(kind: str, fields: Any) -> Any:
    """Creates the object for the outcome of a call."""
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
    """Waits until there is something new; polls while the interpreter is exiting."""
    import asyncio
    from functools import partial
    from weakref import ref

    # The future only wakes this coroutine. The result stays with the call, where a cancellation cannot lose it.
    changed: asyncio.Future[None] = loop.create_future()
    # Only the loop holds a strong reference to the waiting coroutine, and drops it when it is closed; then the call is
    # abandoned. The compiled part has weak references, because its own are invisible to the garbage collector.
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
    """Adds a note to the exception that stopped a call: what the call may cost."""
    note, fields = explanation
    if fields is not None:
        stopped.__cause__ = from_core(fields)
    stopped.add_note(f"gptimage: {note}")
