"""The accepted forms of images and masks. The server receives the same bytes, or the same pixels."""

from __future__ import annotations

import array
import asyncio
import gzip
import io
import mmap
import os
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gptimage
import numpy
import pytest
from cases_shared import (
    FIXTURES,
    assert_says,
    canned_emulator,
    fixture,
    form,
    only_call,
    sent_image,
    sent_images,
    sent_mask,
)
from gptimage import Client, Emulator, Generated, Image, InvalidRequestError, Mask
from PIL import Image as Pil
from PIL import ImageOps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from numpy.typing import NDArray

PNG = fixture("rgb-4x4.png")
JPEG = fixture("rgb-4x4.jpg")
WEBP = fixture("rgb-4x4.webp")

# The alternatives that errors about an input's type have to name.
WAYS_OUT = ("path", "bytes", "binary file", "Pillow", "NumPy", "Image")


@pytest.fixture
def gptimage_emulator() -> Iterator[Emulator]:
    """In place of the plugin's: here nobody looks at the answers, so no picture has to be drawn."""
    with canned_emulator() as emulator:
        yield emulator


@pytest.fixture
def edit(gptimage_client: Client) -> Callable[..., object]:
    """Edits an image, or tries to. What is wrong with it is up to the test, so nothing is typed."""

    def edit(image: Any, mask: Any = None, client: Client = gptimage_client) -> object:
        return client.edit("A hat", image=image, mask=mask, fetch=False)

    return edit


def refusal(edit: Callable[..., object], emulator: Emulator, image: Any, mask: Any = None) -> Exception:
    """The error for something that is no image: a TypeError or ValueError, and nothing was sent."""
    with pytest.raises((TypeError, ValueError)) as refused:
        edit(image, mask)
    assert emulator.connections == 0
    return refused.value


def decoded(png: bytes) -> Pil.Image:
    """What was sent for pixels, which is always PNG."""
    picture = Pil.open(io.BytesIO(png))
    assert picture.format == "PNG"
    picture.load()
    return picture


def pixels(picture: Pil.Image, mode: str = "RGBA") -> NDArray[numpy.uint8]:
    return numpy.asarray(picture.convert(mode))


def gradient(*shape: int) -> NDArray[numpy.uint8]:
    """Pixels of which no two neighbours are alike."""
    count = int(numpy.prod(shape))
    return (numpy.arange(count) * 37 % 256).astype(numpy.uint8).reshape(shape)


# --- Paths ------------------------------------------------------------------------------------------------------------


