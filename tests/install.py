"""Installs programs of the system, and packages from registries into cache folders, that tests need."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OUTSIDE = Path(__file__).resolve().parent / "outside"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", OUTSIDE.parents[1] / "target")).resolve()

# Messages of pip and npm when the network fails, as opposed to a wrong request.
UNREACHABLE = re.compile(
    r"connection broken by|Could not fetch URL|Read timed out|Temporary failure in name resolution"
    r"|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ERR_SOCKET_TIMEOUT"
)


class Skipped(Exception):
    """What cannot be tried here, and why."""


def programs(**packages: str) -> None:
    """Installs programs that are missing, by the names of Debian's packages, where that is ours to do."""
    missing = [package for program, package in packages.items() if not shutil.which(program)]
    if missing and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
            # A failure shows later, when the programs are looked for.
            subprocess.run(["apt-get", "-qq", *words], env=quiet, capture_output=True, check=False)


def skipped(name: str, why: object) -> None:
    """Puts what was skipped into the list that `make test` shows at its end."""
    listed = TARGET / "tmp" / "skipped.txt"
    listed.parent.mkdir(parents=True, exist_ok=True)
    with listed.open("a", encoding="utf-8") as file:
        file.write(f"{name}: {why}\n")


def python(venv: Path, requirements: Path) -> Path:
    """The interpreter of an environment that has these packages."""
    binary = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = requirements.read_bytes() + sys.version.encode()
    if is_stale(venv, wanted):
        run([sys.executable, "-m", "venv", "--clear", str(venv)], "a Python environment")
        pip = [str(binary), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
        run([*pip, "-r", str(requirements)], "the Python registry")
        mark(venv, wanted)
    return binary


def node(cache: Path) -> str:
    """A node, and in the cache folder `node` the packages of package.json."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if not found or not npm:
        raise Skipped("node and npm are not installed")
    folder = cache / "node"
    version = subprocess.run([found, "--version"], capture_output=True, check=True).stdout
    wanted = (OUTSIDE / "package.json").read_bytes() + version
    if is_stale(folder, wanted):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(OUTSIDE / "package.json", folder)
        install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--fetch-retries=1"]
        run([*install, "--prefix", str(folder)], "the npm registry")
        mark(folder, wanted)
    return found


def is_stale(folder: Path, wanted: bytes) -> bool:
    stamp = folder / "stamp"
    return not stamp.exists() or stamp.read_text() != hashlib.sha256(wanted).hexdigest()


def mark(folder: Path, wanted: bytes) -> None:
    (folder / "stamp").write_text(hashlib.sha256(wanted).hexdigest())


def run(command: list[str], source: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        return
    said = done.stdout + done.stderr
    if UNREACHABLE.search(said):
        raise Skipped(f"{source} cannot be reached")
    raise AssertionError(f"{command[0]} failed with {done.returncode}:\n{said}")
