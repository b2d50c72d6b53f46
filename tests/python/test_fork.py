"""Forks: parent and child both work, whatever was in flight, and neither disturbs the other."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from processes import FORKS, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def forks(name: str, *arguments: str, leaves_calls: bool = False) -> Any:
    """The report that a function of forks.py prints."""
    return run("forks.py", name, *arguments, flags=FORKS, limit=90).report(leaves_calls=leaves_calls)


@pytest.mark.parametrize("used", [False, True])
def test_a_client_on_both_sides(used: bool) -> None:
    """The inherited client, a new one and one made of the inherited one, before and after the first use."""
    assert forks("a_client_on_both_sides", "used" if used else "unused") == used + 3 * 5


def test_children_of_children() -> None:
    assert forks("children_of_children") == 4


def test_from_another_thread() -> None:
    """The thread that forks is the child's main thread."""
    assert forks("from_another_thread") == 5


def test_asyncio_in_the_child() -> None:
    assert forks("asyncio_in_the_child") == 5 * 6


@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
def test_with_calls_in_flight(leave: str) -> None:
    """Eight threads make calls while the main thread forks, again and again: no child hangs, nobody loses a picture."""
    print(forks("with_calls_in_flight", leave), "calls")


def test_calls_end_while_a_child_lives() -> None:
    """A child holds copies of the parent's sockets; the parent's calls end all the same."""
    assert forks("calls_end_while_a_child_lives") == [4, 4]


def test_exits_as_any_other() -> None:
    """A child that goes on after the fork and ends by itself: with its exit code, without a word, without a hang."""
    assert forks("exits_as_any_other") == 1 + 4 + 5


def test_inherited_objects_are_left_alone() -> None:
    """Clients, pictures and the emulator of the parent are dropped in the child: the parent does not notice."""
    assert forks("inherited_objects_are_left_alone") == [4, 6]


@pytest.mark.parametrize("end", ["close", "forget", "exit"])
def test_an_inherited_coroutine(end: str) -> None:
    """A child that drops what its parent was waiting for, or just ends, does so without a word."""
    assert forks("an_inherited_coroutine", end) == 1


def test_in_the_middle_of_a_call() -> None:
    """A fork in a progress function: the call is the parent's, and the child is told so at once."""
    assert forks("in_the_middle_of_a_call") == 2


def test_what_is_kept_stays_where_it_is() -> None:
    """What the parent may collect is the parent's alone, and the other way round."""
    assert forks("kept_results_stay_where_they_are") == 2


def test_relatives_share_what_is_kept() -> None:
    """`with_options`: both clients share what `collect` gives, in the child as in the parent."""
    assert forks("relatives_share_kept_results") == 2


def test_ctrl_c_in_the_child() -> None:
    assert forks("ctrl_c_in_the_child") == 1


def test_logging_in_the_child() -> None:
    """Its records are its own; none of the parent's is told twice."""
    assert forks("logging_in_the_child") == 6


def test_an_emulator_in_the_child() -> None:
    assert forks("an_emulator_in_the_child") == 2


def test_prefork_server() -> None:
    """A master makes the client and forks workers, which take jobs from a shared socket until SIGTERM ends them."""
    assert forks("prefork_server", leaves_calls=True) == 67


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str) -> None:
    """Pools, processes and executors, with whatever start method; results are pickled on their way home."""
    run("workers.py", method, flags=FORKS, limit=90).quiet()


def test_subprocesses_meanwhile() -> None:
    """`subprocess` forks too, or does something like it, while calls are in flight."""
    assert forks("subprocesses_meanwhile") > 0


@pytest.mark.skipif(sys.platform != "linux", reason="counts threads where Linux lists them")
def test_a_child_has_threads_only_if_it_works() -> None:
    """A fork alone starts nothing; the first call does, once."""
    assert forks("threads_only_for_work") == 22
