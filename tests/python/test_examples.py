"""The programs in examples/python: each runs unchanged on an emulator and does what it says."""

from __future__ import annotations

import difflib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gptimage import Emulator, Image

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "python"

TESTED = {
    "edit_with_a_mask.py",
    "many_at_once.py",
    "openai_compatible.py",
    "quickstart.py",
    "test_my_program.py",
    "what_did_it_cost.py",
}


def start(emulator: Emulator, folder: Path, name: str, *args: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "AIMLAPI_KEY": emulator.key, "AIMLAPI_BASE_URL": emulator.url, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *args],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell makes background processes ignore Ctrl-C, which their children inherit.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def run(emulator: Emulator, folder: Path, name: str, *args: str) -> str:
    """What the program says on stdout; it ends well, and says nothing on stderr."""
    program = start(emulator, folder, name, *args)
    stdout, stderr = program.communicate(timeout=30)
    assert (program.returncode, stderr) == (0, ""), stdout + stderr
    return stdout


def until(true: Callable[[], bool]) -> None:
    """Waits until it is, for half a minute at most."""
    last = time.monotonic() + 30
    while not true():
        assert time.monotonic() < last, "this never came to be"
        time.sleep(0.01)


def paid_calls(emulator: Emulator) -> int:
    """Those that have arrived so far, whether they are answered or not."""
    return sum(request.method == "POST" for request in emulator.requests)


def test_every_example_is_tested_and_short() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == TESTED
    for name in TESTED:
        lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 50 and max(map(len, lines)) <= 120, name


