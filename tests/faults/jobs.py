"""Calls of the command whose responses are held back, and the judge of their results."""

from __future__ import annotations

import base64
import fcntl
import json
import shutil
import subprocess
import tempfile
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import STUCK_AFTER, Emulator, environment, open_url, wait_until
from relay import Relay

PROMPT = "A T-Rex relaxing on a beach"


@dataclass(eq=False)
class Job:
    """A call, and the pictures that it makes every time."""

    name: str
    words: list[str]
    # Whether the image is at a URL, and how many of its bytes pass before the rest is held back.
    by_url: bool = False
    hold_after: int = 0
    with_input: bool = False
    pictures: list[bytes] = field(default_factory=list)


INLINE = Job("generate inline", ["generate", PROMPT, "--response-format", "b64_json"])
URL = Job("generate by url", ["generate", PROMPT], by_url=True)
# Enough bytes that the output file was started and has a name that can be given to strace.
URL_BEGUN = Job("generate by url, file begun", ["generate", PROMPT], by_url=True, hold_after=400_000)
EDIT = Job("edit inline, two pictures", ["edit", PROMPT, "--n", "2", "--response-format", "b64_json"], with_input=True)
JOBS = [INLINE, URL, URL_BEGUN, EDIT]


class Run:
    """One run of the command: its process, its folders, and what it came to."""

    def __init__(self, bench: Bench, job: Job, relay: Relay, folder: Path, words: list[str], **options: Any) -> None:
        self.bench, self.job, self.relay, self.folder = bench, job, relay, folder
        self.output = folder / "out"
        self.here = folder / "here"
        self.charges_before = bench.emulator.charges()
        self.charged = 0
        self.told = ""
        self.process = subprocess.Popen(words, cwd=self.here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def wait_until_reading(self) -> None:
        """The command has begun, for it reads its prompt."""
        assert self.process.stdin is not None
        self.process.stdin.write(PROMPT.encode())
        self.process.stdin.flush()
        pipe = self.process.stdin.fileno()
        unread = bytes(4)
        wait_until(lambda: fcntl.ioctl(pipe, termios.FIONREAD, unread) == unread, "a reader of the prompt")

    def end_prompt(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None
        self.relay.go.set()

    def wait_until_held(self) -> None:
        assert self.relay.held.wait(STUCK_AFTER), "no answer came"
        if self.job.hold_after:
            wait_until(lambda: any(part.stat().st_size for part in self.parts()), "a file that was begun")

    def let_go(self) -> None:
        self.relay.go.set()

    def parts(self) -> list[Path]:
        return sorted(self.folder.glob("**/*.part"))

    def names(self) -> list[Path]:
        if len(self.job.pictures) == 1:
            return [self.output / "t-rex.png"]
        return [self.output / f"t-rex-{number}.png" for number in range(1, len(self.job.pictures) + 1)]

    def paths(self) -> list[Path]:
        """The target's files, as they are now and will be."""
        return [self.output, *self.parts(), *self.names()]

    def finals(self) -> tuple[list[bytes], str | None]:
        """The pictures under final names; and what is wrong there."""
        found = [path.read_bytes() for path in sorted(self.output.iterdir()) if path.suffix == ".png"]
        half = [len(picture) for picture in found if picture not in self.job.pictures]
        return found, f"half a file of {half} bytes has a final name" if half else None

    def judge(self) -> str | None:
        """Waits for the end; says what is wrong with it."""
        try:
            stdout, stderr = self.process.communicate(timeout=STUCK_AFTER)
        except subprocess.TimeoutExpired:
            return f"it did not end in {STUCK_AFTER} s"
        code, said = self.process.returncode, stderr.decode(errors="replace")
        problem = self._problem(code, stdout, said)
        return problem and f"{problem}\nexit code {code}\n{said}{stdout.decode(errors='replace')[:2000]}"

    def _problem(self, code: int, stdout: bytes, stderr: str) -> str | None:
        if code < 0 or code in (70, 101):
            return "it crashed"
        if parts := self.parts():
            return f"temporary files are left: {parts}"
        self.charged = self.bench.emulator.charges() - self.charges_before
        finals, problem = self.finals()
        if problem:
            return problem
        if self.charged > 1:
            return f"it was paid {self.charged} times"
        answer = json.loads(stdout)
        if not self.charged:
            self.told = "not sent"
            is_said = code != 0 and answer["error"]["charge"] == "not_charged"
            return None if is_said else "nothing was charged, and it says otherwise"
        if code == 0:
            self.told = "saved"
            named = [Path(image["path"]).read_bytes() for image in answer["images"] if image["path"]]
            return None if named == self.job.pictures == finals else "it says that all is well, and it is not"
        error = answer["error"]
        if error["charge"] != "charged":
            return f"it was charged, and is called {error['charge']}"
        if not any(attempt["client_request_id"] in stderr for attempt in error["attempts"]):
            return "the id of what was paid for is not told"
        places = {"named": finals}
        places["elsewhere"] = [Path(path).read_bytes() for path in answer["saved"]]
        places["in its output"] = [base64.b64decode(picture["b64_json"]) for picture in answer["unsaved"]]
        images = (error.get("generated") or {}).get("images", [])
        places["at its url"] = [fetched(image["url"]) for image in images if image["url"]]
        self.told = f"{error['kind']}; " + ", ".join(place for place, pictures in places.items() if pictures)
        lost = [len(picture) for picture in self.job.pictures if not any(picture in there for there in places.values())]
        return f"pictures of {lost} bytes are lost" if lost else None


def fetched(url: str) -> bytes:
    with open_url(url) as answer:
        return answer.read()


class Bench:
    """The emulator, and a folder for each run."""

    def __init__(self, command: Path, folder: Path) -> None:
        self.command, self.folder = command, folder
        self.emulator = Emulator(command)
        self.input = folder / "input.png"
        for job in JOBS:
            job.pictures = self._pictures(job)

    def close(self) -> None:
        self.emulator.stop()

    def _words(self, job: Job, base_url: str, output: Path) -> list[str]:
        given = ["--image", str(self.input)] if job.with_input else []
        words = [str(self.command), *job.words, *given, "--base-url", base_url, "--json"]
        return [*words, "-o", str(output / "t-rex.png")]

    def _pictures(self, job: Job) -> list[bytes]:
        """What the emulator makes of it: always the same."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            base_url = self.emulator.base_url
            words = self._words(job, base_url, Path(name))
            done = subprocess.run(words, cwd=name, env=environment(base_url), capture_output=True, check=True)
            pictures = [Path(image["path"]).read_bytes() for image in json.loads(done.stdout)["images"]]
        if not self.input.exists():
            self.input.write_bytes(pictures[0])
        return pictures

    @contextmanager
    def run(
        self,
        job: Job,
        prompt_by_pipe: bool = False,
        file_system: int | None = None,
        full_everywhere: bool = False,
        before_exec: Callable[[], None] | None = None,
        program: list[str] | None = None,
    ) -> Iterator[Run]:
        """Starts the command with a relay between it and the emulator, which holds the picture back. A `program` in its
        place is told `{base_url}` and `{output}`."""
        picture = Relay(self.emulator.port if not job.by_url else self.cdn_port, hold_after=job.hold_after)
        relays = [picture]
        if job.by_url:
            # The link in the response leads through the relay, too.
            replace = (f":{self.cdn_port}/".encode(), f":{picture.port}/".encode())
            relays.append(Relay(self.emulator.port, replace=replace))
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        output, here, temporary = (folder / name for name in ("out", "here", "tmp"))
        mounts = []
        for path in (output, here, temporary):
            path.mkdir()
            if file_system and (path == output or full_everywhere):
                mount(path, file_system)
                mounts.append(path)
        words = self._words(job, f"http://127.0.0.1:{relays[-1].port}", output)
        if program:
            places = {"base_url": f"http://127.0.0.1:{relays[-1].port}", "output": str(output / "t-rex.png")}
            words = [word.format(**places) for word in program]
        if prompt_by_pipe:
            words[2] = "-"
        run = Run(
            self, job, picture, folder, words,
            env=environment("") | {"TMPDIR": str(temporary)},
            stdin=subprocess.PIPE if prompt_by_pipe else subprocess.DEVNULL,
            preexec_fn=before_exec,
        )
        try:
            yield run
        finally:
            run.process.kill()
            run.process.communicate()
            for relay in relays:
                relay.close()
            for path in mounts:
                subprocess.run(["umount", str(path)], check=True)
            shutil.rmtree(folder)

    @property
    def cdn_port(self) -> int:
        return int(self.emulator.cdn_url.rsplit(":", 1)[1])


def mount(path: Path, size: int) -> None:
    options = f"size={size},mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
