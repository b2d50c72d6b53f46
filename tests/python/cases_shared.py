"""Shared by these tests: fixtures, the shared cases, a server for images, and readers of sent requests."""

from __future__ import annotations

import base64
import email.message
import email.policy
import io
import re
import textwrap
import threading
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptimage import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gptimage.records import RecordedRequest

TESTS = Path(__file__).resolve().parent.parent
FIXTURES = TESTS / "fixtures"

# The key of tests/cases/answers.toml, and the part of it that must never be shown.
KEY = "sk-cases-0123456789abcdef"
TELLING = KEY[:16]

# In seconds: the limit for events that should happen at once.
TIMEOUT = 20.0


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def cases(name: str, table: str) -> list[dict[str, Any]]:
    """The cases of a file of tests/cases."""
    read: list[dict[str, Any]] = tomllib.loads((TESTS / "cases" / name).read_text("utf-8"))[table]
    return read


def canned_emulator(picture: str = "rgb-4x4.png", **options: Any) -> Emulator:
    """An emulator with a picture at hand in place of a drawn one, for tests that look at requests only."""
    return Emulator(canned=fixture(picture), keep_bodies=64 << 20, **options)


# --- What is sent ---------------------------------------------------------------------------------------------------


def calls(emulator: Emulator) -> list[RecordedRequest]:
    """The requests of the API, without downloads."""
    return [request for request in emulator.requests if request.side == "api"]


def only_call(emulator: Emulator) -> RecordedRequest:
    """The one request that was sent."""
    [call] = calls(emulator)
    return call


@dataclass(frozen=True)
class Part:
    """A part of a form, as Python's own parser reads it."""

    name: str
    filename: str | None
    content_type: str
    content: bytes


def form(request: RecordedRequest) -> list[Part]:
    """The parts of an edit's body."""
    head = f"Content-Type: {request.header('content-type')}\r\n\r\n".encode()
    assert request.body is not None
    message = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    parts = []
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        name = part.get_param("name", header="content-disposition")
        assert isinstance(name, str)
        parts.append(Part(name, part.get_filename(), part.get_content_type(), content))
    return parts


def sent_images(emulator: Emulator) -> list[bytes]:
    """The images of the one edit that was sent, in their order."""
    return [part.content for part in form(only_call(emulator)) if part.name in ("image", "image[]")]


def sent_image(emulator: Emulator) -> bytes:
    """The only image of the one edit that was sent."""
    [image] = sent_images(emulator)
    return image


def sent_mask(emulator: Emulator) -> bytes:
    """The mask of the one edit that was sent."""
    [mask] = [part.content for part in form(only_call(emulator)) if part.name == "mask"]
    return mask


# --- Texts ----------------------------------------------------------------------------------------------------------

_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\u200e\u200f]")


def assert_one_printable_line(text: str) -> None:
    """A terminal shows it as it is, and it is short."""
    assert text
    assert not _HIDDEN.search(text), repr(text)
    assert len(text) <= 2000, len(text)


def assert_says(error: BaseException, *parts: str) -> None:
    """The error's text is one line, and has these words in it."""
    text = str(error)
    assert_one_printable_line(text)
    for part in parts:
        assert part.lower() in text.lower(), f"{part!r} is not in {text!r}"


# --- Pictures -------------------------------------------------------------------------------------------------------


def noise_png(width: int, height: int) -> bytes:
    """A picture that no compression makes smaller, the same in every run."""
    import numpy
    from PIL import Image as Pil

    pixels = numpy.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=numpy.uint8)
    out = io.BytesIO()
    Pil.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


# --- A server for the pictures of answers.toml, and its placeholders --------------------------------------------------


class _Fixtures(BaseHTTPRequestHandler):
    """Each fixture at /NAME, and 404 for everything else."""

    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        known = bool(name) and "/" not in name and (FIXTURES / name).is_file()
        body = fixture(name) if known else b""
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests have their own say."""


@contextmanager
def fixtures_server() -> Iterator[str]:
    """Its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Fixtures)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def expand(text: str, cdn_url: str) -> str:
    """`text` with its placeholders replaced; what they are, the head of answers.toml says."""

    def placeholder(found: re.Match[str]) -> str:
        name = found[1]
        coding, _, rest = name.partition(":")
        if coding.startswith("base64"):
            return _encoded(coding, fixture(rest))
        if name.startswith("repeat "):
            _, times, repeated = name.split(" ", 2)
            return repeated * int(times)
        return {"cdn_url": cdn_url, "cdn_host": cdn_url.removeprefix("http://"), "key": KEY}[name]

    return re.sub(r"\{\{(.*?)\}\}", placeholder, text, flags=re.DOTALL)


def _encoded(coding: str, content: bytes) -> str:
    standard = base64.b64encode(content).decode("ascii")
    match coding:
        case "base64":
            return standard
        case "base64_unpadded":
            return standard.rstrip("=")
        case "base64_urlsafe":
            return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")
        case "base64_slashes":
            return standard.replace("/", r"\/")
        case "base64_lines":
            return r"\r\n".join(textwrap.wrap(standard, 60))
    raise ValueError(f"{coding} is no coding")
