"""Conversion of everything that is accepted as an image to the forms that core takes: a path, bytes, an `Image`, or
pixels.
"""

from __future__ import annotations

import os

from gptimage import _core
from gptimage.generated import Generated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gptimage._image_types import CoreInput, ImageInput

# One byte more than the longest image, so that core can report that an image is too long.
_READ_AT_MOST = (50 << 20) + 1


def images(value: ImageInput | Iterable[ImageInput] | Generated) -> list[CoreInput]:
    """Converts one image or several."""
    if isinstance(value, Generated):
        return list(value.images)
    if _is_one(value):
        return [one_image("image", value)]
    several: list[Any] = list(value)  # type: ignore[arg-type]
    return [one_image(f"image[{index}]", item) for index, item in enumerate(several)]


def _is_one(value: Any) -> bool:
    """Whether this is a single image, or cannot be a sequence of images."""
    if isinstance(value, (str, os.PathLike, bytes, bytearray, memoryview, _core.Image, dict, set, frozenset)) or hasattr(type(value), "_as_input"):
        return True
    if isinstance(value, (list, tuple)):
        return isinstance(value, tuple) and _is_named_file(value)
    if hasattr(value, "__await__"):
        # A future is iterable, but only for event loops.
        return True
    try:
        memoryview(value)
    except (TypeError, ValueError):
        pass
    else:
        # A byte buffer is iterable, too.
        return True
    return not hasattr(value, "__iter__") or hasattr(value, "read") or hasattr(value, "shape") or _is_pil(value)


def mask(value: object) -> CoreInput | None:
    return None if value is None else one_image("mask", value)


def one_image(name: str, value: Any) -> CoreInput:
    """Converts one image. `name` is the argument's name, for errors."""
    if isinstance(value, (str, os.PathLike, bytes, _core.Image)):
        return value
    if (as_input := getattr(type(value), "_as_input", None)) is not None:
        # A class of this package that stands for an image.
        own: CoreInput = as_input(value)
        return own
    _refuse_async(name, value)
    if isinstance(value, tuple) and _is_named_file(value):
        # Core derives the name and type from the bytes.
        return one_image(name, value[1])
    if hasattr(value, "read") and not hasattr(value, "tobytes"):
        return _read(name, value)
    if _is_pil(value):
        from gptimage._pixels import from_pil

        return from_pil(name, value)
    try:
        view = memoryview(value)
    except (TypeError, ValueError):
        if name == "mask" and isinstance(value, (list, tuple)):
            raise TypeError(f"mask: {type(value).__name__} is no image; Mask.from_array makes a mask of booleans") from None
        raise TypeError(
            f"{name}: {type(value).__name__} is no image; give a path, bytes, a binary file, a Pillow image, a NumPy array "
            "(uint8) or a result's Image"
        ) from None
    if view.ndim == 1 and view.itemsize == 1:
        return bytes(view)
    from gptimage._pixels import from_array

    return from_array(name, view)


def _is_named_file(value: tuple[Any, ...]) -> bool:
    """Whether this is openai-python's `(name, content[, type])`. A tuple of two paths is two images."""
    return (
        2 <= len(value) <= 4
        and (value[0] is None or isinstance(value[0], str))
        and not isinstance(value[1], (str, os.PathLike))
        and (isinstance(value[1], (bytes, bytearray, memoryview)) or hasattr(value[1], "read"))
    )


def _refuse_async(name: str, value: Any) -> None:
    """Refuses awaitables and asynchronous streams, which cannot be awaited here."""
    if hasattr(value, "__await__"):
        _give_up(value)
        raise TypeError(f"{name}: {type(value).__name__} was not awaited; give its result, such as await file.read()")
    if hasattr(value, "__aiter__") and not hasattr(value, "read"):
        raise TypeError(
            f"{name}: {type(value).__name__} is asynchronous; collect its parts first, such as "
            "b''.join([part async for part in stream])"
        )


def _give_up(awaitable: Any) -> None:
    """Closes a coroutine, so that Python does not warn that it was never awaited. A running task or future is left
    alone.
    """
    from types import CoroutineType

    if isinstance(awaitable, CoroutineType):
        awaitable.close()


def _is_pil(value: object) -> bool:
    return any(cls.__module__.partition(".")[0] == "PIL" for cls in type(value).__mro__)


def _read(name: str, file: Any) -> bytes:
    """Reads a file from its current position."""
    parts: list[bytes] = []
    length = 0
    while length < _READ_AT_MOST:
        try:
            part = file.read(_READ_AT_MOST - length)
        except ValueError as error:
            raise ValueError(f"{name}: this file cannot be read: {error}") from error
        except TypeError as error:
            raise TypeError(f"{name}: this is read in another way than files are: {error}; give the bytes") from error
        if hasattr(part, "__await__"):
            _give_up(part)
            raise TypeError(
                f"{name}: {type(file).__name__}.read() is asynchronous; give the bytes that it reads: await file.read()"
            )
        if isinstance(part, str):
            raise TypeError(f"{name}: this file gives text; open it in binary mode, such as open(path, 'rb')")
        if not part:
            break
        parts.append(bytes(part))
        length += len(part)
    if not parts and hasattr(file, "tell") and file.tell() > 0:
        raise ValueError(f"{name}: this file is at its end already; seek(0) goes back to its beginning")
    return parts[0] if len(parts) == 1 else b"".join(parts)
