"""Shared by the tests of faults: a report with a line for each test, and a running emulator with its records."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# The other files of this folder import it from here.
import install as install  # noqa: E402

T = TypeVar("T")

KEY = "sk-faults"
# Nothing here takes this long; a process that does is stuck.
STUCK_AFTER = 60.0


class Report:
    """A line for each thing that was tried."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.passed = 0
        self.failed: list[str] = []
        self.skipped = 0
        self._began = time.monotonic()

    def line(self, name: str, failure: str | None, remark: str = "") -> None:
        print(f"{'passed ' if failure is None else 'FAILED '} {name}{remark and f': {remark}'}", flush=True)
        if failure is None:
            self.passed += 1
        else:
            self.failed.append(name)
            print("\n".join(f"    {line[:600]}" for line in failure.rstrip().splitlines()[:40]), flush=True)

    def skip(self, name: str, why: object) -> None:
        self.skipped += 1
        print(f"skipped {name}: {why}", flush=True)
        install.skipped(f"{self.name}: {name}", why)

    def end(self) -> int:
        for name in self.failed:
            print(f"failed: {name}")
        counts = f"{self.passed} passed, {len(self.failed)} failed, {self.skipped} skipped"
        print(f"{self.name}: {counts} ({time.monotonic() - self._began:.0f} s)")
        return 1 if self.failed else 0


class Emulator:
    """A running `gptimage emulator`. `prefix` runs it somewhere else, such as in a namespace."""

    def __init__(self, command: Path, *options: str, prefix: tuple[str, ...] = ()) -> None:
        self.prefix = prefix
        said = [*prefix, str(command), "emulator", "--json", "--key", KEY, *options]
        self.process = subprocess.Popen(said, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        addresses = json.loads(self.process.stdout.readline())
        self.base_url: str = addresses["base_url"]
        self.cdn_url: str = addresses["cdn_url"]
        self.control_url: str = addresses["control_url"]
        self.port = port_of(self.base_url)

    def ask(self, path: str, body: object = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with open_url(self.control_url + path, data) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def charges(self) -> int:
        return int(self.ask("/ledger?settled=true")["charges"])

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=STUCK_AFTER)
        finally:
            self.process.kill()


def port_of(url: str) -> int:
    return int(url.removeprefix("http://").split("/")[0].rsplit(":", 1)[1])


def open_url(url: str, body: bytes | None = None) -> HTTPResponse:
    """Nothing on loopback goes through a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    answer = opener.open(urllib.request.Request(url, body), timeout=STUCK_AFTER)
    assert isinstance(answer, HTTPResponse)
    return answer


def environment(base_url: str) -> dict[str, str]:
    """What the command gets to know."""
    named = {"AIMLAPI_KEY": KEY, "AIMLAPI_BASE_URL": base_url, "NO_PROXY": "*"}
    return {name: value for name, value in os.environ.items() if "proxy" not in name.lower()} | named


def wait_until(condition: Callable[[], T], what: str, timeout: float = STUCK_AFTER) -> T:
    """Waits until a condition is true, and returns its value. `timeout` in seconds."""
    end = time.monotonic() + timeout
    while not (met := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.002)
    return met
