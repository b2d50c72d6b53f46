"""Objects that cannot be made of an outcome: without memory, or because something raises in the middle, nothing is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processes import run

# Every script tries one moment after the other, with a new call each, until a few in a row were not met any more. `at`
# injects, and says where it did.
PRELUDE = """
import gc, json, sys
import gptimage
from gptimage import _waiting

def begun(client):
    '''A call that has ended, and is still to be made something of.'''
    given = {"self": client, "prompt": "x", "unknown": {}, "progress": None, "extra": None, "structural_rules": False,
             "save_to": None, "overwrite": False, "deadline": None, "max_attempts": 1, "fetch": None}
    call, _ = client._call("generate", given)
    while not call.wait(False):
        pass
    return call

def everywhere(emulator, client, fault, inject, attempt):
    sys._getframe()
    complaints, n, untouched, kept_at, charges = [], 0, 0, 0, emulator.charges
    while untouched < 3:
        n += 1
        if fault:
            emulator.fault(fault)
        work = attempt(client)
        result = error = stopped = None
        at = inject(n)
        try:
            with at:
                result = work()
        except gptimage.GptImageError as caught:
            error = caught
        except BaseException as caught:
            stopped = caught
        work = None
        kept = client.collect()
        notes = getattr(stopped, "__notes__", [])
        shown = stopped is not None and isinstance(stopped.__context__, gptimage.GptImageError)
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
        # What is collected may have been shown before, as what the exception came upon.
        if have > 1 or (now > charges and not have and not shown):
            complaints.append(f"{at.where}: {have} outcomes, {late} later; {told}, notes {notes}")
        if now > charges and any("nothing was charged" in note for note in notes):
            complaints.append(f"{at.where}: charged, and the note says {notes}")
        charges = now
        emulator.clear_faults()
        untouched = 0 if at.hit else untouched + 1
    return {"complaints": complaints, "moments": n - untouched, "kept": kept_at}

def a_whole_call(client):
    return lambda: client.generate("x")

def a_call(client):
    call = begun(client)
    def work():
        # CPython forgets an exception when it has no memory for a frame that it passes: these have theirs.
        sys._getframe()
        return _waiting.wait(call)
    return work
"""

BY_LINE = """
class At:
    '''Raises MemoryError at the n-th line that the package runs.'''

    def __init__(self, n):
        self.left, self.hit, self.where = n, False, None

    def __enter__(self):
        sys.settrace(self)

    def __exit__(self, *_):
        sys.settrace(None)

    def __call__(self, frame, event, argument):
        if "gptimage" not in frame.f_code.co_filename:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                self.hit, self.where = True, f"{frame.f_code.co_name}, line {frame.f_lineno}"
                raise MemoryError
        return self
"""

BY_ALLOCATION = """
import _testcapi

class At:
    '''So many allocations of Python's fail, from the n-th on; whether there were so many is seen by what failed.'''

    def __init__(self, n):
        self.n, self.hit, self.where = n, n < LEAST, f"allocation {n}"

    def __enter__(self):
        _testcapi.set_nomemory(self.n, self.n + WIDTH)

    def __exit__(self, kind, *_):
        _testcapi.remove_mem_hooks()
        self.hit = self.hit or (kind is not None and not issubclass(kind, gptimage.GptImageError))
"""

RUN = """
with gptimage.Emulator(billing="pessimistic", canned=CANNED) as emulator:
    client = emulator.client()
    client.generate("warm")
    try:
        client.generate("")
    except gptimage.GptImageError:
        pass
    print(json.dumps(everywhere(emulator, client, FAULT, At, ATTEMPT)))
"""

FAULTS: dict[str, dict[str, Any]] = {
    "a result": {},
    "an error with a picture": {"cdn": {"status": 403, "times": 9}},
    "an unknown outcome": {"cut_response": {"after": 17, "cut": "rst"}},
}

# The smallest picture there is.
CANNED = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\x0bIDATx\x9cc\xf8\x0f\x04\x00\t\xfb\x03\xfd\xfb^k+\x00\x00\x00\x00IEND\xaeB`\x82"
)


def judge(facts: dict[str, Any]) -> None:
    print(facts["moments"], "moments,", facts["kept"], "kept", *facts["complaints"], sep="\n")
    assert facts["complaints"] == []
    # Injections that met nothing would prove nothing.
    assert facts["moments"] > 10 and facts["kept"] > 10


@pytest.mark.parametrize("outcome", FAULTS)
def test_at_every_line(outcome: str) -> None:
    """An exception at any line between the outcome's coming and its arrival: it is kept, and `collect` has it."""
    given = f"FAULT, CANNED, ATTEMPT = {FAULTS[outcome]!r}, {CANNED!r}, a_whole_call\n"
    judge(run(PRELUDE + BY_LINE + given + RUN, limit=120).facts())


# Where several fail at once, CPython forgets an exception that is being raised, whoever has raised it.
@pytest.mark.parametrize(("outcome", "width"), [("a result", 3), *((outcome, 1) for outcome in FAULTS)])
def test_at_every_allocation(outcome: str, width: int) -> None:
    """No memory for an object or two, wherever that is: MemoryError, and `collect` has the outcome."""
    pytest.importorskip("_testcapi")
    given = f"FAULT, CANNED, ATTEMPT, WIDTH, LEAST = {FAULTS[outcome]!r}, {CANNED!r}, a_call, {width}, 60\n"
    # Rust's runtime tells of each allocation that the binding's library found missing.
    ended = run(PRELUDE + BY_ALLOCATION + given + RUN, limit=240, RUST_BACKTRACE="0")
    assert ended.code == 0, ended
    judge(json.loads(ended.out.splitlines()[-1]))


def test_collecting_without_memory() -> None:
    """`collect` itself may fail, at any allocation: what it was about to hand over comes the next time."""
    pytest.importorskip("_testcapi")
    script = """
def leave(client):
    call = begun(client)
    return client

with gptimage.Emulator(billing="pessimistic", canned=CANNED) as emulator:
    client = emulator.client()
    complaints, n, untouched, failed = [], 0, 0, 0
    client.collect()
    while untouched < 3:
        n += 1
        for _ in range(2):
            # A call that nobody makes anything of is left to `collect`.
            begun(client)
        gc.collect()
        at, kept = At(n), []
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
"""
    given = f"CANNED, WIDTH, LEAST = {CANNED!r}, 1, 60\n"
    ended = run(PRELUDE + BY_ALLOCATION + given + script, limit=240, RUST_BACKTRACE="0")
    assert ended.code == 0, ended
    facts = json.loads(ended.out.splitlines()[-1])
    assert facts["complaints"] == [] and facts["failed"] > 10, facts
    assert facts["charges"] == facts["calls"]