class Somewhere:
    """A path of somebody else's making."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


@pytest.mark.parametrize("kind", [str, Path, Somewhere], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", ["rgb-4x4.png", "rgb-4x4.jpg", "rgb-4x4.webp"])
def test_paths(edit: Callable[..., object], gptimage_emulator: Emulator, kind: Any, name: str) -> None:
    edit(kind(FIXTURES / name))
    assert sent_image(gptimage_emulator) == fixture(name)


def test_a_relative_path(
    edit: Callable[..., object], gptimage_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(FIXTURES)
    edit("rgb-4x4.jpg")
    assert sent_image(gptimage_emulator) == JPEG


def test_a_files_own_name_is_not_sent(
    edit: Callable[..., object], gptimage_emulator: Emulator, tmp_path: Path
) -> None:
    """It may tell more than the picture, and lie about its format."""
    path = tmp_path / 'Überraschung für "Ada"; v2.png'
    path.write_bytes(JPEG)
    edit(path)
    [part] = [part for part in form(only_call(gptimage_emulator)) if part.name == "image"]
    assert (part.filename, part.content_type, part.content) == ("image-0.jpg", "image/jpeg", JPEG)


@pytest.mark.parametrize(
    ("path", "says"),
    [("nowhere/a.png", ("nowhere/a.png", "no such file")), (str(FIXTURES), ("folder",)), ("", ("image", "path"))],
    ids=["missing", "folder", "empty"],
)
def test_paths_that_lead_nowhere(
    edit: Callable[..., object], gptimage_emulator: Emulator, path: str, says: tuple[str, ...]
) -> None:
    error = refusal(edit, gptimage_emulator, path)
    assert isinstance(error, InvalidRequestError)
    assert_says(error, "image: ", *says)
    # The user did not ask for an absolute path.
    assert "absolute" not in str(error)


@pytest.mark.parametrize(
    "url",
    ["https://example.org/a.png", "http://example.org/a.png", "HTTPS://EXAMPLE.ORG/A.PNG", "ftp://example.org/a.png"],
)
def test_a_url_is_to_be_downloaded_first(edit: Callable[..., object], gptimage_emulator: Emulator, url: str) -> None:
    error = refusal(edit, gptimage_emulator, url)
    assert isinstance(error, InvalidRequestError)
    assert_says(error, "image", url, "URL", "the API takes files", "download it first", "curl -O", "path or bytes")


def test_a_data_url_is_to_be_decoded_first(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """There is nothing to download."""
    error = refusal(edit, gptimage_emulator, "data:image/png;base64,iVBORw0KGgo=")
    assert_says(error, "image", "data:", "base64", "bytes")
    assert "curl" not in str(error)


@pytest.mark.parametrize("start", ["data:image/png;base64,", "https://example.org/", "folder/"])
def test_a_long_text_is_not_repeated_whole(
    edit: Callable[..., object], gptimage_emulator: Emulator, start: str
) -> None:
    """A data: string holds a whole picture; an error with it would flood a log."""
    error = refusal(edit, gptimage_emulator, start + "A" * 100_000)
    assert_says(error, "image", start)
    assert isinstance(error, InvalidRequestError)
    assert all(len(violation.given) < 500 for violation in error.violations)


# --- Bytes ------------------------------------------------------------------------------------------------------------


def mapped(content: bytes) -> mmap.mmap:
    view = mmap.mmap(-1, len(content))
    view.write(content)
    view.seek(0)
    return view


BYTES: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "memoryview of a part": lambda content: memoryview(b"before" + content + b"after")[6:-5],
    "memoryview with strides": lambda content: memoryview(bytes(byte for b in content for byte in (b, 0)))[::2],
    "array": lambda content: array.array("B", content),
    "numpy.frombuffer": lambda content: numpy.frombuffer(content, "uint8"),
    "mmap": mapped,
}


@pytest.mark.parametrize("kind", BYTES)
def test_bytes(edit: Callable[..., object], gptimage_emulator: Emulator, kind: str) -> None:
    edit(BYTES[kind](WEBP))
    assert sent_image(gptimage_emulator) == WEBP


def test_a_bytearray_is_its_owners_again(edit: Callable[..., object]) -> None:
    """Nothing of ours holds on to it, which would forbid to change its length."""
    content = bytearray(PNG)
    edit(content)
    content.clear()


@pytest.mark.parametrize("content", [PNG, JPEG, WEBP], ids=["png", "jpg", "webp"])
@pytest.mark.parametrize("given", ["path", "bytes", "file"])
def test_a_picture_that_is_cut(
    edit: Callable[..., object], gptimage_emulator: Emulator, content: bytes, given: str, tmp_path: Path
) -> None:
    cut = content[:-1]
    path = tmp_path / "cut.png"
    path.write_bytes(cut)
    error = refusal(edit, gptimage_emulator, {"path": path, "bytes": cut, "file": io.BytesIO(cut)}[given])
    assert isinstance(error, InvalidRequestError)
    assert_says(error, "image: ", f"is cut short after {len(cut)} bytes; copy or save it again")


@pytest.mark.parametrize("content", [b"", b"no picture", PNG[:7]], ids=["nothing", "text", "cut"])
def test_bytes_that_are_no_picture(
    edit: Callable[..., object], gptimage_emulator: Emulator, content: bytes
) -> None:
    error = refusal(edit, gptimage_emulator, content)
    assert isinstance(error, InvalidRequestError)
    assert_says(error, "image: ", f"{len(content)} bytes", "PNG, JPEG or WebP" if content else "empty")


# --- Files ------------------------------------------------------------------------------------------------------------


class Slow(io.RawIOBase):
    """Gives a few bytes at a time, as sockets do."""

    name = "../../etc/passwd.gif"

    def __init__(self, content: bytes) -> None:
        self.rest = content

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        part, self.rest = self.rest[:5], self.rest[5:]
        return part


def zipped(content: bytes) -> Any:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.png", content)
    return zipfile.ZipFile(out).open("a.png")


def spooled(content: bytes) -> Any:
    file = tempfile.SpooledTemporaryFile()
    file.write(content)
    file.seek(0)
    return file


FILES: dict[str, Callable[[bytes], Any]] = {
    "BytesIO": io.BytesIO,
    "a few bytes at a time": Slow,
    "gzip": lambda content: gzip.open(io.BytesIO(gzip.compress(content))),
    "member of a zip": zipped,
    "SpooledTemporaryFile": spooled,
}


@pytest.mark.parametrize("kind", FILES)
def test_files(edit: Callable[..., object], gptimage_emulator: Emulator, kind: str) -> None:
    with FILES[kind](JPEG) as file:
        edit(file)
        assert not file.closed
    assert sent_image(gptimage_emulator) == JPEG


@pytest.mark.parametrize("buffering", [-1, 0], ids=["buffered", "raw"])
def test_an_open_file(edit: Callable[..., object], gptimage_emulator: Emulator, buffering: int) -> None:
    with open(FIXTURES / "rgb-4x4.webp", "rb", buffering=buffering) as file:
        edit(file)
        assert not file.closed
    [part] = [part for part in form(only_call(gptimage_emulator)) if part.name == "image"]
    assert (part.filename, part.content_type, part.content) == ("image-0.webp", "image/webp", WEBP)


def test_a_file_is_read_from_its_position(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    file = io.BytesIO(b"a head of somebody's" + PNG)
    file.seek(-len(PNG), os.SEEK_END)
    edit(file)
    assert sent_image(gptimage_emulator) == PNG


def test_a_file_that_was_read_already(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """It looks empty, and is not: the slip of whoever gives one open file to two calls."""
    file = io.BytesIO(PNG)
    for _ in range(2):
        file.seek(0)
        file.read()
        error = refusal(edit, gptimage_emulator, [PNG, file])
        assert type(error) is ValueError
        assert_says(error, "image[1]: ", "at its end", "seek(0)")
    file.seek(0)
    edit(file)
    assert sent_image(gptimage_emulator) == PNG


def test_an_empty_file(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """No seek(0) would help."""
    error = refusal(edit, gptimage_emulator, io.BytesIO())
    assert isinstance(error, InvalidRequestError)
    assert_says(error, "image: ", "empty")


def test_two_files_in_one_call(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """As the API's documentation has it."""
    with open(FIXTURES / "rgb-4x4.png", "rb") as first, open(FIXTURES / "rgb-4x4.jpg", "rb") as second:
        edit([first, second])
    assert sent_images(gptimage_emulator) == [PNG, JPEG]


def test_an_endless_file_is_given_up(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """50 MB and a byte are enough to know that it is too long."""

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1, /) -> bytes:
            part = bytes(min(size if size >= 0 else 1 << 20, 8 << 20))
            self.given += len(part)
            return part if self.given > len(part) else PNG + part[len(PNG) :]

    file = Endless()
    error = refusal(edit, gptimage_emulator, file)
    assert isinstance(error, InvalidRequestError)
    assert [violation.rule for violation in error.violations] == ["max_bytes"]
    assert file.given == (50 << 20) + 1


@pytest.mark.parametrize("opened", ["StringIO", "open", "at its end"])
def test_a_text_file_is_to_be_opened_as_binary(
    edit: Callable[..., object], gptimage_emulator: Emulator, opened: str
) -> None:
    text: io.TextIOBase = io.StringIO("text")
    if opened == "open":
        text = open(FIXTURES / "README.md", encoding="utf-8")
    elif opened == "at its end":
        text = io.StringIO()
    with text:
        error = refusal(edit, gptimage_emulator, text)
    assert isinstance(error, TypeError)
    assert_says(error, "image: ", "text", "binary mode", "'rb'")


def test_a_closed_file(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """The most common slip: `with open(…) as file: pass`. Which argument it was, has to be said."""
    file = io.BytesIO(PNG)
    file.close()
    assert_says(refusal(edit, gptimage_emulator, [PNG, file]), "image[1]", "closed")


class UploadFile:
    """As FastAPI's: its `read` is to be awaited."""

    def __init__(self, content: bytes = PNG) -> None:
        self.content = content

    async def read(self, size: int = -1) -> bytes:
        return self.content

    async def parts(self) -> AsyncIterator[bytes]:
        yield self.content


ASYNCHRONOUS: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "a file": (UploadFile, ("UploadFile.read() is asynchronous", "await file.read()")),
    "a named file": (lambda: ("a.png", UploadFile(), "image/png"), ("await file.read()",)),
    "what it would read": (lambda: UploadFile().read(), ("coroutine was not awaited", "await file.read()")),
    "a stream": (lambda: UploadFile().parts(), ("async_generator is asynchronous", "async for part in stream")),
}


