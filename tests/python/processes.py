"""Runs programs in processes of their own, with a time limit. If one fails, all of its output is shown."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# The folder of the programs, which is also where they import shared modules from.
PROGRAMS = HERE / "programs"
IMPORTS = os.pathsep.join([str(PROGRAMS), str(HERE)])

# Every warning is an error in these processes, too. After a timeout, Python prints where each thread was.
STRICT = ("-W", "error", "-X", "faulthandler")
# Python 3.12 and later warn of every fork of a process that has threads, which is what is tested. No other warning is
# hidden.
FORKS = ("-W", "ignore:This process:DeprecationWarning")
# The lines that a process prints when it ends while calls are in flight, or with results that were not collected.
LEFT = re.compile(
    "the interpreter ends (?:while calls are on their way that may be paid"
    "|with results that may be paid and nobody collected): "
    "(gptimage-[0-9a-f]{32}(?:, gptimage-[0-9a-f]{32})*)\n"
)


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str
    seconds: float

    def __str__(self) -> str:
        return f"code {self.code} after {self.seconds:.1f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}"

    @property
    def left(self) -> list[str]:
        """The ids of calls of which it said at its end that they may be paid and are lost."""
        return [name for line in LEFT.finditer(self.err) for name in line[1].split(", ")]

    def quiet(self, code: int = 0, *, leaves_calls: bool = False) -> Ended:
        """Asserts how it ended, and that it had nothing to complain of."""
        assert self.code == code, f"expected code {code}: {self}"
        err = LEFT.sub("", self.err) if leaves_calls else self.err
        assert err == "", f"expected no word on stderr: {self}"
        return self

    def report(self, *, leaves_calls: bool = False) -> Any:
        """The JSON on its last line, which is what it found out."""
        lines = self.quiet(leaves_calls=leaves_calls).out.splitlines()
        assert lines, f"it said nothing: {self}"
        return json.loads(lines[-1])


class Running:
    """A program on its way, with the processes that it may have started."""

    def __init__(self, program: Path, *arguments: str, flags: tuple[str, ...] = (), **environment: str) -> None:
        self._started = time.monotonic()
        # In a session of its own, so that any processes it leaves behind can be ended with it.
        self.process = subprocess.Popen(
            [sys.executable, *STRICT, *flags, str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": IMPORTS, **environment},
            start_new_session=True,
        )

    def end(self, limit: float = 60) -> Ended:
        """Waits for it, and for everything that holds its output; fails when the time is up."""
        out, err, late = "", "", False
        try:
            out, err = self.process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            late = True
            self.process.send_signal(signal.SIGABRT)
            try:
                out, err = self.process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                pass
        finally:
            self.kill()
        if late and not out and not err:
            out, err = self.process.communicate()
        ended = Ended(self.process.returncode, out, err, time.monotonic() - self._started)
        assert not late, f"still running, or a child of it, after {limit} s: {ended}"
        return ended

    def kill(self) -> None:
        """Ends it and its children."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def run(program: str, *arguments: str, limit: float = 60, flags: tuple[str, ...] = (), **environment: str) -> Ended:
    """Runs a program of `programs` to its end."""
    return Running(PROGRAMS / program, *arguments, flags=flags, **environment).end(limit)
