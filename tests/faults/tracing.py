"""strace, attached to a waiting command: lists system calls on the target's files, or makes them fail."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

# The system calls that a save may make, and how each can fail: the error, and "+" where a full disk stays full.
AFTER_PAYING: dict[str, list[tuple[str, str]]] = {
    "openat": [("EIO", ""), ("ENOSPC", "")],
    "write": [("EIO", ""), ("ENOSPC", "+")],
    "lseek": [("EIO", "")],
    "read": [("EIO", "")],
    "ftruncate": [("EIO", "")],
    "fsync": [("EIO", ""), ("ENOSPC", "")],
    "renameat2": [("EIO", ""), ("ENOSPC", "+"), ("EINVAL", "+")],
    "rename": [("EIO", ""), ("ENOSPC", "+")],
    "renameat": [("EIO", ""), ("ENOSPC", "+")],
    "link": [("EIO", ""), ("ENOSPC", "+")],
    "linkat": [("EIO", ""), ("ENOSPC", "+")],
    "unlink": [("EIO", "")],
    "unlinkat": [("EIO", "")],
    "close": [("EIO", "")],
}
LOG = "strace.log"


def can_trace() -> str | None:
    """Why nothing can be traced here."""
    if sys.platform != "linux":
        return "there is no strace but on Linux"
    if not shutil.which("strace"):
        return "strace is not installed"
    sleeping = subprocess.Popen(["sleep", "60"])
    words = ["strace", "-p", str(sleeping.pid)]
    tried = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert tried.stderr is not None
        said = tried.stderr.readline().strip()
        return None if "attached" in said else f"one process may not trace another here ({said})"
    finally:
        sleeping.kill()
        sleeping.wait()
        tried.wait()


def attach(pid: int, folder: Path, faults: Sequence[str], paths: Sequence[Path] = ()) -> subprocess.Popen[str]:
    """Attaches to all threads of a process; returns once that is done."""
    names = ",".join(fault.partition(":")[0] for fault in faults) or ",".join(AFTER_PAYING)
    # Calls that this architecture does not have are left out.
    words = ["strace", "-f", "-p", str(pid), "-o", str(folder / LOG), "-e", "trace=?" + names.replace(",", ",?")]
    for fault in faults:
        words += ["-e", f"inject={fault}"]
    for path in paths:
        words += ["-P", str(path)]
    trace = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert trace.stderr is not None
    while line := trace.stderr.readline():
        if "attached" in line:
            return trace
        if "Requested path" not in line:
            raise AssertionError(f"strace: {line.strip()}")
    raise AssertionError("strace ended")


def injected(folder: Path) -> bool:
    """Whether a call was made to fail."""
    return "(INJECTED)" in (folder / LOG).read_text("utf-8", "replace")


def listed(folder: Path) -> Counter[str]:
    """How often each call was made by the thread that made most of them: strace counts by thread."""
    calls: dict[str, Counter[str]] = {}
    for line in (folder / LOG).read_text("utf-8", "replace").splitlines():
        if found := re.match(r"(\d+) +(\w+)\(", line):
            calls.setdefault(found[1], Counter())[found[2]] += 1
    return max(calls.values(), key=lambda counts: counts.total(), default=Counter())
