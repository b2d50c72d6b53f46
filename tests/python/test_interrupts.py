"""Ctrl-C: seen at once at every phase, says what the call may cost, and loses nothing that was paid for."""

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
    facts: dict[str, Any] = run("interrupts.py", name, *arguments).facts(leaves_calls=leaves_calls)
    print(f"{name}: KeyboardInterrupt after {facts['ms']:.0f} ms; {'; '.join(facts['notes'])}")
    # The call's own timeouts are 10 s and more: whatever ended the wait was the signal.
    assert facts["ms"] < 5000, facts
    # What is kept is handed over once.
    assert facts.get("again", 0) == 0, facts
    return facts


def note(facts: dict[str, Any]) -> str:
    """The one note."""
    assert len(facts["notes"]) == 1, facts
    text: str = facts["notes"][0]
    assert text.startswith("gptimage: "), facts
    return text


def assert_free(facts: dict[str, Any]) -> None:
    """The note says that nothing was charged, and that is true."""
    assert "nothing was charged" in note(facts), facts
    assert facts["charge"] in (None, "not_charged"), facts
    assert facts["kept"] == [], facts
    assert facts.get("charges", 0) == 0, facts


def assert_kept(facts: dict[str, Any]) -> None:
    """The note says that it may be paid and where to get it; it was paid once, and is there once."""
    assert "client.collect()" in note(facts), facts
    assert "nothing was charged" not in note(facts), facts
    assert facts["charge"] in ("unknown", "charged"), facts
    assert facts["kept"] == ["Generated"], facts
    assert facts["formats"] == ["png"], facts
    assert facts["charges"] == 1, facts


def test_while_a_slow_file_is_read() -> None:
    """Python reads it, so nothing has begun."""
    facts = interrupts("reading_a_slow_file")
    assert facts["charges"] == 0 and facts["kept"] == [] and facts["arrived"] == []


def test_while_pixels_are_encoded() -> None:
    """Sixteen pictures of noise take seconds to encode."""
    facts = interrupts("encoding_pixels")
    assert_free(facts)
    assert facts["connections"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="how a full backlog behaves is each system's own")
def test_while_connecting_to_a_blackhole() -> None:
    """A listener whose backlog is full does not answer at all."""
    facts = interrupts("connecting_to_a_blackhole")
    assert_free(facts)
    assert facts["phase"] == "connecting"


def test_while_tls_is_not_answered() -> None:
    """The connection stands, and nobody speaks TLS."""
    facts = interrupts("tls_is_not_answered")
    assert_free(facts)
    assert facts["phase"] == "connecting"


def test_while_a_large_upload_stands_still() -> None:
    """The server stops reading: it never gets the whole request, so nothing can be charged."""
    facts = interrupts("a_large_upload_stands_still")
    assert_free(facts)
    assert facts["phase"] == "sending"
    assert 0 < facts["got"] < facts["total"]


def test_while_waiting_for_the_answer() -> None:
    """Sent whole: it runs on, and its result is kept."""
    facts = interrupts("waiting_for_the_answer")
    assert_kept(facts)
    assert facts["phase"] == "sent"


def test_while_an_unaccepting_server_has_it_all() -> None:
    """The kernel takes the whole request for a server that never accepts: nobody knows what becomes of it."""
    facts = interrupts("an_unaccepting_server_has_it_all")
    assert "client.collect()" in note(facts), facts
    assert facts["charge"] == "unknown"
    assert facts["kept"] == ["OutcomeUnknownError"]


def test_while_the_body_comes() -> None:
    facts = interrupts("the_body_comes")
    assert_kept(facts)
    assert facts["phase"] == "head_received"


def test_while_the_body_goes_to_a_file(tmp_path: Path) -> None:
    """The file is written all the same, whole and under the name that was asked for."""
    target = tmp_path / "picture.png"
    facts = interrupts("the_body_goes_to_a_file", str(target))
    assert_kept(facts)
    assert facts["early"] is False
    assert target.read_bytes().endswith(b"IEND\xaeB`\x82")
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


def test_while_the_picture_is_downloaded() -> None:
    facts = interrupts("the_picture_is_downloaded")
    assert_kept(facts)
    assert facts["phase"] == "body_complete"
    assert facts["charge"] == "charged"


