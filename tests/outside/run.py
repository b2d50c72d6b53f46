"""Runs clients that know nothing of this project against `gptimage emulator`.

    python3 tests/outside/run.py target/release/gptimage

Installs openai and requests, schemathesis and openai-node from their registries, once, below the target folder, and
runs the API documentation's four examples, the given specification's requests and the emulator page's programs. Tests
for which a registry or node is not available are skipped, with a message.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import install  # noqa: E402
import page  # noqa: E402
from emulator import KEY, Emulator, download, fetch, png_size  # noqa: E402
from install import Skipped  # noqa: E402

CACHE = install.TARGET / "outside"
SPECIFICATION = ROOT / "tests" / "fixtures" / "openapi.json"
SEED = "20261122"
EXAMPLES = "200"


class Outside:
    def __init__(self, binary: str, work: Path) -> None:
        self.work = work
        self.binary = Path(binary).resolve()
        self.emulator = Emulator(str(self.binary))
        self.emulator.save_picture(work / "t-rex.png", prompt="A T-Rex", size="1536x1024")
        self.emulator.save_picture(work / "crown.png", prompt="A crown", background="transparent")

    def output(self, *command: str | Path, text: str | None = None, folders: tuple[Path, ...] = ()) -> str:
        path = os.pathsep.join([str(self.binary.parent), os.environ.get("PATH", ""), *map(str, folders)])
        environment = self.emulator.environment() | {"PATH": path}
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.work, env=environment, input=text, capture_output=True, text=True, timeout=120,
        )
        assert done.returncode == 0, f"exit code {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def python(self, program: str | Path) -> str:
        python = install.python(CACHE / "venv", HERE / "requirements.txt")
        return self.output(python, program) if isinstance(program, Path) else self.output(python, "-c", program)

    def node(self, name: str, program: str) -> str:
        node = install.node(CACHE)
        # Beside its node_modules folder, where imports are resolved.
        place = CACHE / "node" / name
        place.write_text(program, "utf-8")
        return self.output(node, place)

    def example(self, run: Callable[[], str], operation: str, input_images: int) -> None:
        """Runs one of the documentation's examples and checks what it printed and what truly happened."""
        before = self.emulator.ledger()
        answer = json.loads(run())
        picture = download(answer["data"][0]["url"])
        assert png_size(picture) == (1024, 1024), png_size(picture)
        usage = answer["meta"]["usage"]
        after = self.emulator.ledger()
        entry = after["entries"][-1]
        assert len(after["entries"]) == len(before["entries"]) + 1, "it was sent more than once"
        assert after["charges"] == before["charges"] + 1, "it was not charged once"
        told = (entry["operation"], entry["input_images"], entry["delivered"], entry["status"])
        assert told == (operation, input_images, True, 200), entry
        assert entry["charge"]["credits"] == usage["credits_used"], usage
        assert float(entry["charge"]["usd"]) == usage["usd_spent"], usage

    def generate_by_requests(self) -> None:
        self.example(lambda: self.python(HERE / "generate_requests.py"), "generate", 0)

    def generate_by_fetch(self) -> None:
        program = (HERE / "generate_fetch.mjs").read_text("utf-8")
        self.example(lambda: self.node("generate_fetch.mjs", program), "generate", 0)

    def edit_by_openai_python(self) -> None:
        self.example(lambda: self.python(HERE / "edit_openai.py"), "edit", 2)

    def edit_by_openai_node(self) -> None:
        program = (HERE / "edit_openai.mjs").read_text("utf-8")
        self.example(lambda: self.node("edit_openai.mjs", program), "edit", 2)

    def specification_by_schemathesis(self) -> None:
        """No request that the specification forbids is accepted; none makes the server fail."""
        before = self.emulator.ledger()
        said = self.output(
            install.python(CACHE / "venv", HERE / "requirements.txt").with_name("schemathesis"), "run", SPECIFICATION,
            "--url", self.emulator.origin, "--include-path", "/v1/images/generations",
            "-H", f"Authorization: Bearer {KEY}", "--seed", SEED, "--max-examples", EXAMPLES,
            "--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--continue-on-failure",
            "--checks", "not_a_server_error,negative_data_rejection,response_schema_conformance,unsupported_method",
            "--no-color",
        )
        count = re.search(r"(\d+) generated, \1 passed", said)
        assert count, said
        after = self.emulator.ledger()
        calls = len(after["entries"]) - len(before["entries"])
        accepted = after["charges"] - before["charges"]
        assert 0 < accepted < calls, f"{accepted} of {calls} calls were accepted"
        print(f"         seed {SEED}, {count[1]} requests: {calls} calls, {accepted} of them accepted")

    def page_in_a_shell(self) -> None:
        curl = stand_in_for_curl()
        for program in page.programs("sh", self.emulator.origin, KEY):
            self.output("bash", "-euo", "pipefail", "-s", text=program, folders=curl)
        entries = self.emulator.ledger()["entries"]
        assert any(entry["status"] == 503 for entry in entries), "the page's fault struck nothing"

    def page_in_its_tables(self) -> None:
        examples = page.examples()
        assert len(examples) > 20, examples
        for example in examples:
            path = "settings" if page.is_setting(example) else "faults"
            fetch(f"{self.emulator.origin}/_emulator/{path}", example.encode()).close()
        as_they_were = {"latency": None, "log_lag": 0, "url_expiry": None, "error_form": "problem", "price_headers": True}
        fetch(self.emulator.origin + "/_emulator/settings", json.dumps(as_they_were).encode()).close()
        fetch(self.emulator.origin + "/_emulator/faults", method="DELETE").close()

    def page_in_python(self) -> None:
        for program in page.programs("python", self.emulator.origin, KEY):
            self.python(program)

    def page_in_node(self) -> None:
        for index, program in enumerate(page.programs("js", self.emulator.origin, KEY)):
            self.node(f"page{index}.mjs", program)

    def it_ends_when_told(self) -> None:
        assert self.emulator.stop() == 0, "the emulator failed"


