"""Ctrl-C: noticed at once in every phase, reports what the call may cost, and loses no paid result."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from processes import run


def interrupts(name: str, *arguments: str, leaves_calls: bool = False) -> dict[str, Any]:
    """Runs a program of interrupts.py that Ctrl-C interrupts, and checks what holds for each."""
    report: dict[str, Any] = run("interrupts.py", name, *arguments).report(leaves_calls=leaves_calls)
    print(f"{name}: KeyboardInterrupt after {report['ms']:.0f} ms; {'; '.join(report['notes'])}")
    # The call's own timeouts are 10 s or more, so only the signal can have ended the wait.
    assert report["ms"] < 5000, report
    # A kept result is returned only once.
    assert report.get("again", 0) == 0, report
    return report


def note(report: dict[str, Any]) -> str:
    """The one note."""
    assert len(report["notes"]) == 1, report
    text: str = report["notes"][0]
    assert text.startswith("gptimage: "), report
    return text


def assert_free(report: dict[str, Any]) -> None:
    """The note says that nothing was charged, and that is true."""
    assert "nothing was charged" in note(report), report
    assert report["charge"] in (None, "not_charged"), report
    assert report["kept"] == [], report
    assert report.get("charges", 0) == 0, report


def assert_kept(report: dict[str, Any]) -> None:
    """The note says that it may be paid and where to get it; it was paid once, and is there once."""
    assert "client.collect()" in note(report), report
    assert "nothing was charged" not in note(report), report
    assert report["charge"] in ("unknown", "charged"), report
    assert report["kept"] == ["Generated"], report
    assert report["formats"] == ["png"], report
    assert report["charges"] == 1, report


def test_while_a_slow_file_is_read() -> None:
    """Python reads it, so nothing has begun."""
    report = interrupts("reading_a_slow_file")
    assert report["charges"] == 0 and report["kept"] == [] and report["arrived"] == []


def test_while_pixels_are_encoded() -> None:
    """Sixteen pictures of noise take seconds to encode."""
    report = interrupts("encoding_pixels")
    assert_free(report)
    assert report["connections"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="how a full backlog behaves is each system's own")
def test_while_connecting_to_a_blackhole() -> None:
    """A listener whose backlog is full does not answer at all."""
    report = interrupts("connecting_to_a_blackhole")
    assert_free(report)
    assert report["phase"] == "connecting"


def test_while_tls_is_not_answered() -> None:
    """The connection stands, and nobody speaks TLS."""
    report = interrupts("tls_is_not_answered")
    assert_free(report)
    assert report["phase"] == "connecting"


def test_while_a_large_upload_stands_still() -> None:
    """The server stops reading: it never gets the whole request, so nothing can be charged."""
    report = interrupts("a_large_upload_stands_still")
    assert_free(report)
    assert report["phase"] == "sending"
    assert 0 < report["got"] < report["total"]


def test_while_waiting_for_the_answer() -> None:
    """Sent whole: it runs on, and its result is kept."""
    report = interrupts("waiting_for_the_answer")
    assert_kept(report)
    assert report["phase"] == "sent"


def test_while_an_unaccepting_server_has_it_all() -> None:
    """The kernel takes the whole request for a server that never accepts: nobody knows what becomes of it."""
    report = interrupts("an_unaccepting_server_has_it_all")
    assert "client.collect()" in note(report), report
    assert report["charge"] == "unknown"
    assert report["kept"] == ["OutcomeUnknownError"]


def test_while_the_body_comes() -> None:
    report = interrupts("the_body_comes")
    assert_kept(report)
    assert report["phase"] == "head_received"


def test_while_the_body_goes_to_a_file(tmp_path: Path) -> None:
    """The file is written all the same, whole and under the name that was asked for."""
    target = tmp_path / "picture.png"
    report = interrupts("the_body_goes_to_a_file", str(target))
    assert_kept(report)
    assert report["early"] is False
    assert target.read_bytes().endswith(b"IEND\xaeB`\x82")
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


def test_while_the_picture_is_downloaded() -> None:
    report = interrupts("the_picture_is_downloaded")
    assert_kept(report)
    assert report["phase"] == "body_complete"
    assert report["charge"] == "charged"


def test_between_two_attempts() -> None:
    """Refused with 429 and told to wait half a minute."""
    report = interrupts("between_two_attempts")
    assert report["charge"] == "not_charged" and report["cause"] == "cancelled"
    assert report["kept"] == [] and report["charges"] == 0 and len(report["arrived"]) == 1
    assert "collect" not in note(report)


def test_while_fetching() -> None:
    """A download is free and can be repeated."""
    report = interrupts("fetching")
    assert report["fetched"] == "png" and report["charges"] == 1 and report["kept"] == []
    assert "nothing was charged" in note(report) and "nothing had been sent" not in note(report)


def test_while_asking_for_the_balance() -> None:
    report = interrupts("asking_for_the_balance")
    assert "nothing was charged" in note(report) and "nothing had been sent" not in note(report)
    assert report["kept"] == []


def test_while_draining() -> None:
    """What is waited for may be paid, so nobody may read here that nothing was charged."""
    report = interrupts("draining")
    assert report["charges"] == 1 and report["kept"] == ["Generated"], report
    said = " ".join(report["notes"])
    assert "nothing had been sent" not in said and "nothing was charged" not in said, said


def test_while_the_ledger_settles() -> None:
    """The ledger waits for the answer that is being held back; so does `stop`, which must still stop it."""
    # Calls remain only if the emulator was not stopped, and then that is the error to report.
    report = interrupts("the_ledger_settles", leaves_calls=True)
    assert report["stopped"], "stop() left the emulator's port open"
    assert report["caller"] == ["OutcomeUnknownError"], report


def test_in_asyncio_run() -> None:
    """asyncio.run cancels the main task; its CancelledError has the note, and is what the interrupt came from."""
    report = interrupts("in_asyncio_run")
    assert_kept(report)


def test_an_aborted_call_is_not_said_to_be_kept() -> None:
    """`on_cancel="abort"` gives it up: it may be paid, and nobody collects it."""
    report = interrupts("an_aborted_call")
    assert report["charge"] == "unknown" and report["charges"] == 1
    assert report["kept"] == []
    assert "nothing was charged" not in note(report)
    assert "collect" not in note(report), note(report)


def test_a_handler_of_ones_own() -> None:
    """Whatever a signal's handler raises comes through as it is, with the note: here a timeout of one's own."""
    report: dict[str, Any] = run("interrupts.py", "a_handler_of_ones_own").report()
    assert_kept(report)


def test_a_handler_that_fails_with_an_error_of_this_library() -> None:
    """The handler asks for the balance, in vain. The call that it came upon is given up like any other, and is kept."""
    report: dict[str, Any] = run("interrupts.py", "a_handler_that_fails_with_our_error").report(leaves_calls=True)
    assert report["charges"] == 1 and report["inside"] == 1, report
    assert "client.collect()" in note(report), report


def test_a_signal_that_raises_nothing() -> None:
    """A handler that only takes notice does not disturb the call."""
    report: dict[str, Any] = run("interrupts.py", "a_signal_that_raises_nothing").report()
    assert report["format"] == "png" and report["seen"] == 5 and report["charges"] == 1 and report["kept"] == []


@pytest.mark.parametrize("rounds", [400])
def test_racing_with_the_end(rounds: int) -> None:
    """Interrupts at random moments of a call: its result is returned or collected, never lost, never both."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    report = run("interrupts.py", "racing_with_the_end", str(seed), str(rounds)).report()
    print(report)
    assert report["returned"] + report["collected"] == report["charges"]
    # Without some of each kind there was no race.
    assert report["returned"] > 0 and report["returned"] < rounds


