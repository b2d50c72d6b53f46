"""The `progress` argument: a tqdm bar, or a line on stderr per phase if tqdm is not installed, or the caller's
function.
"""

from __future__ import annotations

from gptimage.records import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gptimage._types import ProgressOption

# The code flag of an `async def` function.
_ASYNC = 0x80

_PHASES = {
    "planned": "connecting",
    "connecting": "connecting",
    "sending": "sending",
    "sent": "waiting for the picture",
    "head_received": "receiving",
    "body_complete": "fetching the picture",
    "stored": "done",
}


class ProgressReporter:
    """Shows a call's progress or passes it to the caller's function."""

    def __init__(self, option: ProgressOption) -> None:
        self._callback: Callable[[Progress], object] | None = None
        self._bar: Any = None
        self._last = ""
        if callable(option):
            if getattr(getattr(option, "__code__", None), "co_flags", 0) & _ASYNC:
                raise TypeError("progress: an async function would never be awaited; give a plain one")
            self._callback = option
        elif option is True:
            self._callback = self._draw
        elif option is not None and option is not False:
            raise TypeError(f"progress: {type(option).__name__} is neither True nor a function")

    @property
    def wanted(self) -> bool:
        return self._callback is not None

    def __call__(self, fields: dict[str, Any] | None) -> None:
        if fields is None or self._callback is None:
            return
        try:
            self._callback(Progress(fields))
        except Exception:
            # An exception of the function must not end a paid call.
            import logging

            logging.getLogger("gptimage").exception("the progress function failed; the call goes on")

    def end(self) -> None:
        """Closes the bar and leaves it on the screen."""
        if self._bar is not None:
            self._bar.close()

    def _draw(self, progress: Progress) -> None:
        doing = _PHASES[progress.phase]
        if progress.pause_seconds is not None:
            doing = f"not delivered, again in {progress.pause_seconds:.1f} s"
        if progress.attempt > 1:
            doing += f" (attempt {progress.attempt} of {progress.max_attempts})"
        try:
            import warnings

            with warnings.catch_warnings():
                # tqdm warns if a notebook has no widgets, but works nevertheless.
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm
        except ImportError:
            if doing != self._last:
                import sys

                print(f"gptimage: {doing}", file=sys.stderr, flush=True)
            self._last = doing
            return
        if self._bar is None:
            self._bar = tqdm(total=None, unit="B", unit_scale=True, desc="gptimage")
        done, total = progress.bytes_received, None
        if progress.phase in ("connecting", "sending"):
            done, total = progress.bytes_sent, progress.bytes_total
        self._bar.total = total
        self._bar.n = done
        self._bar.set_description_str(f"gptimage: {doing}", refresh=False)
        self._bar.refresh()
