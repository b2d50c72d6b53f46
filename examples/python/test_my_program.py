"""How a program that makes pictures is tested: without a key, without cost, with every failure on demand.

Run it with pytest. The fixture `gptimage_emulator` comes with gptimage. Each test has an emulator of its own, whose
bills are the worst that could be true: whatever arrives whole is charged.
"""

from pathlib import Path

import pytest

from gptimage import Client, Emulator, OutcomeUnknownError


def illustrate(client: Client, chapter: str, path: Path) -> str:
    """The program: it stands for yours."""
    generated = client.generate(f"An illustration for: {chapter}", save_to=path)
    return f"{path.name} for {generated.cost}"


def test_it_saves_a_picture(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    said = illustrate(gptimage_emulator.client(), "The beach", tmp_path / "beach.png")
    assert said == "beach.png for $0.0536705"
    assert (tmp_path / "beach.png").read_bytes().startswith(b"\x89PNG")
    assert gptimage_emulator.ledger[0].prompt == "An illustration for: The beach"


def test_it_tries_again_what_cost_nothing(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    gptimage_emulator.fault(answer={"status": 429, "headers": {"retry-after": "0"}})
    illustrate(gptimage_emulator.client(), "The beach", tmp_path / "beach.png")
    assert [entry.status for entry in gptimage_emulator.ledger] == [429, 200]


def test_it_pays_once_if_the_answer_is_lost(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    gptimage_emulator.fault(cut_response={"after": 17, "cut": "rst"})
    with pytest.raises(OutcomeUnknownError) as caught:
        illustrate(gptimage_emulator.client(), "The beach", tmp_path / "beach.png")
    assert caught.value.charge == "unknown"
    assert gptimage_emulator.charges == 1
    assert list(tmp_path.iterdir()) == [], "no half picture is left behind"
