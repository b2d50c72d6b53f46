"""The interpreter ends with calls in flight: as it would without gptimage, without a message, a hang or a crash.

GPTIMAGE_TEST_EXITS sets the total number of exits. Default: 120.
"""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gptimage import Emulator, Generated
from processes import LEFT, Ended, run

EXITS = int(os.environ.get("GPTIMAGE_TEST_EXITS", "120"))
# Exits that run at the same time; most of an exit is waiting.
AT_ONCE = 4

# A process that leaves calls behind names them, unless they were not sent yet.
MAY_LEAVE = f"(?:{LEFT.pattern}){{0,2}}"

# For each program of `exits`: its exit code, and its output on stdout and stderr.
SCENARIOS: dict[str, tuple[int, str, str]] = {
    "daemon_threads": (0, "", MAY_LEAVE),
    "daemon_threads_that_watch": (0, "", MAY_LEAVE),
    "daemon_threads_that_get_errors": (0, "", ""),
    "daemon_threads_that_decode": (0, "", ""),
    "logged_calls": (0, "", ""),
    "slowly_logged_calls": (0, "", ""),
    "tasks_abandoned": (0, "", MAY_LEAVE),
    "logged_tasks_abandoned": (0, "", ""),
    "a_loop_on_a_daemon_thread": (0, "", MAY_LEAVE),
    "a_waiting_coroutine": (0, "", MAY_LEAVE),
    "atexit_functions": (0, "early png []\nlate png []\n", MAY_LEAVE),
    "first_use_in_atexit": (0, "png\n", ""),
    "asyncio_in_atexit": (0, "early png\nlate png\n", ""),
    "sys_exit_in_progress": (3, "", MAY_LEAVE),
    "sys_exit_in_progress_of_a_task": (4, "", MAY_LEAVE),
    "an_exception": (1, "", r"Traceback \(most recent call last\):\n(  .*\n)+LookupError: bye\n" + MAY_LEAVE),
    "os_exit": (5, "", ""),
    "ctrl_c": (-signal.SIGINT, "", r"(?s).*Traceback .*\nKeyboardInterrupt\n(gptimage: [^\n]+\n)?" + MAY_LEAVE),
    "threads_that_are_waited_for": (0, "png\n" * 4, ""),
    "a_pool_that_is_waited_for": (0, "png\n", ""),
    "an_emulator_of_its_own": (0, "", MAY_LEAVE),
    "just_started": (0, "", MAY_LEAVE),
    "results_in_cycles": (0, "", MAY_LEAVE),
}

# Python's own warning about event loops that were not closed.
FLAGS = ("-W", "ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Answers that take from nothing to as long as an exit."""
    with Emulator() as drawing:
        picture = bytes(drawing.client().generate("x", quality="low").image)
    with Emulator(billing="pessimistic", canned=picture, latency="0ms..50ms") as emulator:
        yield emulator


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_exit(emulator: Emulator, scenario: str) -> None:
    code, out, err = SCENARIOS[scenario]
    count = -(-EXITS // len(SCENARIOS))
    seeds = [random.randrange(1 << 30) for _ in range(count)]
    print("seeds", seeds)

    def end(seed: int) -> Ended:
        return run(f"exits/{scenario}.py", emulator.url, str(seed), flags=FLAGS, limit=30)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(end, seeds))
    longest = max(ended.seconds for ended in ends)
    print(f"{count} exits, the longest after {longest:.1f} s")
    for seed, ended in zip(seeds, ends, strict=True):
        # If other threads run, CPython sometimes forgets that it was an interrupt and ends with code 1, as for an
        # exception.
        assert ended.code in ({code, 1} if code == -signal.SIGINT else {code}), f"seed {seed}: {ended}"
        assert ended.out == out, f"seed {seed}: {ended}"
        assert re.fullmatch(err, ended.err), f"seed {seed}: {ended}"


# The tests below are about `exit_wait`. The emulator takes as long as it is told; the response comes after the exit
# has begun.
@pytest.fixture
def slow() -> Iterator[Emulator]:
    """Answers that take a second."""
    with Emulator() as drawing:
        picture = bytes(drawing.client().generate("x", quality="low").image)
    with Emulator(billing="pessimistic", canned=picture, latency="1s") as emulator:
        yield emulator


def waits(emulator: Emulator, name: str, *options: str) -> Ended:
    """Runs a program of `waits`. The options are `exit_wait` in seconds and the salvage folder."""
    return run(f"waits/{name}.py", emulator.url, "0", *options, flags=FLAGS)


def names_one_call(ended: Ended) -> None:
    assert ended.code == 0 and ended.out == "" and len(ended.left) == 1, ended


@pytest.mark.parametrize(
    "scenario",
    [
        "a_daemon_thread",
        "a_daemon_thread_that_lives_on",
        "a_daemon_thread_that_goes_on",
        "an_event_loop",
        "a_thread",
        "a_pool",
    ],
)
def test_the_exit_waits_for_calls(slow: Emulator, scenario: str) -> None:
    """`exit_wait`: whoever waits for a call gets its result, and then the process ends, long before the time is up."""
    ended = waits(slow, scenario, "300")
    assert (ended.code, ended.out, ended.err) == (0, "png\n", ""), ended
    # No call was started whose result would have been lost.
    assert slow.charges == 1


def test_the_exit_waits_for_nobody_unless_asked(slow: Emulator) -> None:
    names_one_call(waits(slow, "a_daemon_thread"))


def test_the_exits_patience_ends(slow: Emulator) -> None:
    """What takes longer than `exit_wait` is named."""
    slow.fault(delay="1h")
    names_one_call(waits(slow, "a_daemon_thread", "0.3"))


def test_an_impatient_exit(slow: Emulator) -> None:
    """Ctrl-C ends the waiting, and what was waited for is named."""
    slow.fault(delay="1h")
    ended = waits(slow, "a_wait_that_is_interrupted", "3000")
    names_one_call(ended)
    assert "KeyboardInterrupt" in ended.err


def test_an_outcome_on_its_way_to_a_thread_is_kept(slow: Emulator, tmp_path: Path) -> None:
    """The call has ended, and its event loop has been left: at the exit the folder gets what nobody fetched."""
    ended = waits(slow, "an_outcome_nobody_fetched", "0", str(tmp_path / "kept"))
    assert ended.code == 0 and ended.out == "", ended
    [kept] = slow.client(salvage_folder=tmp_path / "kept").collect()
    assert isinstance(kept, Generated) and kept.image.format == "png"
    assert slow.charges == 1


def test_between_two_attempts_the_exit_names_the_first(slow: Emulator) -> None:
    """It may be paid, and what follows it never comes."""
    slow.set(latency="0s")
    slow.fault(answer={"status": 503, "headers": {"retry-after": "100"}})
    ended = waits(slow, "between_two_attempts")
    assert ended.code == 0 and len(ended.left) == 1, ended
    assert [entry.client_request_id for entry in slow.ledger] == ended.left
