"""Log handlers are the user's code: whatever they do, no call and no event loop is blocked by it."""

from __future__ import annotations

import json

import pytest

from processes import run

def test_a_handler_that_stands_still() -> None:
    """Calls of both kinds go on while it does; the records come afterwards, in their order."""
    run("handlers.py", "stands_still").quiet()


def test_a_handler_that_waits_for_the_event_loop() -> None:
    """It hands each record to a coroutine of the loop that makes the call, and waits until that is done with it."""
    run("handlers.py", "waits_for_the_event_loop").quiet()


def test_a_handler_with_an_event_loop_of_its_own() -> None:
    run("handlers.py", "has_an_event_loop_of_its_own").quiet()


def test_a_handler_that_calls_the_client() -> None:
    """Blocking, and awaited; also a paid call, whose records come in their turn."""
    run("handlers.py", "calls_the_client").quiet()


@pytest.mark.parametrize("what", ["LookupError", "SystemExit", "KeyboardInterrupt"])
def test_a_handler_that_raises(what: str) -> None:
    """What it raises is told of as what nobody can catch, and the next record comes all the same."""
    run("handlers.py", "raises", what).quiet()


@pytest.mark.skipif("not hasattr(__import__('os'), 'fork')")
@pytest.mark.parametrize("child", ["ends", "returns"])
def test_a_handler_that_forks(child: str) -> None:
    """The child ends, whether it says so or returns to a thread that its parent alone has."""
    run("handlers.py", "forks", child, limit=60).quiet()


def test_the_end_does_not_wait_for_handlers_for_ever() -> None:
    """One that never comes back: the process ends, and what is lost is said all the same."""
    ended = run("handlers.py", "never_returns", limit=30)
    ended.quiet(leaves_calls=True)
    assert len(ended.left) == 1


def test_at_the_end_handlers_get_what_there_is() -> None:
    """One that takes a while gets every record before the process ends."""
    lines = run("handlers.py", "takes_a_while").quiet().out.splitlines()
    ids = next(line for line in lines if line.startswith("["))
    for name in json.loads(ids):
        assert sum(name in line for line in lines if line != ids) == 2, lines


def test_without_a_thread_for_records_nothing_is_sent() -> None:
    """It is looked for before money is spent; and again by the next call, which has one."""
    run("handlers.py", "has_no_thread").quiet()