def test_quickstart(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    stdout = run(gptimage_emulator, tmp_path, "quickstart.py")
    beach = Image.from_file(tmp_path / "t-rex.png")
    assert (beach.format, beach.width, beach.height) == ("png", 1536, 1024)
    crowned = [tmp_path / f"crowned-{number}.png" for number in (1, 2, 3)]
    assert sorted(tmp_path.iterdir()) == [*crowned, tmp_path / "t-rex.png"]
    assert [line.split()[0] for line in stdout.splitlines()[:4]] == list(map(str, [tmp_path / "t-rex.png", *crowned]))
    first, second = gptimage_emulator.ledger
    assert (first.operation, second.operation, second.input_images, second.images) == ("generate", "edit", 1, 3)
    assert first.charge and second.charge
    assert stdout.splitlines()[0].endswith(f" ${first.charge['usd']}")
    assert stdout.splitlines()[4] == f"${second.charge['usd']}"


def test_edit_with_a_mask(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    stdout = run(gptimage_emulator, tmp_path, "edit_with_a_mask.py")
    assert stdout.splitlines()[0] == "Mask(1536x1024, 46.9 % editable)"
    storm = Image.from_file(tmp_path / "storm.png")
    assert (storm.width, storm.height) == (1536, 1024)
    assert [entry.operation for entry in gptimage_emulator.ledger] == ["generate", "edit"]

    # With the user's own photo, the part below the mask's box must stay unchanged.
    photo = gptimage_emulator.client().generate("A harbour", size="1536x1024", save_to=tmp_path / "photo.png").image
    (tmp_path / "storm.png").unlink()
    run(gptimage_emulator, tmp_path, "edit_with_a_mask.py", "photo.png")
    storm = Image.from_file(tmp_path / "storm.png")
    assert (storm.to_numpy()[480:] == photo.to_numpy()[480:]).all()
    assert (storm.to_numpy()[:480] != photo.to_numpy()[:480]).any()
    assert gptimage_emulator.charges == 4


def test_many_at_once(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    woodcuts = tmp_path / "woodcuts"
    gptimage_emulator.fault(answer={"status": 400}, on_call=3)
    gptimage_emulator.fault(cut_response={"after": 17, "cut": "rst"}, on_call=6)
    stdout = run(gptimage_emulator, tmp_path, "many_at_once.py")
    assert len(stdout.splitlines()) == 10
    assert len(list(woodcuts.glob("*.png"))) == 8
    (note,) = woodcuts.glob("*.txt")
    assert gptimage_emulator.ledger[5].client_request_id in note.read_text().split()
    assert gptimage_emulator.charges == 9

    # Only failures that were free are repeated; calls that may be charged are left for the user to look up.
    run(gptimage_emulator, tmp_path, "many_at_once.py")
    assert (len(gptimage_emulator.ledger), gptimage_emulator.charges) == (11, 10)
    note.unlink()
    run(gptimage_emulator, tmp_path, "many_at_once.py")
    assert (len(gptimage_emulator.ledger), gptimage_emulator.charges) == (12, 11)
    assert len(list(woodcuts.iterdir())) == 10


def test_many_at_once_and_ctrl_c(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    gptimage_emulator.set(latency="700ms")
    program = start(gptimage_emulator, tmp_path, "many_at_once.py")
    until(lambda: paid_calls(gptimage_emulator) == 4)
    program.send_signal(signal.SIGINT)
    _, stderr = program.communicate(timeout=30)
    assert program.returncode == -signal.SIGINT and stderr.rstrip().endswith("KeyboardInterrupt")
    # Calls that had been sent were waited for and saved; no other call was started.
    assert gptimage_emulator.charges == len(gptimage_emulator.ledger) == 4
    assert len(list((tmp_path / "woodcuts").iterdir())) == 4


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (None, "paid $0.0536705 for (Image(png 1024x1024"),
        ({"answer": {"status": 400}}, "nothing was spent, it may be tried again: "),
        ({"cut_response": {"after": 17, "cut": "rst"}}, "look up ['gptimage-"),
        ({"cdn": {"status": 403}}, "paid, and this is what there is: Generated([Image(not fetched"),
    ],
)
def test_what_did_it_cost(
    gptimage_emulator: Emulator, tmp_path: Path, fault: dict[str, object] | None, said: str
) -> None:
    if fault is not None:
        gptimage_emulator.fault(fault)
    before, outcome, after = run(gptimage_emulator, tmp_path, "what_did_it_cost.py").splitlines()
    assert outcome.startswith(said)
    charged = gptimage_emulator.charges == 1
    assert (before.removeprefix("before: ") != after.removeprefix("after: ")) is charged
    assert list(tmp_path.iterdir()) == []


def test_what_did_it_cost_after_a_deadline(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    gptimage_emulator.set(latency="1500ms")
    lines = run(gptimage_emulator, tmp_path, "what_did_it_cost.py", "0.5").splitlines()
    assert lines[1].startswith("look up ['gptimage-") and "the deadline passed" in lines[1]
    assert lines[2].startswith("collected later: Generated([Image(png 1024x1024")
    assert gptimage_emulator.charges == 1


def test_what_did_it_cost_after_ctrl_c(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    gptimage_emulator.set(latency="700ms")
    program = start(gptimage_emulator, tmp_path, "what_did_it_cost.py")
    until(lambda: paid_calls(gptimage_emulator) == 1)
    program.send_signal(signal.SIGINT)
    stdout, stderr = program.communicate(timeout=30)
    assert (program.returncode, stderr) == (0, "")
    lines = stdout.splitlines()
    assert lines[1].startswith("stopped: gptimage: cancelled after the request was sent")
    assert lines[2].startswith("collected later: Generated([Image(png 1024x1024")
    assert gptimage_emulator.charges == 1


def test_openai_compatible(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    client = gptimage_emulator.client()
    for name in ("t-rex", "crown"):
        client.generate(f"A {name}", save_to=tmp_path / f"{name}.png")
    environment = {"AIMLAPI_KEY": gptimage_emulator.key, "AIMLAPI_BASE_URL": gptimage_emulator.url}
    program = subprocess.run(
        # It leaves files open, like the documentation's example.
        [sys.executable, str(EXAMPLES / "openai_compatible.py")],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert (program.returncode, program.stderr) == (0, "")
    printed = json.loads(program.stdout)
    assert program.stdout == json.dumps(printed, indent=2, ensure_ascii=False) + "\n"
    assert printed["data"][0]["url"].startswith(gptimage_emulator.cdn_url)
    assert gptimage_emulator.ledger[-1].input_images == 2
    assert gptimage_emulator.ledger[-1].prompt == "Put the crown on the T-rex's head"


def test_openai_compatible_is_the_documentations_own() -> None:
    theirs = (ROOT / "tests" / "outside" / "edit_openai.py").read_text(encoding="utf-8").splitlines()
    ours = (EXAMPLES / "openai_compatible.py").read_text(encoding="utf-8").splitlines()
    # A comment above the imports is for mypy.
    ours = [line for line in ours if not line.startswith("# mypy: ")]
    differ = [line for line in difflib.ndiff(theirs, ours) if line[0] in "-+"]
    assert differ == ["- from openai import OpenAI", "+ from gptimage import Client as OpenAI"]


def test_the_pytest_example(tmp_path: Path) -> None:
    program = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLES / "test_my_program.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert program.returncode == 0, program.stdout + program.stderr
    assert re.search(r"^3 passed", program.stdout, re.M), program.stdout
