"""The command as the wheel installs it: inside an interpreter, which must not prevent it from receiving signals."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gptimage import Emulator
from processes import PROGRAMS

SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
SCRIPT = Path(sys.executable).with_name("gptimage")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(billing="pessimistic") as emulator:
        yield emulator


def start(folder: Path, emulator: Emulator | None, *arguments: str, module: bool = False) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gptimage"] if module else [str(SCRIPT)]
    environment = {"PATH": "/usr/bin:/bin", "AIMLAPI_KEY": "sk-test"}
    if emulator is not None:
        environment["AIMLAPI_BASE_URL"] = emulator.url
    return subprocess.Popen(
        [sys.executable, str(PROGRAMS / "with_default_signals.py"), *command, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def is_listening(process: subprocess.Popen[str]) -> bool:
    """Whether the command has its own handlers: Python has none for SIGTERM."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) & 1 << (signal.SIGTERM - 1))


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err, err
    return process.returncode, out, err


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize("subcommand", ["fetch", "reconcile", "doctor"])
def test_the_free_subcommands_end_at_the_first_signal(
    tmp_path: Path, subcommand: str, number: signal.Signals, code: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        arguments = {"fetch": [f"{host}/a.png"], "reconcile": ["gptimage-1"], "doctor": []}[subcommand]
        process = start(tmp_path, None, subcommand, "--base-url", f"{host}/v1", *arguments, module=subcommand == "doctor")
        connection, _ = silent.accept()
        with connection:
            process.send_signal(number)
            ended, out, err = end(process)
    assert (ended, out) == (code, ""), err
    assert "nothing was charged" in err


@pytest.mark.skipif(sys.platform != "linux", reason="it is seen in /proc when the command listens")
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_reading_standard_input_ends_at_the_first_signal(
    tmp_path: Path, emulator: Emulator, number: signal.Signals, code: int
) -> None:
    process = start(tmp_path, emulator, "generate", "-")
    wait_until(lambda: is_listening(process), process)
    process.send_signal(number)
    process.wait(timeout=60)
    ended, _, err = end(process)
    assert ended == code, err
    assert "nothing was charged" in err
    assert emulator.connections == 0


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_paid_call_is_waited_for_until_a_second_signal(
    tmp_path: Path, emulator: Emulator, number: signal.Signals, code: int
) -> None:
    emulator.fault(delay="600s")
    process = start(tmp_path, emulator, "generate", "A T-Rex", "-o", "t-rex.png")
    wait_until(lambda: emulator.requests, process)
    [request] = emulator.requests
    sent_as = str(request.header("x-client-request-id"))
    assert process.stderr is not None
    assert process.stderr.readline() == f"gptimage: sending as {sent_as}\n"
    process.send_signal(number)
    said = process.stderr.readline()
    assert "may be paid" in said
    assert sent_as in said
    process.send_signal(number)
    ended, _, err = end(process)
    assert ended == code, err
    assert f"gptimage reconcile {sent_as}" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [number for number, _ in SIGNALS])
def test_the_emulator_ends_well(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, None, "emulator", "--json", module=True)
    assert process.stdout is not None
    assert "base_url" in json.loads(process.stdout.readline())
    process.send_signal(number)
    assert end(process) == (0, "", "")


def test_descriptors_that_are_closed_are_nobodys(tmp_path: Path, emulator: Emulator) -> None:
    """An interpreter leaves them closed, and a socket could take their place: what is said would be sent to the server."""
    run = [sys.executable, "-m", "gptimage", "generate", "A T-Rex"]

    def by_a_shell(*arguments: str, redirection: str) -> subprocess.CompletedProcess[str]:
        script = f"{shlex.join([*run, *arguments])} {redirection}"
        environment = {"AIMLAPI_KEY": emulator.key, "AIMLAPI_BASE_URL": emulator.url}
        return subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    for arguments in (["-o", "-"], ["--json"], ["-o", "a.png"]):
        refused = by_a_shell(*arguments, redirection="<&- >&-")
        assert (refused.returncode, emulator.connections) == (4, 0), refused
        assert "standard output cannot be written to" in refused.stderr
    made = by_a_shell("-o", "a.png", redirection="<&- 2>&-")
    assert made.returncode == 0, made
    assert made.stdout == f"{tmp_path / 'a.png'}\n"
    [request] = [request for request in emulator.requests if request.side == "api"]
    assert json.loads(request.body or b"")["prompt"] == "A T-Rex"
