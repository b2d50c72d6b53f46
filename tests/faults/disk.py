"""A disk that fails in the middle of a save: no paid image is lost, and no incomplete file gets a final name.

    tests/with-python tests/faults/disk.py target/debug/gptimage [SEED]

Runs the command against the emulator. Makes each system call of a save fail in turn, with EIO and with ENOSPC, by
strace; then uses file systems of every size that is too small; then a limit on file sizes, which causes real short
writes; then kill -9 at random moments. Tests that need strace or mounts are skipped, with a message, where these are
not available.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobs import EDIT, INLINE, JOBS, URL, Bench, Job, Run
from lab import Report, install
from tracing import AFTER_PAYING, attach, can_trace, injected, listed

PAGE = 4096
KILLS = 24
# Maximum tries of a case until the intended thread makes the intended call.
TRIES = 6
# Tells a child process that it runs in a mount namespace of its own.
OWN_MOUNTS = "--own-mounts"


def main() -> int:
    arguments = [argument for argument in sys.argv[1:] if argument != OWN_MOUNTS]
    command, seed = Path(arguments[0]).resolve(), int(arguments[1]) if len(arguments) > 1 else time.time_ns() % 2**32
    mounts = OWN_MOUNTS in sys.argv
    if not mounts and may_mount():
        os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv, OWN_MOUNTS])
    report = Report("disk")
    install.programs(strace="strace")
    with tempfile.TemporaryDirectory(prefix="disk-") as folder:
        bench = Bench(command, Path(folder))
        try:
            if (why := can_trace()) is None:
                before_paying(report, bench)
                for job in JOBS:
                    each_call_fails(report, bench, job)
            else:
                report.skip("system calls that fail", why)
            if mounts:
                small_file_systems(report, bench)
            else:
                report.skip("file systems that are full", "mounts of one's own are not allowed")
            limited_file_sizes(report, bench)
            killed(report, bench, seed)
        finally:
            bench.close()
    return report.end()


def may_mount() -> bool:
    """Whether a process can have mounts of its own here."""
    tried = ["unshare", "-m", "true"]
    return bool(shutil.which(tried[0])) and subprocess.run(tried, capture_output=True).returncode == 0


def before_paying(report: Report, bench: Bench) -> None:
    """The temporary file cannot be made: nothing is sent."""
    for errno in ("ENOSPC", "EIO"):
        with bench.run(INLINE, prompt_by_pipe=True) as run:
            run.wait_until_reading()
            trace = attach(run.process.pid, run.folder, [f"openat:error={errno}:when=1"])
            run.end_prompt()
            failure = run.judge()
            trace.wait()
            if not injected(run.folder):
                failure = "no call was made to fail"
            elif failure is None and run.charged:
                failure = "it was sent all the same"
            report.line(f"{INLINE.name}: openat before paying, {errno}", failure)


def each_call_fails(report: Report, bench: Bench, job: Job) -> None:
    """Every system call of the save, one after another."""
    with bench.run(job) as run:
        run.wait_until_held()
        trace = attach(run.process.pid, run.folder, [], paths=run.paths())
        run.let_go()
        failure = run.judge()
        trace.wait()
        calls = listed(run.folder)
    report.line(f"{job.name}: traced", failure, ", ".join(f"{count} {name}" for name, count in calls.items()))
    cases = [(name, f"error={errno}", f"{number}{onwards}")
             for name, count in calls.items()
             for number in range(1, count + 1)
             for errno, onwards in AFTER_PAYING[name]]
    for name, fault, when in cases:
        title = f"{job.name}: {name} number {when}, {fault.removeprefix('error=')}"
        for _ in range(TRIES):
            with bench.run(job) as run:
                run.wait_until_held()
                # The temporary file's name is not known before it is opened, so paths cannot be the filter; nothing
                # else opens files then.
                paths = () if name == "openat" and not job.hold_after else run.paths()
                trace = attach(run.process.pid, run.folder, [f"{name}:{fault}:when={when}"], paths=paths)
                run.let_go()
                failure = run.judge()
                trace.wait()
                struck = injected(run.folder)
            if struck or failure:
                break
        if struck or failure:
            # Threat: disk-broken
            report.line(title, failure, run.told)
        else:
            # strace counts per thread, and any idle thread may write the file.
            report.skip(title, "no thread made so many")


def small_file_systems(report: Report, bench: Bench) -> None:
    """The target's file system takes so many pages and no more; then so does every other that the command may use."""
    for job in JOBS:
        whole = -(-max(map(len, job.pictures)) // PAGE)
        for pages in sorted({1, 2, whole // 2, whole - 1, whole, whole + 1, 2 * whole - 1}):
            for everywhere in (False, True):
                with bench.run(job, file_system=pages * PAGE, full_everywhere=everywhere) as run:
                    run.let_go()
                    failure = run.judge()
                    where = "everywhere" if everywhere else "in the folder"
                    report.line(f"{job.name}: room for {pages} of {whole} pages {where}", failure, run.told)


def limited_file_sizes(report: Report, bench: Bench) -> None:
    """RLIMIT_FSIZE: a write is cut short, and the next one fails."""
    for job in JOBS:
        longest = max(map(len, job.pictures))
        for limit in (0, 1, 1000, PAGE, 256 * 1024, longest - 1, longest):
            def limited(limit: int = limit) -> None:
                # Inherited by the command: a write beyond the limit then fails with EFBIG.
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

            with bench.run(job, before_exec=limited) as run:
                run.let_go()
                report.line(f"{job.name}: files end after {limit} of {longest} bytes", run.judge(), run.told)


def killed(report: Report, bench: Bench, seed: int) -> None:
    """kill -9 while the answer is being saved: the final name is absent, or holds the whole picture."""
    rng = random.Random(seed)
    saves = {job.name: duration(bench, job) for job in JOBS}
    wholes, halves = 0, []
    for number in range(KILLS):
        job = (INLINE, URL, EDIT)[number % 3]
        after = rng.uniform(0, saves[job.name] * 1.1)
        with bench.run(job) as run:
            run.wait_until_held()
            run.let_go()
            time.sleep(after)
            run.process.send_signal(signal.SIGKILL)
            run.process.wait()
            found, problem = run.finals()
            wholes += len(found)
            if problem:
                halves.append(f"{job.name}, killed after {after:.4f} s: {problem}")
    failure = "\n".join(halves) if halves else None
    # Threat: half-a-picture
    report.line(f"kill -9 at {KILLS} moments", failure, f"seed {seed}; {wholes} whole pictures had their names by then")


def duration(bench: Bench, job: Job) -> float:
    """How long a save takes, from the answer on."""
    with bench.run(job) as run:
        run.wait_until_held()
        began = time.monotonic()
        run.let_go()
        assert (failure := run.judge()) is None, failure
        return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
