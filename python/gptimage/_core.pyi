"""The compiled part of gptimage. Only `Image` is meant for you; the rest is what the package is made of."""

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
    """Runs the `gptimage` command and gives its exit code."""

def error_kinds() -> list[tuple[str, int]]:
    """Every kind of error: its slug and its number."""

def shutdown() -> None:
    """Lets our threads finish with the interpreter, which is about to end. Registered with `atexit`."""

def set_log_level(level: int) -> None:
    """Log records below this level (of Python's `logging`) are not made."""

def mask_from_boxes(width: int, height: int, boxes: Sequence[Sequence[int]]) -> tuple[bytes, float]:
    """Editable inside the boxes."""

def mask_from_editable(width: int, height: int, bytes: bytes) -> tuple[bytes, float]:
    """Editable where a byte is not 0."""

def mask_from_alpha(width: int, height: int, bytes: bytes) -> tuple[bytes, float]:
    """Editable where alpha is 0."""

def dimensions(image: _Input) -> tuple[int, int]:
    """Width and height of an image, from its header."""

def preview(
    images: Sequence[Image], side: int, columns: int, max_bytes: int, checkered: bool
) -> tuple[bytes, int, int] | None:
    """One PNG that shows all pictures that can be shown, each at most `side` pixels wide and high, in rows; with its
    width and height. `None` if there is nothing to show. At most `max_bytes` long, or as small as it gets.
    `checkered`: on squares of two grays, which show through where a picture is transparent.
    """

@final
class Image:
    """One picture that was made: in memory, in a file, or still at a URL. Frozen, picklable, hashable.

    Format and dimensions come from the bytes, not from what was asked. It has the buffer protocol: `memoryview(image)`
    and `numpy.frombuffer(image, "uint8")` show the file's bytes in memory without a copy (a picture in a file is read).
    NumPy prefers that protocol to any other, so `numpy.asarray(image)` are the file's bytes, too; `to_numpy` gives the
    pixels. In a notebook it shows itself, smaller.
    """

    @staticmethod
    def from_bytes(data: bytes | bytearray) -> Image:
        """A picture's bytes. What is no whole PNG, JPEG or WebP has no format and no dimensions."""

    @staticmethod
    def from_file(path: _Path) -> Image:
        """A picture's file, which is read whenever its bytes are asked for."""

    @staticmethod
    def from_url(url: str) -> Image:
        """A picture that was made earlier, at the link that the server gave; `client.fetch` gets it."""

    @staticmethod
    def _restore(
        data: bytes | None, path: _Path | None, url: str | None, revised_prompt: str | None, inline: bool
    ) -> Image: ...
    @property
    def format(self) -> Literal["png", "jpeg", "webp"] | None:
        """From the bytes; `None` while they are still at a URL."""

    @property
    def width(self) -> int | None:
        """In pixels, from the bytes."""

    @property
    def height(self) -> int | None:
        """In pixels, from the bytes."""

    @property
    def location(self) -> Literal["memory", "file", "url"]:
        """Where the bytes are."""

    @property
    def path(self) -> Path | None:
        """The file, if the picture was saved to one."""

    @property
    def url(self) -> str | None:
        """The link that the server gave. Its lifetime is not documented."""

    @property
    def revised_prompt(self) -> str | None:
        """The prompt as the model rewrote it, where the server says so."""

    @property
    def inline(self) -> bool:
        """Whether it came inside the answer, as base64, and not by its link."""

    @property
    def nbytes(self) -> int | None:
        """Length of the file in bytes; `None` while it is still at a URL."""

    def read(self) -> bytes:
        """The file's bytes, from memory or from the file.

        Raises LocalIOError if the file cannot be read, DownloadError if the picture is still at its URL.
        """

    def save(self, path: _Path, *, overwrite: bool = False) -> Path:
        """Saves a copy to a file or folder and says where it is: whole, under its final name, or not at all.

        An existing folder or a path that ends in `/` takes a name of our making; a missing extension is added; an
        existing file is refused unless `overwrite`. Nothing is converted: an extension of another format is a UserWarning,
        before anything is written. Raises LocalIOError.
        """

    def to_pil(self) -> PilImage:
        """The picture as a `PIL.Image.Image`. Needs Pillow."""

    def to_numpy(self) -> NDArray[numpy.uint8]:
        """The pixels as a NumPy array of uint8: height × width × 3 (RGB) or × 4 (RGBA), or height × width (gray).

        Needs NumPy and Pillow. The array is read-only; `.copy()` gives one that is not.
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
    """A call, which begins when it is first waited for. Made by `Client`, waited for by `gptimage`'s clients."""

    def wait(self, signals: bool) -> bool:
        """Waits until there is something new: progress, or the end. True: the end. `signals`: looks for them meanwhile."""

    def set_waker(self, waker: Callable[[], object]) -> bool:
        """Calls `waker` once, from another thread, as soon as there is something new. False: nothing is called any more, for
        the interpreter is ending."""

    def done(self) -> bool:
        """Whether the call has ended."""

    def progress(self) -> dict[str, Any] | None:
        """The last look at the call, if there was none since."""

    def take(self) -> tuple[str, Any]:
        """What became of the call, in facts: its kind (`generated`, `error`, `image`, `balance`, `reconciled` or `nothing`) and what
        belongs to it."""

    def mark_delivered(self, object: Any) -> Any:
        """Hands the object over that was made of the facts. From here on the outcome is kept only if nobody gets it."""

    def abandon(self, stopped: BaseException) -> tuple[str, dict[str, Any] | None] | None:
        """Gives the call up because of an exception, without losing what may be paid. What it may cost, in a line, and the
        facts of the error that says more. `None`: nobody is there to read it, or it is the error that was made of the
        call's outcome."""

