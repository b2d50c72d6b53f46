"""Bytes are where they are: results and inputs are not copied, files are streamed, and nothing leaks."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gptimage import Client, Emulator, Image
from processes import STRICT, run

MB = 1 << 20
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def png(side: int, seed: bytes = b"") -> bytes:
    """A PNG of bytes that do not compress, stored."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    row = b"\0" + (seed or os.urandom(side * 3))
    pixels = zlib.compress(row * side, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


BIG = 4200
"""Side of a picture of about 50 MB."""

# The emulator is in another process, so that its copies are not counted as ours.
SERVER = """
import json, sys
import gptimage
from pathlib import Path
picture = Path(sys.argv[1]).read_bytes()
with gptimage.Emulator(billing="pessimistic", canned=picture, keep_bodies=0) as emulator:
    print(json.dumps({"url": emulator.url, "control": emulator.control_url}), flush=True)
    sys.stdin.read()
"""


class Server:
    """An emulator in a process of its own."""

    def __init__(self, picture: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *STRICT, "-c", SERVER, str(picture)],
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


# What follows is measured in processes that did nothing else.
MEASURE = """
import gc, json, sys
import gptimage
from pathlib import Path

def memory(name="VmRSS"):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024

def forget_peak():
    # From here on VmHWM counts anew.
    Path("/proc/self/clear_refs").write_text("5")

URL, PICTURE = sys.argv[1], sys.argv[2]
MB = 1 << 20
client = gptimage.Client(api_key="k", base_url=URL, proxy=False)
client.balance()
"""


def measured(server: Server, script: str, picture: Path, *arguments: str) -> Any:
    return run(MEASURE + script, server.url, str(picture), *arguments).facts()


@on_linux
@pytest.mark.parametrize("response_format", ["b64_json", "url"])
def test_a_result_is_shown_without_a_copy(server: Server, picture: Path, response_format: str) -> None:
    """Views of a 50 MB picture cost nothing, and show the bytes that came."""
    facts = measured(
        server,
        """
before = memory()
made = client.generate("x", response_format=sys.argv[3])
image = made.image
held = memory() - before
gc.collect()
start = memory()
forget_peak()
views = [memoryview(image) for _ in range(100)]
# Every page is touched, so that a copy made lazily would count.
sums = {sum(view[::4096]) for view in views[:3]}
viewed = max(memory(), memory("VmHWM")) - start
# As a measure of the measure: a copy is seen.
image.read()
copied = max(memory(), memory("VmHWM")) - start
whole = Path(PICTURE).read_bytes()
assert views[0] == whole and views[99].readonly and views[0].nbytes == image.nbytes == len(whole)
assert sums == {sum(memoryview(whole)[::4096])}
del whole
# The view holds the picture, whatever becomes of the rest.
view = views[0]
del views, image, made
gc.collect()
assert sum(view[::4096]) in sums
del view
gc.collect()
print(json.dumps({"held": held / MB, "viewed": viewed / MB, "copied": copied / MB, "left": (memory() - before) / MB}))
""",
        picture,
        response_format,
    )
    print({name: f"{value:.1f} MB" for name, value in facts.items()})
    size = picture.stat().st_size / MB
    assert facts["viewed"] < 5 and facts["copied"] > size * 0.9
    # One picture, and what the allocator and the runtime keep; never two.
    assert size * 0.9 < facts["held"] < size * 1.6
    assert facts["left"] < size * 0.6


def test_views_have_one_address(picture: Path) -> None:
    """All views of a result are of the same bytes in memory, which are those that it has."""
    numpy = pytest.importorskip("numpy")
    with Emulator(canned=png(64)) as emulator:
        made = emulator.client().generate("x", response_format="b64_json")
    image = made.image
    addresses = {address(memoryview(image)) for _ in range(3)}
    addresses.add(int(numpy.frombuffer(image, "uint8").__array_interface__["data"][0]))
    # The same picture, reached another way.
    addresses.add(address(memoryview(made[0])))
    assert len(addresses) == 1
    # What is copied is elsewhere: the test can tell.
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
    facts = measured(
        server,
        """
source = Path(sys.argv[3])
grown = {}
content = source.read_bytes()
client.edit("x", image=source, fetch=False)
# The last one, as a measure of the measure: whoever can change it while it is sent has it copied.
for name, image in (("file", source), ("bytes", content), ("list", [content] * 4), ("bytearray", bytearray(content))):
    gc.collect()
    start = memory()
    forget_peak()
    client.edit("x", image=image, fetch=False)
    grown[name] = (max(memory(), memory("VmHWM")) - start) / MB
print(json.dumps(grown))
""",
        picture,
        str(source_of(40 * MB, picture)),
    )
    print({name: f"{value:.1f} MB" for name, value in facts.items()})
    assert facts.pop("bytearray") > 35
    for name, value in facts.items():
        assert value < 15, (name, value)


@on_linux
def test_an_input_is_given_back(server: Server, picture: Path) -> None:
    """When the call has ended, nobody holds the caller's bytes any more."""
    facts = measured(
        server,
        """
content = Path(sys.argv[3]).read_bytes()
plain = sys.getrefcount(content)
client.edit("x", image=content, fetch=False)
# Rust gives its reference back the next time that it speaks to Python.
client.balance()
print(sys.getrefcount(content) - plain)
""",
        picture,
        str(source_of(4 * MB, picture)),
    )
    assert facts == 0


@on_linux
@pytest.mark.parametrize("response_format", ["b64_json", "url"])
def test_save_to_keeps_memory_flat(server: Server, picture: Path, tmp_path: Path, response_format: str) -> None:
    """50 MB go to a file while they come; the process does not grow by a fraction of them."""
    facts = measured(
        server,
        """
target, form = Path(sys.argv[3]), sys.argv[4]
client.generate("x", response_format=form, save_to=target / "warm.png")
gc.collect()
start = memory()
forget_peak()
made = client.generate("x", response_format=form, save_to=target / "picture.png")
grown = max(memory(), memory("VmHWM")) - start
assert made.image.location == "file" and made.image.path == target / "picture.png"
assert made.image.nbytes == Path(PICTURE).stat().st_size
print(json.dumps({"grown": grown / MB}))
""",
        picture,
        str(tmp_path),
        response_format,
    )
    print(f"{facts['grown']:.1f} MB")
    assert facts["grown"] < 15
    assert (tmp_path / "picture.png").read_bytes() == picture.read_bytes()


LEAKS = """
import asyncio, os
with gptimage.Emulator(billing="pessimistic", canned=Path(PICTURE).read_bytes(), keep_bodies=0) as emulator:
    content = Path(PICTURE).read_bytes()
    client = emulator.client(max_attempts=1)
    asynchronous = emulator.async_client()
    image = client.generate("x", fetch=False).image
    def generate():
        view = memoryview(client.generate("x", response_format="b64_json").image)
    def url():
        client.generate("x").to_dict()
    def edit():
        client.edit("x", image=[content, content])
    def fetch():
        client.fetch(image)
    def progress():
        client.generate("x", progress=lambda now: None)
    def refused():
        emulator.fault(answer={"status": 400})
        try:
            client.generate("x")
        except gptimage.BadRequestError:
            pass
    def invalid():
        try:
            client.generate("", size="1x1")
        except gptimage.InvalidRequestError:
            pass
    def unknown():
        emulator.fault(cut_response={"after": 100_000, "cut": "rst"})
        try:
            client.generate("x", response_format="b64_json")
        except gptimage.GptImageError as error:
            assert error.charge == "charged"
    def left():
        emulator.fault(delay="20ms")
        try:
            client.generate("x", deadline=0.01)
        except gptimage.GptImageError:
            pass
        client.drain()
        client.collect()
    def awaited():
        asyncio.run(asynchronous.generate("x"))
    def cancelled():
        async def main():
            tasks = [asyncio.ensure_future(asynchronous.generate("x")) for _ in range(3)]
            await asyncio.sleep(0.001)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asynchronous.drain()
            asynchronous.collect()
        asyncio.run(main())
    def clients():
        with emulator.client() as other:
            other.with_options(max_attempts=2).balance()
    def emulators():
        with gptimage.Emulator() as other:
            other.client().balance()
    def pictures():
        Image = gptimage.Image
        bytes(Image.from_bytes(content))
        Image.from_file(PICTURE).read()
    work = locals()[sys.argv[3]]
    rounds = int(sys.argv[4])
    def measure():
        gc.collect()
        return memory(), len(gc.get_objects()), len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
    for _ in range(rounds // 2):
        work()
    before = measure()
    for _ in range(rounds):
        work()
    after = measure()
    emulator.ledger
print(json.dumps([(new - old) / (MB if name == "memory" else 1) for name, new, old in
    zip(["memory", "objects", "files", "threads"], after, before, strict=True)]))
"""


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
def test_no_leak(work: str, rounds: int, server: Server, picture: Path) -> None:
    """Of 200 calls with pictures of 1 MB each nothing stays: no memory, no objects, no files, no threads."""
    grown = measured(server, LEAKS, source_of(1 * MB, picture), work, str(rounds))
    grown_by, objects, files, threads = grown
    print(f"{work}: {grown_by:.1f} MB, {objects:.0f} objects, {files:.0f} files, {threads:.0f} threads after {rounds}")
    # One picture a call would be 60 MB at least.
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
