"""Programs that are interrupted at every moment of a call, one moment after the other.

CPython raises KeyboardInterrupt at the start of a Python function, or when a C function or a call with * has returned.
A profiler is told of the same moments, so each of them is tried, with one call each. The exception is kept alive
meanwhile, as a handler or a notebook does.
"""

from __future__ import annotations

import dis
import gc
import json
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import gptimage
from gptimage import Client, Emulator, GptImageError, Progress
from interrupted import interrupt_when, print_report
from pictures import PIXEL
from program import leave, run_chosen


class HandlerFailed(gptimage.APIConnectionError):
    """Raised by a signal's handler that uses a client of its own, which can fail like any other."""


class At:
    """Raises at the n-th moment at which CPython looks for a signal."""

    def __init__(self, n: int, stop: type[BaseException] = KeyboardInterrupt, *, armed: bool = True) -> None:
        self.n, self.stop, self.armed = n, stop, armed
        self.seen = 0
        self.where: str | None = None

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if not self.armed:
            return
        if event in ("call", "c_return") or event == "return" and argument and is_called_with_star(frame):
            self.seen += 1
            if self.seen == self.n:
                after = f" after {argument.__name__}" if event == "c_return" else f" at its {event}"
                self.where = f"{frame.f_code.co_name}, line {frame.f_lineno}{after}"
                raise self.stop


def is_called_with_star(frame: FrameType) -> bool:
    caller = frame.f_back
    return caller is not None and dis.opname[caller.f_code.co_code[caller.f_lasti]] == "CALL_FUNCTION_EX"


def attempt(work: Callable[[], Any], at: At) -> tuple[Any, GptImageError | None, BaseException | None]:
    """Does some work while `at` watches: its result, its error, and the interrupt."""
    result = error = stopped = None
    sys.setprofile(at)
    try:
        result = work()
    except at.stop as caught:
        stopped = caught
    except GptImageError as caught:
        error = caught
    finally:
        sys.setprofile(None)
    return result, error, stopped


class Everywhere:
    """A call for each moment, until four calls in a row had no further moment."""

    def __init__(
        self,
        emulator: Emulator,
        fault: dict[str, Any],
        *,
        progress: Callable[[Progress], object] | None = None,
        stop: type[BaseException] = KeyboardInterrupt,
        second: bool = False,
    ) -> None:
        self.emulator, self.fault, self.progress, self.stop, self.second = emulator, fault, progress, stop, second
        self.client = emulator.client()
        self.client.generate("warm")
        self.complaints: list[str] = []

    def run(self) -> None:
        n = untouched = 0
        while untouched < 4:
            n += 1
            # The number of progress updates varies, so a single round without an interrupt is not proof that all
            # moments were tried.
            untouched = 0 if self.moment(n) else untouched + 1
        print_report({"complaints": self.complaints, "moments": n - untouched})

    def moment(self, n: int) -> bool:
        """Interrupts a call at its n-th moment. Returns whether there was one."""
        client, emulator, progress = self.client, self.emulator, self.progress
        prompt = f"moment {n}."
        at = At(n, self.stop, armed=not self.second)
        if self.fault:
            emulator.fault(self.fault)
        if self.second:
            # A real first interrupt ends the wait. The moments after it are counted.
            def first(number: int, frame: FrameType | None) -> None:
                at.armed = True
                raise KeyboardInterrupt

            signal.signal(signal.SIGINT, first)
            interrupt_when(lambda: any(prompt.encode() in (request.body or b"") for request in emulator.requests))
        result, error, stopped = attempt(lambda: client.generate(prompt, progress=progress), at)
        client.drain()
        kept = client.collect()
        # An error that was being raised when the interrupt came is shown with it.
        shown = stopped is not None and isinstance(stopped.__context__, GptImageError)
        notes = getattr(stopped, "__notes__", [])
        have = (result is not None) + (error is not None) + len(kept)
        # Results that are still referenced here are lost to a caller who handles the interrupt, but must not disturb
        # the next moment.
        del result, error, stopped, kept
        gc.collect()
        client.drain()
        charges = sum(entry.charge is not None for entry in emulator.ledger if entry.prompt == prompt)
        client.drain()
        late = len(client.collect())
        emulator.clear_faults()
        if charges and not have and not shown:
            self.complaints.append(f"{at.where}: lost to its handler, {late} later; notes {notes}")
        elif have + late > 1:
            self.complaints.append(f"{at.where}: {have} + {late} outcomes of one call")
        if charges and any("nothing was charged" in note for note in notes):
            self.complaints.append(f"{at.where}: charged, and the note says {notes}")
        return at.where is not None


def pessimistic() -> Emulator:
    return Emulator(billing="pessimistic", canned=PIXEL)


def of_a_call(fault: str) -> None:
    with pessimistic() as emulator:
        Everywhere(emulator, json.loads(fault)).run()


def of_a_watched_call() -> None:
    with pessimistic() as emulator:
        Everywhere(emulator, {}, progress=lambda now: None).run()


def by_a_handler_that_fails(fault: str) -> None:
    with pessimistic() as emulator:
        Everywhere(emulator, json.loads(fault), stop=HandlerFailed).run()


def after_an_interrupt() -> None:
    with pessimistic() as emulator:
        Everywhere(emulator, {"delay": "100ms"}, second=True).run()


def of_collecting() -> None:
    with pessimistic() as emulator:
        client = emulator.client()
        complaints: list[str] = []
        n = -1
        while True:
            n += 1
            for picture in range(2):
                leave(client, f"moment {n}.{picture}")
            client.drain()
            at = At(n)
            kept, _, stopped = attempt(client.collect, at)
            later = client.collect()
            have = len(kept or []) + len(later)
            if have != 2:
                complaints.append(f"{at.where}: {have} of 2")
            if n > 0 and at.where is None:
                break
        print_report({"complaints": complaints, "moments": n - 1, "charges": emulator.charges})


if __name__ == "__main__":
    run_chosen()