@final
class Batch:
    """Outcomes that are being collected. What does not arrive is left to whoever collects next."""

    def to_dicts(self) -> list[tuple[str, Any]]:
        """The kind and the facts of each."""

    def put_back(self) -> None:
        """Leaves all to whoever collects next."""

    def mark_delivered(self, objects: Any) -> Any:
        """Hands the objects over that were made of the facts."""

@final
class LogRecords:
    """The end of the records that Python's thread has."""

    def next(self) -> tuple[int, str] | None:
        """Waits for the next record: its level and its text. `None` in a forked child, where a handler may have forked."""

    def failed(self, error: BaseException) -> None:
        """Says what a handler raised, as Python says what nobody can catch."""

@final
class Budget:
    """Core's budget: shared by clients and threads."""

    def __new__(cls, max_usd: str, max_usd_per_call: str | None) -> Budget: ...
    def status(self) -> dict[str, Any]:
        """How it stands, in facts."""

@final
class Client:
    """Core's client, made again in a forked child: what it inherited has no thread."""

    def __new__(cls, options: dict[str, Any]) -> Client: ...
    @property
    def base_url(self) -> str:
        """Where the API is, as settled."""

    def with_options(self, options: dict[str, Any]) -> Client:
        """A client of other options that shares what is kept for `collect`."""

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
        """A paid call."""

    def fetch(self, image: Image, save_to: _Path | None, overwrite: bool) -> CallHandle:
        """A download, which is free."""

    def balance(self) -> CallHandle:
        """Asks what money is left."""

    def drain(self, limit: float | None) -> CallHandle:
        """Waits until every call that runs on without its caller has ended, or the time is up."""

    def collect(self) -> Batch:
        """What became of calls whose callers were gone."""

    def pending(self) -> list[dict[str, Any]]:
        """What may be paid and is in nobody's hands, in facts."""

    def reconcile(
        self,
        attempts: Sequence[tuple[str, str | None, str | None, str | None, str | None]],
        period: str | None,
        patience: float | None,
    ) -> CallHandle:
        """Asks the vendor's log what became of attempts."""

@final
class Emulator:
    """A running emulator, on a thread of its own."""

    def __new__(cls, start: str, settings: str, canned: bytes | None) -> Emulator: ...
    def addresses(self) -> dict[str, str]:
        """Where it is: `base_url`, `cdn_url`, `control_url` and `key`."""

    def fault(self, json: str) -> None:
        """Scripts one fault or a list of them."""

    def clear_faults(self) -> None:
        """Forgets the faults that have not struck."""

    def set(self, json: str) -> None:
        """Changes settings."""

    def wait_idle(self) -> None:
        """Waits until nothing that was sent so far can change the ledger any more."""

    def ledger(self) -> list[Mapping[str, Any]]:
        """The truth about every paid call."""

    def charges(self) -> int:
        """How many calls were charged."""

    def connections(self) -> int:
        """How many connections the API accepted."""

    def balance(self) -> str:
        """What money is left, in US dollars."""

    def requests(self) -> list[Mapping[str, Any]]:
        """The last requests."""

    def stop(self) -> None:
        """Closes its ports and connections."""