def stand_in_for_curl() -> tuple[Path, ...]:
    """Where a curl is to be found, if the machine has none."""
    if shutil.which("curl"):
        return ()
    print("         there is no curl: requests stands in for it")
    python = install.python(CACHE / "venv", HERE / "requirements.txt")
    program = CACHE / "bin" / "curl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{python}" "{HERE / "curl.py"}" "$@"\n')
    program.chmod(0o755)
    return (program.parent,)


def main() -> int:
    if sys.version_info < (3, 11) or len(sys.argv) != 2:
        print("usage: python3.11 or newer: run.py path/to/gptimage")
        return 2
    CACHE.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="outside-"))
    outside = Outside(sys.argv[1], work)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        for test in [
            outside.generate_by_requests,
            outside.generate_by_fetch,
            outside.edit_by_openai_python,
            outside.edit_by_openai_node,
            outside.specification_by_schemathesis,
            outside.page_in_a_shell,
            outside.page_in_its_tables,
            outside.page_in_python,
            outside.page_in_node,
            outside.it_ends_when_told,
        ]:
            counts[attempt(test)] += 1
    finally:
        outside.emulator.process.kill()
        shutil.rmtree(work, ignore_errors=True)
    print("outside: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return 1 if counts["failed"] else 0


def attempt(test: Callable[[], None]) -> str:
    name = test.__name__.replace("_", " ")
    try:
        test()
    except Skipped as reason:
        print(f"skipped  {name}: {reason}")
        install.skipped(f"outside: {name}", reason)
        return "skipped"
    except Exception as error:
        print(f"failed   {name}: {type(error).__name__}: {error}")
        return "failed"
    print(f"passed   {name}")
    return "passed"


if __name__ == "__main__":
    sys.exit(main())