def judge(name: str, *arguments: str) -> dict[str, Any]:
    """Runs a function of every_moment.py, which must have nothing to complain of."""
    report: dict[str, Any] = run("every_moment.py", name, *arguments).report()
    print(f"{report['moments']} moments", *report["complaints"], sep="\n")
    assert report["complaints"] == []
    return report


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({}, id="returned"),
        pytest.param({"cdn": {"status": 403, "times": 9}}, id="download failed"),
        pytest.param({"cut_response": {"after": 17, "cut": "rst"}}, id="outcome unknown"),
    ],
)
def test_at_every_moment(fault: dict[str, Any]) -> None:
    """No moment of a call loses what was paid for, and no note says that nothing was charged when something was."""
    assert judge("of_a_call", json.dumps(fault))["moments"] > 10


def test_at_every_moment_of_a_watched_call() -> None:
    assert judge("of_a_watched_call")["moments"] > 10


@pytest.mark.parametrize("fault", [{}, {"cdn": {"status": 403, "times": 9}}])
def test_at_every_moment_by_a_handler_that_fails(fault: dict[str, Any]) -> None:
    """What a signal's handler raises may be an error of this library, from another call: it is not this call's own."""
    assert judge("by_a_handler_that_fails", json.dumps(fault))["moments"] > 10


def test_at_every_moment_after_an_interrupt() -> None:
    """An impatient second Ctrl-C, while the first one is being explained, loses nothing either."""
    assert judge("after_an_interrupt")["moments"] > 1


def test_at_every_moment_of_collecting() -> None:
    """What `collect` was about to hand over when it was interrupted is handed over the next time."""
    report = judge("of_collecting")
    assert report["moments"] > 1
    # The first round warms up, and the last one finds no further moment.
    assert report["charges"] == 2 * (report["moments"] + 2)