def test_between_two_attempts() -> None:
    """Refused with 429 and told to wait half a minute."""
    facts = interrupts("between_two_attempts")
    assert facts["charge"] == "not_charged" and facts["cause"] == "cancelled"
    assert facts["kept"] == [] and facts["charges"] == 0 and len(facts["arrived"]) == 1
    assert "collect" not in note(facts)


def test_while_fetching() -> None:
    """A download is free and can be repeated."""
    facts = interrupts("fetching")
    assert facts["fetched"] == "png" and facts["charges"] == 1 and facts["kept"] == []
    assert "nothing was charged" in note(facts) and "nothing had been sent" not in note(facts)


def test_while_asking_for_the_balance() -> None:
    facts = interrupts("asking_for_the_balance")
    assert "nothing was charged" in note(facts) and "nothing had been sent" not in note(facts)
    assert facts["kept"] == []


def test_while_draining() -> None:
    """What is waited for may be paid, so nobody may read here that nothing was charged."""
    facts = interrupts("draining")
    assert facts["charges"] == 1 and facts["kept"] == ["Generated"], facts
    said = " ".join(facts["notes"])
    assert "nothing had been sent" not in said and "nothing was charged" not in said, said


def test_while_the_ledger_settles() -> None:
    """The ledger waits for the answer that is being held back; so does `stop`, which must still stop it."""
    # Calls are left only where the emulator was not stopped, which is what is reported then.
    facts = interrupts("the_ledger_settles", leaves_calls=True)
    assert facts["stopped"], "stop() left the emulator's port open"
    assert facts["caller"] == ["OutcomeUnknownError"], facts


def test_in_asyncio_run() -> None:
    """asyncio.run cancels the main task; its CancelledError has the note, and is what the interrupt came from."""
    facts = interrupts("in_asyncio_run")
    assert_kept(facts)


def test_an_aborted_call_is_not_said_to_be_kept() -> None:
    """`on_cancel="abort"` gives it up: it may be paid, and nobody collects it."""
    facts = interrupts("an_aborted_call")
    assert facts["charge"] == "unknown" and facts["charges"] == 1
    assert facts["kept"] == []
    assert "nothing was charged" not in note(facts)
    assert "collect" not in note(facts), note(facts)


def test_a_handler_of_ones_own() -> None:
    """Whatever a signal's handler raises comes through as it is, with the note: here a timeout of one's own."""
    facts: dict[str, Any] = run("interrupts.py", "a_handler_of_ones_own").facts()
    assert_kept(facts)


def test_a_handler_that_fails_with_an_error_of_this_library() -> None:
    """The handler asks for the balance, in vain. The call that it came upon is given up like any other, and is kept."""
    facts: dict[str, Any] = run("interrupts.py", "a_handler_that_fails_with_our_error").facts(leaves_calls=True)
    assert facts["charges"] == 1 and facts["inside"] == 1, facts
    assert "client.collect()" in note(facts), facts


def test_a_signal_that_raises_nothing() -> None:
    """A handler that only takes notice does not disturb the call."""
    facts: dict[str, Any] = run("interrupts.py", "a_signal_that_raises_nothing").facts()
    assert facts["format"] == "png" and facts["seen"] == 5 and facts["charges"] == 1 and facts["kept"] == []


@pytest.mark.parametrize("rounds", [400])
def test_racing_with_the_end(rounds: int) -> None:
    """Interrupts at random moments of a call: its result is returned or collected, never lost, never both."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    facts = run("interrupts.py", "racing_with_the_end", str(seed), str(rounds)).facts()
    print(facts)
    assert facts["returned"] + facts["collected"] == facts["charges"]
    # Of both kinds there were some, or nothing raced.
    assert facts["returned"] > 0 and facts["returned"] < rounds


def judge(name: str, *arguments: str) -> dict[str, Any]:
    """Runs a function of every_moment.py, which must have nothing to complain of."""
    facts: dict[str, Any] = run("every_moment.py", name, *arguments).facts()
    print(f"{facts['moments']} moments", *facts["complaints"], sep="\n")
    assert facts["complaints"] == []
    return facts


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
    facts = judge("of_collecting")
    assert facts["moments"] > 1
    # The first round warms up, and the last finds no more moment.
    assert facts["charges"] == 2 * (facts["moments"] + 2)