@pytest.mark.parametrize("several", [False, True], ids=["alone", "in a list"])
@pytest.mark.parametrize("kind", ASYNCHRONOUS)
@pytest.mark.filterwarnings("error")
def test_what_is_to_be_awaited_is_named(
    edit: Callable[..., object], gptimage_emulator: Emulator, kind: str, several: bool
) -> None:
    """Nor is anything left behind that Python warns of because nobody awaited it."""
    made, says = ASYNCHRONOUS[kind]
    error = refusal(edit, gptimage_emulator, [PNG, made()] if several else made())
    assert isinstance(error, TypeError)
    assert_says(error, "image[1]: " if several else "image: ", *says)
    masked = refusal(edit, gptimage_emulator, PNG, made())
    assert_says(masked, "mask: ", *says)


def test_a_future_is_no_image_and_goes_on(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    async def main() -> bytes:
        task = asyncio.ensure_future(UploadFile().read())
        with pytest.raises(TypeError, match="await file.read"):
            edit(task)
        return await task

    assert asyncio.run(main()) == PNG
    assert gptimage_emulator.connections == 0


def test_a_pillow_image_whose_file_was_closed(
    edit: Callable[..., object], gptimage_emulator: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    with Pil.open(path) as picture:
        pass
    assert_says(refusal(edit, gptimage_emulator, [PNG, picture]), "image[1]: ", "Pillow", "open until then")


def test_a_pillow_image_whose_file_is_cut(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    picture = Pil.open(io.BytesIO(fixture("exif-6-8x4.jpg")[:690]))
    assert_says(refusal(edit, gptimage_emulator, picture), "image: ", "Pillow", "whole")


def test_what_is_read_in_another_way_than_files_are(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """As an httpx.Response, which gives all of it."""

    class Response:
        def read(self) -> bytes:
            return PNG

    assert_says(refusal(edit, gptimage_emulator, Response()), "image: ", "give the bytes")


def test_what_a_file_raises_is_the_callers(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            raise OSError(5, "the disk is on fire")

    with pytest.raises(OSError, match="the disk is on fire"):
        edit(Broken())
    assert gptimage_emulator.connections == 0


# --- openai-python's tuples -------------------------------------------------------------------------------------------

NAMED: dict[str, Callable[[bytes], Any]] = {
    "name and bytes": lambda content: ("a.gif", content),
    "name, bytes, type": lambda content: ("a.gif", content, "image/gif"),
    "name, bytes, no type": lambda content: ("a.gif", content, None),
    "name, bytes, type, headers": lambda content: ("a.gif", content, "image/gif", {"X": "y"}),
    "name and bytearray": lambda content: ("a.gif", bytearray(content)),
    "name and memoryview": lambda content: ("a.gif", memoryview(content)),
    "name and file": lambda content: ("a.gif", io.BytesIO(content)),
    "name, file, type": lambda content: ("a.gif", io.BytesIO(content), "image/gif"),
    "no name, bytes": lambda content: (None, content),
}


@pytest.mark.parametrize("kind", NAMED)
def test_named_files(edit: Callable[..., object], gptimage_emulator: Emulator, kind: str) -> None:
    """Names and types are ignored: both come from the bytes."""
    edit(NAMED[kind](JPEG))
    [part] = [part for part in form(only_call(gptimage_emulator)) if part.name == "image"]
    assert (part.filename, part.content_type, part.content) == ("image-0.jpg", "image/jpeg", JPEG)


@pytest.mark.parametrize("several", [list, tuple])
def test_several_named_files(edit: Callable[..., object], gptimage_emulator: Emulator, several: Any) -> None:
    edit(several([("a.png", PNG), ("b.png", io.BytesIO(JPEG), "image/png"), WEBP]))
    assert sent_images(gptimage_emulator) == [PNG, JPEG, WEBP]


def test_a_named_file_as_mask(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    edit(PNG, ("mask.png", io.BytesIO(fixture("rgba-4x4.png")), "image/png"))
    assert sent_mask(gptimage_emulator) == fixture("rgba-4x4.png")


def test_a_tuple_of_two_paths_is_two_images(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    edit((str(FIXTURES / "rgb-4x4.png"), str(FIXTURES / "rgb-4x4.jpg")))
    assert sent_images(gptimage_emulator) == [PNG, JPEG]


def test_a_named_text_file(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    assert_says(refusal(edit, gptimage_emulator, ("a.png", io.StringIO("x"))), "image: ", "binary mode")


# --- Pillow -----------------------------------------------------------------------------------------------------------


def colours() -> Pil.Image:
    """All three colours, each in another way, and every level of alpha."""
    return Pil.fromarray(gradient(6, 5, 4))


def palette(*, transparency: int | bytes | None) -> Pil.Image:
    picture = Pil.new("P", (4, 2))
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.putdata([0, 1, 2, 3, 3, 2, 1, 0])
    if transparency is not None:
        picture.info["transparency"] = transparency
    return picture


def with_colour_key() -> Pil.Image:
    picture = colours().convert("RGB")
    picture.info["transparency"] = picture.getpixel((1, 1))
    return picture


def reopened(picture: Pil.Image, format: str) -> Pil.Image:
    """As a file that was opened, and whose pixels nobody has looked at yet."""
    out = io.BytesIO()
    picture.save(out, format, lossless=True)
    out.seek(0)
    return Pil.open(out)


PILLOW: dict[str, Callable[[], Pil.Image]] = {
    "1": lambda: colours().convert("1"),
    "L": lambda: colours().convert("L"),
    "LA": lambda: colours().convert("LA"),
    "P": lambda: palette(transparency=None),
    "P with one see-through entry": lambda: palette(transparency=2),
    "P with half see-through entries": lambda: palette(transparency=bytes([0, 128, 255, 7])),
    "PA": lambda: colours().convert("RGB").quantize(4).convert("PA"),
    "RGB": lambda: colours().convert("RGB"),
    "RGB with a see-through colour": with_colour_key,
    "RGBA": colours,
    "RGBX": lambda: colours().convert("RGB").convert("RGBX"),
    "CMYK": lambda: colours().convert("RGB").convert("CMYK"),
    "YCbCr": lambda: colours().convert("RGB").convert("YCbCr"),
    "an opened PNG": lambda: reopened(colours(), "PNG"),
    "an opened WebP": lambda: reopened(colours(), "WEBP"),
    "an opened GIF": lambda: reopened(palette(transparency=None), "GIF"),
    "a part": lambda: colours().crop((1, 1, 4, 3)),
}


@pytest.mark.parametrize("kind", PILLOW)
def test_pillow_images(edit: Callable[..., object], gptimage_emulator: Emulator, kind: str) -> None:
    edit(PILLOW[kind]())
    sent, given = decoded(sent_image(gptimage_emulator)), PILLOW[kind]()
    assert sent.size == given.size
    assert sent.has_transparency_data == given.has_transparency_data
    assert numpy.array_equal(pixels(sent), pixels(given))


def test_a_pillow_image_stays_as_it_was(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    given = palette(transparency=2)
    edit(given)
    assert (given.mode, given.info) == ("P", {"transparency": 2})
    assert list(given.tobytes()) == [0, 1, 2, 3, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("mode", "levels"),
    [
        ("I;16", [0, 255, 256, 32768, 65280, 65535]),
        ("I", [0, 256, 32768, 65535]),
        ("F", [0.0, 0.25, 0.5, 1.0]),
    ],
)
def test_pillow_images_of_more_than_8_bits(
    edit: Callable[..., object], gptimage_emulator: Emulator, mode: str, levels: list[float]
) -> None:
    """They keep their picture, to 8 bits, or are refused; cut off at 255, all of it would be white, and paid for."""
    given = Pil.new(mode, (len(levels), 1))
    for x, level in enumerate(levels):
        given.putpixel((x, 0), level)
    try:
        edit(given)
    except (TypeError, ValueError) as error:
        assert mode != "I;16", "16 bits are what scanners and scientists have"
        assert_says(error, "image: ", mode)
        assert gptimage_emulator.connections == 0
        return
    sent = pixels(decoded(sent_image(gptimage_emulator)), "L")[0].astype(float)
    assert numpy.abs(sent / 255 - numpy.array(levels) / max(levels)).max() <= 1 / 255


def sideways(orientation: object, format: str = "JPEG", **options: Any) -> Pil.Image:
    """A file with an EXIF orientation, opened: a red square in the upper left of what is stored."""
    picture = Pil.new("RGB", (32, 16), (0, 0, 255))
    picture.paste((255, 0, 0), (0, 0, 8, 8))
    exif = Pil.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    picture.save(out, format, exif=exif, **options)
    return Pil.open(out)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_pillow_image_is_sent_upright(
    edit: Callable[..., object], gptimage_emulator: Emulator, orientation: int, format: str
) -> None:
    """As ImageOps.exif_transpose turns it, which leaves what is no orientation."""
    edit(sideways(orientation, format))
    sent = decoded(sent_image(gptimage_emulator))
    upright = ImageOps.exif_transpose(sideways(orientation, format))
    assert numpy.array_equal(pixels(sent), pixels(upright))
    assert sent.getexif().get(0x0112) is None


def test_a_mask_for_a_pillow_image_has_the_coordinates_that_people_see(
    edit: Callable[..., object], gptimage_emulator: Emulator
) -> None:
    photo = sideways(6)
    mask = Mask.from_boxes(photo, [(8, 0, 16, 8)])
    assert (mask.width, mask.height) == (16, 32)
    edit(photo, mask)
    seen, transparent = pixels(decoded(sent_image(gptimage_emulator))), editable(mask)
    assert (seen[transparent][:, 0] > 128).all(), "the red square"
    assert (seen[~transparent][:, 0] < 128).mean() > 0.9


def test_a_pillow_mask_is_turned_too() -> None:
    mask = Pil.new("L", (32, 16))
    mask.paste(255, (0, 0, 8, 8))
    mask.info["exif"] = sideways(6).info["exif"]
    made = Mask.from_pil(mask)
    assert (made.width, made.height) == (16, 32)
    assert editable(made)[0:8, 8:16].all() and editable(made).sum() == 64


def test_an_exif_block_that_cannot_be_read_turns_nothing(
    edit: Callable[..., object], gptimage_emulator: Emulator
) -> None:
    picture = colours()
    picture.info["exif"] = b"Exif\0\0no TIFF"
    edit(picture)
    assert decoded(sent_image(gptimage_emulator)).size == picture.size


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_a_file_that_is_to_be_turned_and_a_mask(
    edit: Callable[..., object], gptimage_emulator: Emulator, kind: str
) -> None:
    """Whether the server turns it, nobody says. The mask has the size that people see, and the photo has to be upright."""
    path = FIXTURES / f"exif-6-8x4.{kind}"
    mask = Mask.from_boxes(path, [(0, 0, 4, 4)])
    assert (mask.width, mask.height) == (4, 8)
    error = refusal(edit, gptimage_emulator, path, mask)
    assert isinstance(error, InvalidRequestError)
    assert_says(error, "image: ", "EXIF orientation 6", "upright", "exif_transpose")
    edit(Pil.open(path), mask)
    assert decoded(sent_image(gptimage_emulator)).size == (4, 8)


def test_a_file_that_is_to_be_turned_is_sent_as_it_is_and_told(gptimage_client: Client) -> None:
    made = gptimage_client.edit("A hat", image=[PNG, FIXTURES / "exif-6-8x4.jpg"])
    [warning] = [warning for warning in made.warnings if warning.kind == "exif_orientation"]
    assert "image[1]" in warning.message and "EXIF orientation 6" in warning.message


def test_a_pillow_image_without_pixels(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    error = refusal(edit, gptimage_emulator, Pil.new("RGB", (0, 3)))
    assert_says(error, "image: ", "0x3", "at least 1")


# --- NumPy ------------------------------------------------------------------------------------------------------------


class Own(numpy.ndarray[Any, numpy.dtype[numpy.uint8]]):
    """An array of somebody else's making."""


ARRAYS: dict[str, NDArray[numpy.uint8]] = {
    "gray": gradient(5, 7),
    "gray with an axis": gradient(5, 7, 1),
    "RGB": gradient(5, 7, 3),
    "RGBA": gradient(5, 7, 4),
    "one pixel": gradient(1, 1, 3),
    "one row": gradient(1, 9),
    "one column": gradient(9, 1, 4),
    "every other pixel": gradient(10, 14, 3)[::2, ::2],
    "transposed": gradient(7, 5, 3).transpose(1, 0, 2),
    "Fortran's order": numpy.asfortranarray(gradient(5, 7, 3)),
    "BGR turned round": gradient(5, 7, 3)[..., ::-1],
    "upside down": gradient(5, 7)[::-1],
    "three of four channels": gradient(5, 7, 4)[..., :3],
    "a broadcast": numpy.broadcast_to(gradient(1, 7, 3), (5, 7, 3)),
    "a subclass": gradient(5, 7, 3).view(Own),
    "four samples wide": gradient(3, 4),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_numpy_arrays(edit: Callable[..., object], gptimage_emulator: Emulator, kind: str) -> None:
    given = ARRAYS[kind]
    edit(given)
    sent = decoded(sent_image(gptimage_emulator))
    squeezed = given[..., 0] if given.ndim == 3 and given.shape[2] == 1 else given
    assert sent.mode == {2: "L", 3: "RGB" if given.shape[-1] == 3 else "RGBA"}[squeezed.ndim]
    assert numpy.array_equal(numpy.asarray(sent), squeezed)


def test_a_read_only_array(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    given = gradient(5, 7, 3)
    given.flags.writeable = False
    edit(given)
    assert numpy.array_equal(numpy.asarray(decoded(sent_image(gptimage_emulator))), given)


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "float16", "bool", "int8", "uint16", ">u2", "int64", "complex64", "object", "datetime64[s]"],
)
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)], ids=["gray", "RGB"])
def test_arrays_of_other_types(
    edit: Callable[..., object], gptimage_emulator: Emulator, dtype: str, shape: tuple[int, ...]
) -> None:
    error = refusal(edit, gptimage_emulator, [PNG, numpy.zeros(shape, dtype)])
    assert isinstance(error, TypeError)
    assert_says(error, "image[1]: ", "uint8")


def test_the_advice_for_another_type_fits_it(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """`(array * 255)` is right for 0 to 1, and wraps round for everything else."""
    for_floats = refusal(edit, gptimage_emulator, numpy.zeros((4, 5)))
    assert_says(for_floats, "4 x 5", "(array * 255).astype('uint8')", "0 to 1")
    for_16_bits = refusal(edit, gptimage_emulator, numpy.zeros((4, 5), "uint16"))
    assert_says(for_16_bits, "4 x 5")
    assert "* 255" not in str(for_16_bits)


@pytest.mark.parametrize(
    "shape", [(), (0, 4), (4, 0, 3), (4, 5, 2), (4, 5, 5), (3, 4, 5), (2, 4, 5, 3), (4, 5, 3, 1)], ids=str
)
def test_arrays_of_other_shapes(
    edit: Callable[..., object], gptimage_emulator: Emulator, shape: tuple[int, ...]
) -> None:
    error = refusal(edit, gptimage_emulator, [PNG, PNG, numpy.zeros(shape, "uint8")])
    assert isinstance(error, ValueError)
    assert_says(error, "image[2]: ")
    if shape and 0 not in shape:
        assert_says(error, " x ".join(map(str, shape)), "height x width", "RGB", "RGBA")


# --- Results ----------------------------------------------------------------------------------------------------------


def test_a_result_in_memory(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    edit(Image.from_bytes(WEBP))
    assert sent_image(gptimage_emulator) == WEBP


def test_a_result_in_a_file(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    edit([Image.from_file(FIXTURES / "rgb-4x4.jpg"), Image.from_bytes(PNG)])
    assert sent_images(gptimage_emulator) == [JPEG, PNG]


def test_a_result_that_is_still_at_its_url(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    error = refusal(edit, gptimage_emulator, Image.from_url(f"{gptimage_emulator.cdn_url}/a.png"))
    assert_says(error, "image: ", "fetch it first")


def test_what_a_call_made_is_what_the_next_one_edits(gptimage_emulator: Emulator, tmp_path: Path) -> None:
    client = gptimage_emulator.client()
    in_memory = client.generate("A hat").image
    in_a_file = client.generate("A hat", save_to=tmp_path / "hat.png").image
    assert (in_memory.location, in_a_file.location) == ("memory", "file")
    client.edit("A crown", image=[in_memory, in_a_file])
    [edited] = [request for request in gptimage_emulator.requests if request.target.endswith("/edits")]
    assert [part.content for part in form(edited) if part.name == "image[]"] == [PNG, PNG]


def whole_result(*pictures: bytes) -> Generated:
    """A result of these pictures, which needs no call."""
    unsaid = ("cost", "created", "usage", "client_request_id", "inference_id", "request_id", "response")
    images = [Image.from_bytes(picture) for picture in pictures]
    return Generated({**dict.fromkeys(unsaid), "images": images, "warnings": (), "attempts": ()})


@pytest.mark.parametrize("pictures", [(JPEG,), (PNG, JPEG, WEBP)], ids=["one", "three"])
def test_a_whole_result_is_all_its_pictures(
    edit: Callable[..., object], gptimage_emulator: Emulator, pictures: tuple[bytes, ...]
) -> None:
    edit(whole_result(*pictures))
    assert sent_images(gptimage_emulator) == list(pictures)


def test_a_whole_result_among_others_is_its_first_picture(
    edit: Callable[..., object], gptimage_emulator: Emulator
) -> None:
    edit([whole_result(WEBP, PNG), JPEG])
    assert sent_images(gptimage_emulator) == [WEBP, JPEG]


def test_a_whole_result_without_pictures(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """As in some errors' `generated`."""
    assert_says(refusal(edit, gptimage_emulator, whole_result()), "image: ", "at least one")


# --- How many ---------------------------------------------------------------------------------------------------------


def names(emulator: Emulator) -> list[str]:
    return [part.name for part in form(only_call(emulator)) if part.filename is not None]


@pytest.mark.parametrize("several", [list, tuple])
@pytest.mark.parametrize("count", [1, 2, 16])
def test_one_to_sixteen(
    edit: Callable[..., object], gptimage_emulator: Emulator, several: Any, count: int
) -> None:
    given = [[PNG, JPEG, WEBP][index % 3] for index in range(count)]
    edit(several(given))
    assert sent_images(gptimage_emulator) == given
    assert names(gptimage_emulator) == ["image"] if count == 1 else ["image[]"] * count


def test_one_image_is_not_sent_as_a_list(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    edit(PNG)
    assert names(gptimage_emulator) == ["image"]


def test_all_forms_in_one_call(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    edit(
        [
            FIXTURES / "rgb-4x4.png",
            JPEG,
            io.BytesIO(WEBP),
            ("a", PNG),
            colours(),
            gradient(4, 4, 3),
            Image.from_bytes(JPEG),
        ]
    )
    sent = sent_images(gptimage_emulator)
    assert sent[:4] + sent[6:] == [PNG, JPEG, WEBP, PNG, JPEG]
    assert numpy.array_equal(pixels(decoded(sent[4])), gradient(6, 5, 4))
    assert numpy.array_equal(numpy.asarray(decoded(sent[5])), gradient(4, 4, 3))


@pytest.mark.parametrize("several", [iter, lambda images: (image for image in images)], ids=["iterator", "generator"])
def test_any_iterable(edit: Callable[..., object], gptimage_emulator: Emulator, several: Any) -> None:
    """As the signature says."""
    edit(several([PNG, JPEG]))
    assert sent_images(gptimage_emulator) == [PNG, JPEG]


def test_a_folders_files(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    edit(FIXTURES.glob("rgb-4x4.png"))
    assert sent_images(gptimage_emulator) == [PNG]


def test_a_folders_files_that_are_not_there(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    assert_says(refusal(edit, gptimage_emulator, FIXTURES.glob("*.nothing")), "image: ", "at least one")


def test_an_iterables_own_error_is_the_callers(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    def pictures() -> Iterator[bytes]:
        yield PNG
        raise LookupError("no second one")

    with pytest.raises(LookupError, match="no second one"):
        edit(pictures())
    assert gptimage_emulator.connections == 0


def test_seventeen(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    assert_says(refusal(edit, gptimage_emulator, [PNG] * 17), "image: ", "17", "the limit is 16")


@pytest.mark.parametrize("several", [list, tuple])
def test_none_at_all(edit: Callable[..., object], gptimage_emulator: Emulator, several: Any) -> None:
    assert_says(refusal(edit, gptimage_emulator, several([])), "image: ", "at least one")


@pytest.mark.parametrize(
    "value", [None, 5, 1.5, True, object(), {"a": 1}, {1, 2}, len], ids=lambda value: type(value).__name__
)
def test_what_is_no_image(edit: Callable[..., object], gptimage_emulator: Emulator, value: object) -> None:
    alone = refusal(edit, gptimage_emulator, value)
    among_others = refusal(edit, gptimage_emulator, [PNG, value])
    assert isinstance(alone, TypeError) and isinstance(among_others, TypeError)
    assert_says(alone, "image: ", *WAYS_OUT)
    assert_says(among_others, "image[1]: ", *WAYS_OUT)


def test_several_that_are_no_images(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """What can be iterated over is several images, or none."""
    alone = refusal(edit, gptimage_emulator, range(3))
    among_others = refusal(edit, gptimage_emulator, [PNG, range(3)])
    assert isinstance(alone, TypeError) and isinstance(among_others, TypeError)
    assert_says(alone, "image[0]: int ", *WAYS_OUT)
    assert_says(among_others, "image[1]: range ", *WAYS_OUT)


@pytest.mark.parametrize("value", [[[1, 2], [3, 4]], [["a.png"]]], ids=["pixels", "paths"])
def test_lists_of_lists(edit: Callable[..., object], gptimage_emulator: Emulator, value: object) -> None:
    assert_says(refusal(edit, gptimage_emulator, value), "image[0]: ", "list", *WAYS_OUT)


def test_the_async_client_takes_the_same(gptimage_emulator: Emulator) -> None:
    async def edited() -> None:
        client = gptimage_emulator.async_client(fetch=False)
        with pytest.raises(TypeError, match="image: int is no image"):
            await client.edit("A hat", image=5)  # type: ignore[arg-type]
        await client.edit("A hat", image=[colours(), gradient(4, 4), io.BytesIO(PNG)])

    asyncio.run(edited())
    assert len(sent_images(gptimage_emulator)) == 3


# --- Masks ------------------------------------------------------------------------------------------------------------


def editable(mask: Mask) -> NDArray[numpy.bool_]:
    """Where a mask is transparent, read back from its PNG; everything else in it is checked on the way."""
    picture = decoded(mask.png)
    assert picture.mode == "RGBA"
    assert picture.size == (mask.width, mask.height)
    alpha = numpy.asarray(picture)[..., 3]
    assert set(numpy.unique(alpha)) <= {0, 255}
    transparent: NDArray[numpy.bool_] = alpha == 0
    assert mask.editable_share == pytest.approx(transparent.mean())
    return transparent


def box(left: int, top: int, right: int, bottom: int, width: int = 8, height: int = 6) -> NDArray[numpy.bool_]:
    where = numpy.zeros((height, width), bool)
    where[top:bottom, left:right] = True
    return where


IMAGES_OF_8x6: dict[str, Callable[[], Any]] = {
    "size": lambda: (8, 6),
    "Pillow": lambda: Pil.new("L", (8, 6)),
    "Pillow's size": lambda: Pil.new("L", (8, 6)).size,
    "NumPy": lambda: numpy.zeros((6, 8, 3), "uint8"),
    "NumPy's numbers": lambda: (numpy.int64(8), numpy.int32(6)),
    "bytes": lambda: Mask.from_array(numpy.zeros((6, 8), bool)).png,
    "file": lambda: io.BytesIO(Mask.from_array(numpy.zeros((6, 8), bool)).png),
    "Image": lambda: Image.from_bytes(Mask.from_array(numpy.zeros((6, 8), bool)).png),
    "a whole result": lambda: whole_result(Mask.from_array(numpy.zeros((6, 8), bool)).png, PNG),
}


@pytest.mark.parametrize("kind", IMAGES_OF_8x6)
def test_a_mask_has_its_images_size(kind: str) -> None:
    mask = Mask.from_boxes(IMAGES_OF_8x6[kind](), [(1, 2, 4, 5)])
    assert (mask.width, mask.height) == (8, 6)
    assert numpy.array_equal(editable(mask), box(1, 2, 4, 5))


def test_a_mask_for_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Pil.new("RGB", (8, 6)).save(path)
    for given in (path, str(path), Image.from_file(path)):
        assert numpy.array_equal(editable(Mask.from_boxes(given, [(0, 0, 8, 1)])), box(0, 0, 8, 1))


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([(0, 0, 8, 6)], box(0, 0, 8, 6)),
        ([(7, 5, 8, 6)], box(7, 5, 8, 6)),
        ([(0, 0, 4, 3), (2, 1, 8, 6)], box(0, 0, 4, 3) | box(2, 1, 8, 6)),
        ([[0, 0, 4, 3]], box(0, 0, 4, 3)),
        (numpy.array([[0, 0, 4, 3], [5, 0, 6, 6]]), box(0, 0, 4, 3) | box(5, 0, 6, 6)),
        (iter([(0, 0, 4, 3)]), box(0, 0, 4, 3)),
        ([], box(0, 0, 0, 0)),
    ],
    ids=["all", "the last pixel", "overlapping", "lists", "NumPy", "iterator", "none"],
)
def test_boxes(boxes: Any, expected: NDArray[numpy.bool_]) -> None:
    """Right and bottom are excluded."""
    mask = Mask.from_boxes((8, 6), boxes)
    assert numpy.array_equal(editable(mask), expected)


NO_BOXES: list[tuple[Any, tuple[str, ...]]] = [
    ([(0, 0, 9, 6)], ("box 0", "9", "right <= 8")),
    ([(0, 0, 8, 6), (0, 0, 8, 7)], ("box 1", "7", "bottom <= 6")),
    ([(3, 3, 3, 4)], ("box 0", "left < right")),
    ([(5, 0, 4, 6)], ("box 0", "left < right")),
    ([(-1, 0, 4, 4)], ("boxes[0]", "-1", "left, top, right, bottom")),
    ([(0, 0, 4)], ("boxes[0]", "left, top, right, bottom")),
    ([(0, 0, 8, 6), (0, 0, 4, 4, 4)], ("boxes[1]", "left, top, right, bottom")),
    ([(0, 0, 2**40, 6)], ("box", "1099511627776")),
    ([(0.1, 0.1, 0.5, 0.5)], ("boxes[0]", "0.1", "pixels")),
    ([(0, 0, float("nan"), 6)], ("boxes[0]", "nan")),
    ([(0, 0, "4", 6)], ("boxes[0]", "'4'")),
    (["0,0,4,4"], ("boxes[0]", "left, top, right, bottom")),
    ([None], ("boxes[0]", "None", "left, top, right, bottom")),
    ((0, 0, 4, 4), ("boxes", "left, top, right, bottom")),
    (None, ("boxes", "left, top, right, bottom")),
]


@pytest.mark.parametrize(("boxes", "says"), NO_BOXES, ids=[str(boxes) for boxes, _ in NO_BOXES])
def test_boxes_that_are_none(boxes: Any, says: tuple[str, ...]) -> None:
    with pytest.raises((ValueError, TypeError)) as refused:
        Mask.from_boxes((8, 6), boxes)
    assert_says(refused.value, *says)


NO_SIZES: list[tuple[Any, tuple[str, ...]]] = [
    ((0, 6), ("0x6", "at least 1")),
    ((8, -1), ("8x-1", "at least 1")),
    ((2**33, 6), ("8589934592x6",)),
    ((1 << 30, 1 << 30), ("1073741824x1073741824",)),
    ((8, 6, 3), ("image", "(width, height)")),
    ((8.0, 6.0), ("image", "(width, height)")),
    (None, ("image", "(width, height)")),
    ("nowhere.png", ("nowhere.png", "no such file")),
    (b"no picture", ("PNG, JPEG or WebP",)),
    ("https://example.org/a.png", ("download it first",)),
]


@pytest.mark.parametrize(("image", "says"), NO_SIZES, ids=[str(image) for image, _ in NO_SIZES])
def test_images_that_have_no_size(image: Any, says: tuple[str, ...]) -> None:
    with pytest.raises((ValueError, TypeError)) as refused:
        Mask.from_boxes(image, [(0, 0, 1, 1)])
    assert_says(refused.value, *says)


LEFT_HALF = box(0, 0, 4, 6)

BOOLEANS: dict[str, Any] = {
    "bool": LEFT_HALF,
    "uint8": LEFT_HALF.astype("uint8"),
    "uint8 up to 255": LEFT_HALF.astype("uint8") * 255,
    "transposed": numpy.ascontiguousarray(LEFT_HALF.T).T,
    "Fortran's order": numpy.asfortranarray(LEFT_HALF),
    "turned round": LEFT_HALF[:, ::-1][:, ::-1],
    "every other": numpy.repeat(LEFT_HALF, 2, axis=1)[:, ::2],
    "lists": LEFT_HALF.tolist(),
    "lists of numbers": LEFT_HALF.astype(int).tolist(),
    "tuples": tuple(map(tuple, LEFT_HALF.tolist())),
    "rows of NumPy": list(LEFT_HALF),
    "rows of NumPy in uint8": list(LEFT_HALF.astype("uint8")),
    "comparison": gradient(6, 8) * 0 + numpy.arange(8, dtype="uint8") < 4,
}


@pytest.mark.parametrize("kind", BOOLEANS)
def test_arrays_of_booleans(kind: str) -> None:
    mask = Mask.from_array(BOOLEANS[kind])
    assert numpy.array_equal(editable(mask), LEFT_HALF)
    assert mask.editable_share == 0.5


def shortly(value: object) -> str:
    """A name for a test."""
    return f"{value.dtype} {value.shape}" if isinstance(value, numpy.ndarray) else repr(value)


NO_MASKS: list[tuple[Any, tuple[str, ...]]] = [
    (numpy.zeros((6, 8)), ("mask", "6 x 8", "height x width booleans", "(array > 0.5)")),
    (numpy.zeros((6, 8), int), ("mask", "6 x 8", "booleans")),
    (numpy.zeros((6, 8, 3), bool), ("mask", "6 x 8 x 3", "height x width")),
    (numpy.zeros(8, bool), ("mask", "height x width")),
    (numpy.zeros((0, 8), bool), ("mask", "8x0", "at least 1")),
    ([], ("mask", "at least 1")),
    ([[]], ("mask", "at least 1")),
    ([[True, False], [True]], ("mask", "different lengths")),
    ([True, False], ("mask", "height x width")),
    ("text", ("mask", "height x width")),
    (["text", "more"], ("mask", "height x width")),
    # All of it would be editable, and the call would be paid for.
    (list(numpy.full((6, 8), 0.1)), ("mask", "height x width booleans")),
    (b"text", ("mask", "height x width")),
    (None, ("mask", "height x width")),
    (5, ("mask", "height x width")),
]


@pytest.mark.parametrize(("value", "says"), NO_MASKS, ids=[shortly(value) for value, _ in NO_MASKS])
def test_arrays_that_are_no_mask(value: Any, says: tuple[str, ...]) -> None:
    with pytest.raises((ValueError, TypeError)) as refused:
        Mask.from_array(value)
    assert_says(refused.value, *says)


def with_alpha(mode: str) -> Pil.Image:
    """See-through on the left, with the colours that would mean the opposite."""
    picture = Pil.fromarray(numpy.where(LEFT_HALF, 0, 255).astype("uint8")).convert("RGBA")
    picture.putalpha(Pil.fromarray(numpy.where(LEFT_HALF, 0, 255).astype("uint8")))
    return picture.convert(mode)


def see_through_palette() -> Pil.Image:
    picture = Pil.new("P", (8, 6))
    picture.putdata(LEFT_HALF.astype(int).ravel().tolist())
    picture.putpalette([255, 255, 255, 0, 0, 0])
    picture.info["transparency"] = 1
    return picture


MASK_PICTURES: dict[str, Callable[[], Pil.Image]] = {
    "RGBA": lambda: with_alpha("RGBA"),
    "LA": lambda: with_alpha("LA"),
    "P with transparency": see_through_palette,
    "1": lambda: Pil.fromarray(LEFT_HALF),
    "L": lambda: Pil.fromarray(LEFT_HALF.astype("uint8") * 255),
    "L in grays": lambda: Pil.fromarray(numpy.where(LEFT_HALF, 128, 127).astype("uint8")),
    "RGB": lambda: Pil.fromarray(LEFT_HALF.astype("uint8") * 255).convert("RGB"),
    "I;16": lambda: Pil.fromarray(numpy.where(LEFT_HALF, 65535, 300).astype("uint16")),
}


@pytest.mark.parametrize("kind", MASK_PICTURES)
def test_pillow_masks(kind: str) -> None:
    """Editable where transparent, if there is an alpha channel, else where white."""
    assert numpy.array_equal(editable(Mask.from_pil(MASK_PICTURES[kind]())), LEFT_HALF)


def test_a_mask_without_a_see_through_pixel(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    mask = Mask.from_pil(Pil.new("RGBA", (4, 4), (0, 0, 0, 128)))
    assert mask.editable_share == 0
    assert_says(refusal(edit, gptimage_emulator, PNG, mask), "mask: ", "no fully transparent pixel")
    assert_says(refusal(edit, gptimage_emulator, PNG, FIXTURES / "half-4x4.png"), "mask: ", "no fully transparent pixel")


def test_a_mask_that_is_partly_half_see_through_is_told(gptimage_client: Client) -> None:
    made = gptimage_client.edit("A hat", image=PNG, mask=FIXTURES / "half-and-clear-4x4.png")
    assert "half_transparent_mask" in [warning.kind for warning in made.warnings]


def test_half_see_through_is_not_editable() -> None:
    """Only alpha 0 is, in what is said of the mask; the alpha itself is sent as it was."""
    picture = Pil.new("RGBA", (2, 1))
    picture.putdata([(0, 0, 0, 0), (0, 0, 0, 128)])
    mask = Mask.from_pil(picture)
    assert mask.editable_share == 0.5
    assert decoded(mask.png).getchannel("A").tobytes() == bytes([0, 128])


@pytest.mark.parametrize(
    "value", ["mask.png", b"png", LEFT_HALF, None, 5], ids=["path", "bytes", "NumPy", "None", "number"]
)
def test_what_is_no_pillow_mask(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as refused:
        Mask.from_pil(value)
    assert_says(refused.value, "mask", "Pillow")


def test_a_mask_is_sent_as_it_is(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    mask = Mask.from_boxes(PNG, [(0, 0, 2, 4)])
    edit(PNG, mask)
    assert sent_mask(gptimage_emulator) == mask.png
    assert mask.editable_share == 0.5


SEE_THROUGH = fixture("rgba-4x4.png")

MASK_FORMS: dict[str, Callable[[], Any]] = {
    "path": lambda: FIXTURES / "rgba-4x4.png",
    "str": lambda: str(FIXTURES / "rgba-4x4.png"),
    "bytes": lambda: SEE_THROUGH,
    "bytearray": lambda: bytearray(SEE_THROUGH),
    "file": lambda: io.BytesIO(SEE_THROUGH),
    "Image": lambda: Image.from_bytes(SEE_THROUGH),
    "Pillow": lambda: Pil.open(io.BytesIO(SEE_THROUGH)),
    "NumPy": lambda: numpy.asarray(Pil.open(io.BytesIO(SEE_THROUGH))),
}


@pytest.mark.parametrize("kind", MASK_FORMS)
def test_forms_of_masks(edit: Callable[..., object], gptimage_emulator: Emulator, kind: str) -> None:
    edit(PNG, MASK_FORMS[kind]())
    sent = sent_mask(gptimage_emulator)
    assert numpy.array_equal(pixels(decoded(sent)), pixels(decoded(SEE_THROUGH)))
    assert kind in ("Pillow", "NumPy") or sent == SEE_THROUGH


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (5, ("int",)),
        ([PNG], ("list",)),
        ((4, 4), ("tuple",)),
        (LEFT_HALF, ("6 x 8", "Mask.from_array")),
        (LEFT_HALF.tolist(), ("Mask.from_array",)),
    ],
    ids=["number", "list", "size", "booleans", "lists"],
)
def test_what_is_no_mask(
    edit: Callable[..., object], gptimage_emulator: Emulator, mask: Any, says: tuple[str, ...]
) -> None:
    """The helpers that would make one of it are named."""
    error = refusal(edit, gptimage_emulator, PNG, mask)
    assert isinstance(error, TypeError)
    assert_says(error, "mask: ", "Mask", *says)


@pytest.mark.parametrize("mask", [numpy.zeros((0, 4, 4), "uint8"), Pil.new("RGBA", (4, 0))], ids=["NumPy", "Pillow"])
def test_a_mask_without_pixels(edit: Callable[..., object], gptimage_emulator: Emulator, mask: Any) -> None:
    assert_says(refusal(edit, gptimage_emulator, PNG, mask), "mask: ", "at least 1")


def test_a_mask_that_changes_nothing(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    error = refusal(edit, gptimage_emulator, PNG, Mask.from_boxes(PNG, []))
    assert_says(error, "mask: ", "nothing would be edited")


def test_a_mask_of_another_size(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    error = refusal(edit, gptimage_emulator, PNG, Mask.from_boxes((8, 4), [(0, 0, 1, 1)]))
    assert_says(error, "mask: ", "8x4", "4x4")


def test_a_mask_in_black_and_white(edit: Callable[..., object], gptimage_emulator: Emulator) -> None:
    """As other tools have masks; here it has to be transparent, which a helper makes of it."""
    error = refusal(edit, gptimage_emulator, PNG, Pil.new("L", (4, 4), 255))
    assert_says(error, "mask: ", "alpha", "transparent")


def test_a_picture_saved_under_another_formats_name_is_warned_of(tmp_path: Path) -> None:
    """It is not converted. If the warning is an error, nothing is written."""
    image = Image.from_bytes(PNG)
    with pytest.warns(UserWarning, match=r"a\.jpg holds a png; its extension says otherwise") as caught:
        assert image.save(tmp_path / "a.jpg").read_bytes() == PNG
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("b.png", "b.PNG.png", "c"):
            image.save(tmp_path / name)
        with pytest.raises(UserWarning):
            image.save(tmp_path / "d.webp")
    assert not (tmp_path / "d.webp").exists()


def test_saved_masks(tmp_path: Path) -> None:
    mask = Mask.from_boxes((8, 6), [(0, 0, 4, 6)])
    path = mask.save(tmp_path / "mask.png")
    assert path == tmp_path / "mask.png"
    assert path.read_bytes() == mask.png
    with pytest.raises(gptimage.LocalIOError):
        mask.save(path)
    assert mask.save(path, overwrite=True) == path
