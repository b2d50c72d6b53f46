"""What a run is told and what it says about itself, as `job.rs` and `process.rs` have it.

Imports as little as it can: every import is counted.
"""

from __future__ import annotations

import resource
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

PROMPT = "A T-Rex relaxing on a beach"
# Small calls: so many at once, and so many before those that count. `suite.rs` checks the latter.
IN_FLIGHT = 64
CALLS_BEFORE = 1_000


class Job:
    """What is to be done: where the server is without a path, where results go, and how many calls."""

    def __init__(self, url: str, folder: str, count: str) -> None:
        self.url, self.folder, self.count = url, folder, int(count)

    def picture(self, number: int) -> str:
        """The file of one result."""
        return f"{self.folder}/{number}.png"


class Idle:
    """A process that is set up, and what it had cost by then."""

    def __init__(self) -> None:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        self.cpu, self.kib = _cpu(), _status("VmRSS:")


def run(*ways: Callable[[Job], Idle | Coroutine[Any, Any, Idle]]) -> None:
    """Does the job that the arguments name, and prints what it cost."""
    _, name, *job = sys.argv
    idle = next(way for way in ways if way.__name__ == name)(Job(*job))
    if not isinstance(idle, Idle):
        import asyncio

        idle = asyncio.run(idle)
    above_idle = max(0, _status("VmHWM:") - idle.kib)
    print(_cpu(), idle.cpu, idle.kib, above_idle)


async def many(call: Callable[[], Awaitable[bytes]], count: int) -> None:
    """So many small calls, `IN_FLIGHT` of them at once. No file is left to check, so each picture is checked."""
    import asyncio

    async def some(numbers: range) -> None:
        for _ in numbers:
            picture = await call()
            if not (picture.startswith(b"\x89PNG") and picture.endswith(b"IEND\xaeB`\x82")):
                raise ValueError("a small call's result is no picture")

    await asyncio.gather(*(some(range(first, count, IN_FLIGHT)) for first in range(IN_FLIGHT)))


def _cpu() -> int:
    """CPU of all threads, user and system, since the process began, in microseconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round((usage.ru_utime + usage.ru_stime) * 1e6)


def _status(field: str) -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))
