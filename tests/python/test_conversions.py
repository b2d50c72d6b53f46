"""Nothing is lost if creating the Python objects for an outcome fails, for lack of memory or by an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processes import run

FAULTS: dict[str, dict[str, Any]] = {
    "a result": {},
    "an error with a picture": {"cdn": {"status": 403, "times": 9}},
    "an unknown outcome": {"cut_response": {"after": 17, "cut": "rst"}},
}


def judge(report: dict[str, Any]) -> None:
    print(report["moments"], "moments,", report["kept"], "kept", *report["complaints"], sep="\n")
    assert report["complaints"] == []
    # Injections that were never reached would prove nothing.
    assert report["moments"] > 10 and report["kept"] > 10


@pytest.mark.parametrize("outcome", FAULTS)
def test_at_every_line(outcome: str) -> None:
    """An exception at any line between the outcome's coming and its arrival: it is kept, and `collect` has it."""
    judge(run("outcomes.py", "at_every_line", json.dumps(FAULTS[outcome]), limit=120).report())


def without_memory(name: str, *arguments: str) -> dict[str, Any]:
    """The report of a program in which allocations fail. Rust's runtime tells of each that the binding's library missed."""
    pytest.importorskip("_testcapi")
    ended = run("outcomes.py", name, *arguments, limit=240, RUST_BACKTRACE="0")
    assert ended.code == 0, ended
    report: dict[str, Any] = json.loads(ended.out.splitlines()[-1])
    return report


# If several allocations fail at once, CPython may forget an exception that is being raised, whatever raised it.
@pytest.mark.parametrize(("outcome", "width"), [("a result", 3), *((outcome, 1) for outcome in FAULTS)])
def test_at_every_allocation(outcome: str, width: int) -> None:
    """No memory for an object or two, wherever that is: MemoryError, and `collect` has the outcome."""
    judge(without_memory("at_every_allocation", json.dumps(FAULTS[outcome]), str(width)))


def test_collecting_without_memory() -> None:
    """`collect` itself may fail, at any allocation: what it was about to hand over comes the next time."""
    report = without_memory("collecting_without_memory")
    assert report["complaints"] == [] and report["failed"] > 10, report
    assert report["charges"] == report["calls"]
