"""Wheel and sdist in environments where nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHEELS = Path(os.environ.get("GPTIMAGE_WHEELS", ROOT / "target" / "wheels"))

PROGRAMS = Path(__file__).with_name("programs")


def built(pattern: str) -> Path:
    """The one file that `tests/python/run.py` has built."""
    (found,) = WHEELS.glob(pattern)
    return found


class Environment:
    """An environment with nothing but pip."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.bin = folder / "bin"
        self.folder = folder

    def run(self, *command: str | Path, **environment: str) -> str:
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=self.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def install(self, what: Path, *options: str, **environment: str) -> None:
        self.run("pip", "install", "--disable-pip-version-check", *options, what, **environment)


@pytest.fixture(scope="module")
def wheel_environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("wheel"))
    environment.install(built("*.whl"), "--no-index")
    return environment


def metadata() -> Message:
    with zipfile.ZipFile(built("*.whl")) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(wheel.read(name).decode())


def test_the_wheel_is_small_and_has_all_it_needs() -> None:
    wheel = built("*.whl")
    assert wheel.stat().st_size <= 10 * 2**20
    assert "-cp311-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("gptimage/")}
    sources = {f"gptimage/{path.name}" for path in (ROOT / "python" / "gptimage").iterdir() if path.suffix != ".so"}
    assert names - {"gptimage/_core.abi3.so"} == sources - {"gptimage/__pycache__"}


def test_the_metadata_says_what_it_is() -> None:
    told = metadata()
    assert told["Name"] == "gptimage"
    assert told["Requires-Python"] == ">=3.11"
    assert told["License-Expression"] == "MIT OR Apache-2.0"
    assert set(told.get_all("License-File", [])) == {"LICENSE-MIT", "LICENSE-APACHE"}
    assert told.get_all("Requires-Dist") is None, "nothing is needed beside it"
    assert "Typing :: Typed" in told.get_all("Classifier", [])
    assert told.get_payload(), "the README is its description"


def test_a_picture_in_an_empty_environment(wheel_environment: Environment) -> None:
    assert wheel_environment.run("python", PROGRAMS / "a_picture.py").split() == ["png", "1024", "1024"]


def test_the_command_comes_with_it(wheel_environment: Environment) -> None:
    version = wheel_environment.run("python", "-c", "import gptimage; print(gptimage.__version__)").strip()
    assert wheel_environment.run("gptimage", "--version") == f"gptimage {version}\n"
    assert wheel_environment.run("python", "-m", "gptimage", "--version") == f"gptimage {version}\n"
    said = wheel_environment.run("gptimage", "generate", "A T-Rex", "--emulator", "-o", "t-rex.png")
    assert said.strip().endswith("t-rex.png")
    assert (wheel_environment.folder / "t-rex.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_ends_with_the_code_of_its_error(wheel_environment: Environment) -> None:
    done = subprocess.run([wheel_environment.bin / "gptimage", "generate", "", "--emulator"], capture_output=True)
    assert done.returncode == 2


def test_importing_it_loads_nothing_dear(wheel_environment: Environment) -> None:
    """Each of these costs milliseconds, or is not there."""
    dear = ["asyncio", "logging", "decimal", "typing", "json", "pathlib", "dataclasses", "numpy", "PIL", "threading"]
    program = PROGRAMS / "loaded_modules.py"
    assert wheel_environment.run("python", "-S", program, site(wheel_environment), *dear) == "\n"


def site(environment: Environment) -> str:
    return environment.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()


def test_the_sdist_builds_and_installs(tmp_path: Path) -> None:
    sdist = built("*.tar.gz")
    environment = Environment(tmp_path)
    # A target folder of its own: cargo takes files of another folder for those that it knows if their dates are old.
    quickly = {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "0", "CARGO_PROFILE_RELEASE_LTO": "off"}
    environment.install(sdist, CARGO_TARGET_DIR=str(tmp_path / "target"), **quickly)
    assert environment.run("python", PROGRAMS / "a_picture.py").split() == ["png", "1024", "1024"]


if sys.platform == "win32":
    pytest.skip("environments have another form there", allow_module_level=True)
