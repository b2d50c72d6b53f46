"""The compiled part of gptimage. Only `Image` is public."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

import numpy
from numpy.typing import NDArray
from PIL.Image import Image as PilImage

__all__ = [
    "VERSION",
    "Batch",
    "Budget",
    "CallHandle",
    "Client",
    "Emulator",
    "Image",
    "LogRecords",
    "dimensions",
    "error_kinds",
    "main",
    "mask_from_alpha",
    "mask_from_boxes",
    "mask_from_editable",
    "preview",
    "set_log_level",
    "shutdown",
]

_Path: TypeAlias = str | PathLike[str]
_Input: TypeAlias = _Path | bytes | Image | tuple[int, int, int, bytes]

VERSION: str
"""The version of the library."""

def main(args: Sequence[str]) -> int:
    """Runs the `gptimage` command and returns its exit code."""

def error_kinds() -> list[tuple[str, int]]:
    """Returns every kind of error: its slug and its number."""

def shutdown() -> None:
    """Waits until the library's threads are done with the interpreter, which is about to exit. Registered with
    `atexit`.
    """

def set_log_level(level: int) -> None:
    """Sets the level of Python's `logging` below which no log records are created."""

def mask_from_boxes(width: int, height: int, boxes: Sequence[Sequence[int]]) -> tuple[bytes, float]:
    """Makes a mask that is editable inside the boxes."""

def mask_from_editable(width: int, height: int, bytes: bytes) -> tuple[bytes, float]:
    """Makes a mask that is editable where a byte is not 0."""

def mask_from_alpha(width: int, height: int, bytes: bytes) -> tuple[bytes, float]:
    """Makes a mask that is editable where alpha is 0."""

def dimensions(image: _Input) -> tuple[int, int]:
    """Returns the width and height of an image, read from its header."""

def preview(
    images: Sequence[Image], side: int, columns: int, max_bytes: int, checkered: bool
) -> tuple[bytes, int, int] | None:
    """Renders all images that can be decoded into one PNG, in rows, each at most `side` pixels wide and high. Returns
    the PNG with its width and height; `None` if no image can be decoded. The PNG has at most `max_bytes`, if
    possible. `checkered` puts a gray checkerboard behind transparent areas.
    """

@final
class Image:
    """An image: in memory, in a file, or still at its URL. Immutable, picklable and hashable.

    Format and dimensions are read from the bytes, not taken from the request. An image supports the buffer protocol:
    `memoryview(image)` and `numpy.frombuffer(image, "uint8")` show the bytes of the file without a copy (an image in a
    file is read). NumPy prefers that protocol, so `numpy.asarray(image)` also returns the bytes of the file; use
    `to_numpy` for the pixels. A notebook shows a preview of the image.
    """

    @staticmethod
    def from_bytes(data: bytes | bytearray) -> Image:
        """Creates an image from the bytes of a file. Without a complete PNG, JPEG or WebP it has no format and no
        dimensions.
        """

    @staticmethod
    def from_file(path: _Path) -> Image:
        """Creates an image from a file, which is read whenever its bytes are needed."""

    @staticmethod
    def from_url(url: str) -> Image:
        """Creates an image from the URL that the server gave for it earlier. `client.fetch` downloads it."""

    @staticmethod
    def _restore(
        data: bytes | None, path: _Path | None, url: str | None, revised_prompt: str | None, inline: bool
    ) -> Image: ...
    @property
    def format(self) -> Literal["png", "jpeg", "webp"] | None:
        """The format, read from the bytes; `None` if the image is still at its URL."""

    @property
    def width(self) -> int | None:
        """The width in pixels, read from the bytes."""

    @property
    def height(self) -> int | None:
        """The height in pixels, read from the bytes."""

    @property
    def location(self) -> Literal["memory", "file", "url"]:
        """Where the bytes are."""

    @property
    def path(self) -> Path | None:
        """The file that the image was saved to, if any."""

    @property
    def url(self) -> str | None:
        """The URL that the server gave. Its lifetime is not documented."""

    @property
    def revised_prompt(self) -> str | None:
        """The prompt as rewritten by the model, if the server stated it."""

    @property
    def inline(self) -> bool:
        """Whether the image came as base64 in the response instead of as a URL."""

    @property
    def nbytes(self) -> int | None:
        """The size of the file in bytes; `None` if the image is still at its URL."""

    def read(self) -> bytes:
        """Returns the bytes of the file.

        Raises LocalIOError if the file cannot be read, DownloadError if the image is still at its URL.
        """

    def save(self, path: _Path, *, overwrite: bool = False) -> Path:
        """Saves a copy to a file or folder and returns its path.

        If `path` is an existing folder or ends in `/`, a file name is generated; a missing extension is added; an
        existing file is refused unless `overwrite`. The file appears under its name only when it is complete. The
        format is never converted: an extension of another format causes a UserWarning before anything is written.
        Raises LocalIOError.
        """

    def to_pil(self) -> PilImage:
        """Decodes the image to a `PIL.Image.Image`. Needs Pillow."""

    def to_numpy(self) -> NDArray[numpy.uint8]:
        """Decodes the image to a NumPy array of uint8: height × width × 3 (RGB) or × 4 (RGBA), or height × width
        (gray).

        Needs NumPy and Pillow. The array is read-only; use `.copy()` for a writable one.
        """

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]: ...
    def __bytes__(self) -> bytes: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]: ...

