"""Between pictures and what Pillow and NumPy have. Neither is needed until it is asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gptimage import _core


def to_pil(image: _core.Image) -> Any:
    import io

    try:
        from PIL import Image as Pil
    except ImportError as error:
        raise ImportError("to_pil needs Pillow: pip install pillow") from error
    picture = Pil.open(io.BytesIO(image))
    # Now, not when the pixels are first looked at: a file may be gone by then.
    picture.load()
    return picture


def to_numpy(image: _core.Image) -> Any:
    try:
        import numpy
    except ImportError as error:
        raise ImportError("to_numpy needs NumPy: pip install numpy") from error
    picture = to_pil(image)
    if picture.mode not in ("L", "RGB", "RGBA"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return numpy.asarray(picture)


def array(image: _core.Image, dtype: Any, copy: bool | None) -> Any:
    if copy is False:
        raise ValueError("a picture's pixels cannot be had without a copy: they are decoded")
    pixels = to_numpy(image)
    return pixels if dtype is None else pixels.astype(dtype)


def from_pil(image: Any) -> tuple[int, int, int, bytes]:
    """A Pillow image as width, height, samples a pixel, and pixels."""
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.has_transparency_data and image.mode != "RGBA":
        image = image.convert("RGBA")
    width, height = image.size
    return width, height, len(image.getbands()), image.tobytes()


def from_array(name: str, view: memoryview) -> tuple[int, int, int, bytes]:
    """A NumPy array of uint8, H×W, H×W×3 or H×W×4, as width, height, samples a pixel, and pixels."""
    shape = " x ".join(map(str, view.shape or ()))
    if view.format != "B":
        raise TypeError(
            f"{name}: an array of {shape} with items {view.format!r}; give uint8, for example (array * 255).astype('uint8') "
            "for values from 0 to 1"
        )
    match view.shape:
        case (height, width):
            return width, height, 1, view.tobytes()
        case (height, width, 1 | 3 | 4 as samples):
            return width, height, samples, view.tobytes()
    raise ValueError(f"{name}: an array of {shape}; give height x width, optionally x 3 (RGB) or x 4 (RGBA)")


def booleans(value: Any) -> tuple[int, int, bytes]:
    """A two-dimensional array of booleans as width, height, and a byte for each."""
    try:
        view = memoryview(value)
    except TypeError:
        rows = [bytes(map(bool, row)) for row in value]
        if len(set(map(len, rows))) > 1:
            raise ValueError("mask: the rows are of different lengths") from None
        return (len(rows[0]) if rows else 0), len(rows), b"".join(rows)
    match view.shape:
        case (height, width) if view.format in ("?", "B"):
            return width, height, view.tobytes()
    shape = " x ".join(map(str, view.shape or ()))
    raise ValueError(
        f"mask: an array of {shape} with items {view.format!r}; give height x width booleans, true where to edit, for "
        "example (array > 0.5)"
    )


def alpha_or_white(image: Any) -> tuple[int, int, bool, bytes]:
    """A Pillow image's alpha channel, or where it is white, as width, height, whether it is alpha, and bytes."""
    width, height = image.size
    if image.has_transparency_data:
        return width, height, True, image.convert("RGBA").getchannel("A").tobytes()
    white = image.convert("L").point(lambda level: 255 if level > 127 else 0)
    return width, height, False, white.tobytes()
