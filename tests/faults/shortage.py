"""A machine that is short of something when the response arrives: threads, descriptors, or time to run at all.

    tests/with-python tests/faults/shortage.py target/debug/gptimage target/debug/examples/scaled_call

The response is held back until the request is paid for. Then the process cannot start threads any more (strace makes
each `clone` fail), has no descriptor left, or is stopped for longer than its timers with the response in its socket.
The command keeps the threads that it needs; `scaled_call` is a program with a runtime of its own, which does not, and
with short timers. Tests that need strace are skipped, with a message, where it is not available.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

from jobs import INLINE, JOBS, URL, Bench, Job, Run
from lab import STUCK_AFTER, Report, install, wait_until
from tracing import attach, can_trace, injected

# Divides the timers: 3 s for a response's headers, 0.8 s for each further piece.
DIVISOR = 300
# Longer than both timers.
STOPPED_FOR = 4.0


def main() -> int:
    command, scaled_call = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    report = Report("shortage")
    install.programs(strace="strace")
    with tempfile.TemporaryDirectory(prefix="shortage-") as folder:
        bench = Bench(command, Path(folder))
        try:
            if (why := can_trace()) is None:
                for job in (INLINE, URL):
                    report.line(f"no thread can be started: {job.name}", *no_threads(bench, job))
                report.line("no thread can be started, and none is left", *no_threads(bench, INLINE, scaled_call))
            else:
                report.skip("no thread can be started", why)
            for job in JOBS:
                report.line(f"no descriptor is left: {job.name}", *no_descriptors(bench, job))
            for job in (INLINE, Job("generate inline, within the answer", INLINE.words, hold_after=400_000, pictures=INLINE.pictures)):
                report.line(f"stopped for longer than its timers: {job.name}", *stopped(bench, job, scaled_call))
        finally:
            bench.close()
    return report.end()


def no_threads(bench: Bench, job: Job, scaled_call: Path | None = None) -> tuple[str | None, str]:
    program = None if scaled_call is None else [str(scaled_call), "{base_url}", "{output}", "30"]
    with bench.run(job, program=program) as run:
        run.wait_until_held()
        if scaled_call is not None:
            # The runtime ends its idle file thread after a while.
            wait_until(lambda: len(os.listdir(f"/proc/{run.process.pid}/task")) == 1, "a runtime without threads", 30)
        trace = attach(run.process.pid, run.folder, ["clone:error=EAGAIN", "clone3:error=EAGAIN"])
        run.let_go()
        # Threat: short-machine
        problem = run.judge() or must_be_saved(run)
        trace.wait()
        if problem is None and scaled_call is not None and not injected(run.folder):
            problem = "no thread was asked for: the test tries nothing"
        return problem, run.told


def no_descriptors(bench: Bench, job: Job) -> tuple[str | None, str]:
    with bench.run(job) as run:
        run.wait_until_held()
        taken = {int(number) for number in os.listdir(f"/proc/{run.process.pid}/fd")}
        limit = min(set(range(len(taken) + 1)) - taken)
        resource.prlimit(run.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        run.let_go()
        # The judge looks for the image wherever the error says it is.
        # Threat: short-machine
        return run.judge(), run.told


def stopped(bench: Bench, job: Job, scaled_call: Path) -> tuple[str | None, str]:
    with bench.run(job, program=[str(scaled_call), "{base_url}", "{output}", str(DIVISOR)]) as run:
        assert run.relay.held.wait(STUCK_AFTER), "no answer came"
        run.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: state(run.process.pid) == "T", "a process that stands still")
        run.let_go()
        # There is no event to wait for: a timer has to expire.
        time.sleep(STOPPED_FOR)
        run.process.send_signal(signal.SIGCONT)
        # Threat: short-machine
        return run.judge() or must_be_saved(run), run.told


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def must_be_saved(run: Run) -> str | None:
    return None if run.told == "saved" else f"it is {run.told}, and should be saved"


if __name__ == "__main__":
    sys.exit(main())
