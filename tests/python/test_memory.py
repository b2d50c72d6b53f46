"""Memory use: results and inputs are not copied, files are streamed, and nothing leaks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gptimage import Client, Emulator, Image
from pictures import png
from processes import PROGRAMS, STRICT, run

MB = 1 << 20
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


BIG = 4200
"""Side of a picture of about 50 MB."""

class Server:
    """An emulator in a process of its own, so that its copies are not counted as ours."""

    def __init__(self, picture: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *STRICT, str(PROGRAMS / "one_picture.py"), str(picture)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url: str = json.loads(self.process.stdout.readline())["url"]

    def client(self, **options: Any) -> Client:
        return Client(api_key="k", base_url=self.url, proxy=False, **options)

    def stop(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of about 50 MB."""
    path = tmp_path_factory.mktemp("picture") / "picture.png"
    path.write_bytes(png(BIG))
    assert 50 * MB < path.stat().st_size < 55 * MB
    return path


@pytest.fixture(scope="module")
def server(picture: Path) -> Iterator[Server]:
    server = Server(picture)
    try:
        yield server
    finally:
        server.stop()


def source_of(size: int, near: Path) -> Path:
    """A picture of about this size, beside another one."""
    path = near.with_name(f"source-{size}.png")
    if not path.exists():
        path.write_bytes(png(int((size / 3) ** 0.5)))
    return path


def address(view: memoryview) -> int:
    """Where a view's first byte is; ctypes would not say it of one that is read-only."""
    numpy = pytest.importorskip("numpy")
    return int(numpy.frombuffer(view, "uint8").__array_interface__["data"][0])


def measured(name: str, server: Server, picture: Path, *arguments: str) -> Any:
    """The report of a function of measured.py, in a process that did nothing else."""
    return run("measured.py", name, server.url, str(picture), *arguments).report()


@on_linux
@pytest.mark.parametrize("response_format", ["b64_json", "url"])
def test_a_result_is_shown_without_a_copy(server: Server, picture: Path, response_format: str) -> None:
    """Views of a 50 MB picture cost nothing, and show the bytes that came."""
    report = measured("views_of_a_result", server, picture, response_format)
    print({name: f"{value:.1f} MB" for name, value in report.items()})
    size = picture.stat().st_size / MB
    assert report["viewed"] < 5 and report["copied"] > size * 0.9
    # One image, and memory kept by the allocator and the runtime, but never two images.
    assert size * 0.9 < report["held"] < size * 1.6
    assert report["left"] < size * 0.6


def test_views_have_one_address(picture: Path) -> None:
    """All views of a result are of the same bytes in memory, which are those that it has."""
    numpy = pytest.importorskip("numpy")
    with Emulator(canned=png(64)) as emulator:
        made = emulator.client().generate("x", response_format="b64_json")
    image = made.image
    addresses = {address(memoryview(image)) for _ in range(3)}
    addresses.add(int(numpy.frombuffer(image, "uint8").__array_interface__["data"][0]))
    # The same image, reached another way.
    addresses.add(address(memoryview(made[0])))
    assert len(addresses) == 1
    # Checks the test itself: a copy has another address.
    assert address(memoryview(image.read())) not in addresses
    view = memoryview(image)
    assert view.readonly and view.contiguous and view.format == "B" and view.ndim == 1
    with pytest.raises(TypeError):
        view[0] = 1


def test_a_kept_view_keeps_the_bytes() -> None:
    """The picture may be forgotten while a view of it, an array or a part of it is in use."""
    content = png(64)
    with Emulator(canned=content) as emulator:
        made = emulator.client().generate("x", response_format="b64_json")
    view, part = memoryview(made.image), memoryview(made.image)[8:100]
    del made
    assert view == content and part == content[8:100]


@on_linux
def test_a_large_input_is_not_copied(server: Server, picture: Path) -> None:
    """A 40 MB input goes up from where it is: bytes from Python's own object, a file from the disk."""
    report = measured("large_inputs", server, picture, str(source_of(40 * MB, picture)))
    print({name: f"{value:.1f} MB" for name, value in report.items()})
    assert report.pop("bytearray") > 35
    for name, value in report.items():
        assert value < 15, (name, value)


@on_linux
def test_an_input_is_given_back(server: Server, picture: Path) -> None:
    """When the call has ended, nobody holds the caller's bytes any more."""
    report = measured("an_input_given_back", server, picture, str(source_of(4 * MB, picture)))
    assert report == 0


@on_linux
@pytest.mark.parametrize("response_format", ["b64_json", "url"])
def test_save_to_keeps_memory_flat(server: Server, picture: Path, tmp_path: Path, response_format: str) -> None:
    """50 MB go to a file while they come; the process does not grow by a fraction of them."""
    report = measured("saving", server, picture, str(tmp_path), response_format)
    print(f"{report['grown']:.1f} MB")
    assert report["grown"] < 15
    assert (tmp_path / "picture.png").read_bytes() == picture.read_bytes()


@on_linux
@pytest.mark.parametrize(
    ("work", "rounds"),
    [
        ("generate", 200),
        ("url", 200),
        ("edit", 200),
        ("fetch", 200),
        ("progress", 200),
        ("refused", 200),
        ("invalid", 200),
        ("unknown", 200),
        ("left", 100),
        ("awaited", 200),
        ("cancelled", 100),
        ("clients", 60),
        ("emulators", 60),
        ("pictures", 200),
    ],
)
def test_no_leak(work: str, rounds: int, picture: Path) -> None:
    """Of 200 calls with pictures of 1 MB each nothing stays: no memory, no objects, no files, no threads."""
    grown_by, objects, files, threads = run("leaks.py", work, str(rounds), str(source_of(1 * MB, picture))).report()
    print(f"{work}: {grown_by:.1f} MB, {objects:.0f} objects, {files:.0f} files, {threads:.0f} threads after {rounds}")
    # If one image per call leaked, it would be 60 MB at least.
    assert grown_by < 25
    assert objects < rounds / 2
    assert files < 20 and threads < 20


def test_bytes_are_shared_with_images() -> None:
    """An Image that is an input again is not copied either, and is what it was."""
    content = png(64)
    with Emulator(canned=content, billing="pessimistic") as emulator:
        client = emulator.client()
        image = client.generate("x", response_format="b64_json").image
        before = address(memoryview(image))
        client.edit("x", image=[image, image])
        assert address(memoryview(image)) == before and bytes(image) == content
    assert isinstance(image, Image)
