"""Programs in which creating Python objects for an outcome fails.

Each tries one moment after another, with a new call each time, until three in a row were not reached any more.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from gptimage import Client, Emulator, GptImageError, _waiting
from pictures import PIXEL
from program import is_of_the_package, run_chosen


class Injection:
    """A context in which something fails."""

    def __init__(self, where: str | None = None) -> None:
        self.hit = False
        self.where = where

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        raise NotImplementedError


class AtLine(Injection):
    """Raises MemoryError at the n-th line that the package runs."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self._left = n

    def __enter__(self) -> None:
        sys.settrace(self)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def __call__(self, frame: FrameType, event: str, argument: object) -> AtLine | None:
        if not is_of_the_package(frame.f_code):
            return None
        if event == "line":
            self._left -= 1
            if self._left == 0:
                self.hit, self.where = True, f"{frame.f_code.co_name}, line {frame.f_lineno}"
                raise MemoryError
        return self


class AtAllocation(Injection):
    """Lets allocations of Python's fail from the n-th on. What failed shows whether there were so many."""

    def __init__(self, n: int, width: int) -> None:
        import _testcapi  # type: ignore[import-not-found]

        # There are always at least sixty allocations.
        super().__init__(f"allocation {n}")
        self.hit = n < 60
        self._set, self._remove = _testcapi.set_nomemory, _testcapi.remove_mem_hooks
        self._n, self._end = n, n + width

    def __enter__(self) -> None:
        self._set(self._n, self._end)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._remove()
        self.hit = self.hit or (kind is not None and not issubclass(kind, GptImageError))


Attempt = Callable[[Client], Callable[[], object]]


def begun(client: Client) -> Any:
    """A call that has ended, and of which nothing was made yet."""
    given: dict[str, Any] = {
        "self": client,
        "prompt": "x",
        "unknown": {},
        "progress": None,
        "extra": None,
        "structural_rules": False,
        "save_to": None,
        "overwrite": False,
        "deadline": None,
        "max_attempts": 1,
        "fetch": None,
    }
    call, _ = client._call("generate", given)
    while not call.wait(False):
        pass
    return call


def a_whole_call(client: Client) -> Callable[[], object]:
    return lambda: client.generate("x")


def a_call(client: Client) -> Callable[[], object]:
    call = begun(client)

    def work() -> object:
        # CPython forgets an exception if it has no memory for the frame that it passes through; this creates the
        # frame objects in advance.
        sys._getframe()
        return _waiting.wait(call)

    return work


def everywhere(
    emulator: Emulator, client: Client, fault: dict[str, Any], inject: Callable[[int], Injection], attempt: Attempt
) -> dict[str, Any]:
    sys._getframe()
    complaints: list[str] = []
    n = untouched = kept_at = 0
    charges = emulator.charges
    while untouched < 3:
        n += 1
        if fault:
            emulator.fault(fault)
        work: Callable[[], object] | None = attempt(client)
        result = error = stopped = None
        at = inject(n)
        try:
            with at:
                result = work() if work else None
        except GptImageError as caught:
            error = caught
        except BaseException as caught:
            stopped = caught
        work = None
        kept = client.collect()
        notes = getattr(stopped, "__notes__", [])
        shown = stopped is not None and isinstance(stopped.__context__, GptImageError)
        have = (result is not None) + (error is not None) + len(kept)
        kept_at += len(kept)
        result = error = None
        if stopped is not None and not isinstance(stopped, (MemoryError, SystemError)):
            complaints.append(f"{at.where}: {stopped!r}")
        told = repr((stopped, stopped and stopped.__context__))
        stopped = None
        gc.collect()
        late = len(client.collect())
        now = emulator.charges
        # A collected error may already have been shown as the context of the exception.
        if have > 1 or (now > charges and not have and not shown):
            complaints.append(f"{at.where}: {have} outcomes, {late} later; {told}, notes {notes}")
        if now > charges and any("nothing was charged" in note for note in notes):
            complaints.append(f"{at.where}: charged, and the note says {notes}")
        charges = now
        emulator.clear_faults()
        untouched = 0 if at.hit else untouched + 1
    return {"complaints": complaints, "moments": n - untouched, "kept": kept_at}


def run(fault: str, inject: Callable[[int], Injection], attempt: Attempt) -> None:
    with Emulator(billing="pessimistic", canned=PIXEL) as emulator:
        client = emulator.client()
        client.generate("warm")
        try:
            client.generate("")
        except GptImageError:
            pass
        print(json.dumps(everywhere(emulator, client, json.loads(fault), inject, attempt)))


def at_every_line(fault: str) -> None:
    run(fault, AtLine, a_whole_call)


def at_every_allocation(fault: str, width: str) -> None:
    run(fault, lambda n: AtAllocation(n, int(width)), a_call)


def collecting_without_memory() -> None:
    with Emulator(billing="pessimistic", canned=PIXEL) as emulator:
        client = emulator.client()
        complaints: list[str] = []
        n = untouched = failed = 0
        client.collect()
        while untouched < 3:
            n += 1
            for _ in range(2):
                # A call that is never waited for leaves its outcome to `collect`.
                begun(client)
            gc.collect()
            at = AtAllocation(n, 1)
            kept: list[Any] = []
            try:
                with at:
                    kept = client.collect()
            except BaseException as caught:
                failed += 1
                if not isinstance(caught, MemoryError):
                    complaints.append(f"{at.where}: {caught!r}")
            later = client.collect()
            if len(kept) + len(later) != 2:
                complaints.append(f"{at.where}: {len(kept)} + {len(later)} of 2")
            untouched = 0 if at.hit else untouched + 1
        print(json.dumps({"complaints": complaints, "failed": failed, "charges": emulator.charges, "calls": 2 * n}))


if __name__ == "__main__":
    run_chosen()