@final
class CallHandle:
    """A call, which starts when it is first waited for. Created by `Client`, waited for by `gptimage`'s clients."""

    def wait(self, signals: bool) -> bool:
        """Waits until there is new progress or the call has ended. Returns whether it has ended. `signals`: check for
        signals meanwhile.
        """

    def set_waker(self, waker: Callable[[], object]) -> bool:
        """Registers a function that is called once, from another thread, as soon as there is something new. Returns
        False if it will not be called because the interpreter is exiting.
        """

    def done(self) -> bool:
        """Returns whether the call has ended."""

    def progress(self) -> dict[str, Any] | None:
        """Takes the latest progress, if there is any since the last call."""

    def take(self) -> tuple[str, Any]:
        """Takes the outcome of the call: its kind (`generated`, `error`, `image`, `balance`, `reconciled`, `nothing` or
        `lost`) and its value as a dict or object.
        """

    def mark_delivered(self, object: Any) -> Any:
        """Registers the object that was made from the outcome. From now on the outcome is put back for `collect` only
        if nobody receives that object.
        """

    def abandon(self, stopped: BaseException) -> tuple[str, dict[str, Any] | None] | None:
        """Abandons the call because of an exception, without losing what may be charged. Waits briefly for its end.
        Returns a line that says what the call may cost, and the dict of an error with details; `None` if nobody can
        read them, or if the exception is the call's own error.
        """

@final
class Batch:
    """Outcomes that are being collected. Those that nobody receives are put back for the next `collect`."""

    def to_dicts(self) -> list[tuple[str, Any]]:
        """Returns the kind and the dict of each outcome."""

    def put_back(self) -> None:
        """Puts all outcomes back for the next `collect`."""

    def mark_delivered(self, objects: Any) -> Any:
        """Registers the objects that were made from the outcomes."""

@final
class LogRecords:
    """The receiver of log records, used by the logging thread."""

    def next(self) -> tuple[int, str] | None:
        """Waits for the next record and returns its level and text. `None` in a forked child, if a handler has forked."""

    def failed(self, error: BaseException) -> None:
        """Reports an exception of a handler through `sys.unraisablehook`."""

@final
class Budget:
    """The core of `gptimage.Budget`."""

    def __new__(cls, max_usd: str, max_usd_per_call: str | None) -> Budget: ...
    def status(self) -> dict[str, Any]:
        """Returns the state as a dict."""

@final
class Client:
    """The core of both clients. Creates a new core client in a forked child, where the inherited one has no threads."""

    def __new__(cls, options: dict[str, Any]) -> Client: ...
    @property
    def base_url(self) -> str:
        """The base URL of the API, after normalisation."""

    def with_options(self, options: dict[str, Any]) -> Client:
        """Returns a client with other options that shares the outcomes kept for `collect`."""

    def call(
        self,
        operation: str,
        prompt: str,
        parameters: Sequence[tuple[str, str]],
        *,
        images: Sequence[_Input],
        mask: _Input | None,
        extra: str | None,
        structural_rules: bool,
        save_to: _Path | None,
        overwrite: bool,
        deadline: float | None,
        max_attempts: int | None,
        fetch: bool | None,
        observed: bool,
    ) -> CallHandle:
        """Creates a charged call."""

    def fetch(self, image: Image, save_to: _Path | None, overwrite: bool) -> CallHandle:
        """Creates a download, which is free."""

    def balance(self) -> CallHandle:
        """Creates a request for the account's balance."""

    def drain(self, limit: float | None) -> CallHandle:
        """Creates a wait until every call without a caller has ended, or until the time limit."""

    def collect(self) -> Batch:
        """Takes the outcomes of calls whose callers were gone."""

    def pending(self) -> list[dict[str, Any]]:
        """Returns the calls that may be charged and whose outcome nobody has received, as dicts."""

    def reconcile(
        self,
        attempts: Sequence[tuple[str, str | None, str | None, str | None, str | None]],
        period: str | None,
        timeout: float | None,
    ) -> CallHandle:
        """Creates a lookup of attempts in the vendor's usage log."""

@final
class Emulator:
    """A running emulator, on its own thread."""

    def __new__(cls, start: str, settings: str, canned: bytes | None) -> Emulator: ...
    def addresses(self) -> dict[str, str]:
        """Returns `base_url`, `cdn_url`, `control_url` and `key`."""

    def fault(self, json: str) -> None:
        """Scripts one fault or a list of faults."""

    def clear_faults(self) -> None:
        """Removes all faults that have not happened."""

    def set(self, json: str) -> None:
        """Changes settings."""

    def wait_idle(self) -> None:
        """Waits until no request sent so far can change the ledger any more."""

    def ledger(self) -> list[Mapping[str, Any]]:
        """Returns the ledger: one entry per charged call."""

    def charges(self) -> int:
        """Returns the number of charged calls."""

    def connections(self) -> int:
        """Returns the number of connections that the API accepted."""

    def balance(self) -> str:
        """Returns the balance in US dollars."""

    def requests(self) -> list[Mapping[str, Any]]:
        """Returns the last requests."""

    def stop(self) -> None:
        """Closes all ports and connections."""
