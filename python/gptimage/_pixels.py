"""Conversion from and to Pillow images and NumPy arrays. Neither library is imported before it is needed."""

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
    # Load the pixels now: Pillow is lazy, and a file may be gone later.
    picture.load()
    return picture


def to_numpy(image: _core.Image) -> Any:
    try:
        import numpy
    except ImportError as error:
        raise ImportError("to_numpy needs NumPy: pip install numpy") from error
    return numpy.asarray(_eight_bits("image", to_pil(image)))


def array(image: _core.Image, dtype: Any, copy: bool | None) -> Any:
    if copy is False:
        raise ValueError("a picture's pixels cannot be had without a copy: they are decoded")
    pixels = to_numpy(image)
    if dtype is not None:
        return pixels.astype(dtype)
    return pixels.copy() if copy else pixels


def from_pil(name: str, image: Any) -> tuple[int, int, int, bytes]:
    """Converts a Pillow image to width, height, samples per pixel, and pixels, with its EXIF orientation applied."""
    _load(name, image)
    image = _upright(image, _eight_bits(name, image))
    width, height = image.size
    return width, height, len(image.getbands()), image.tobytes()


def _eight_bits(name: str, image: Any) -> Any:
    """Converts a Pillow image to gray, RGB or RGBA with 8 bits per sample."""
    if image.mode.startswith("I;16"):
        image = _high_bytes(image)
    if image.mode in ("I", "F"):
        raise TypeError(
            f"{name}: a Pillow image of mode {image.mode} has no white that everybody agrees on; scale it to 0..255 and "
            "convert it to 'L'"
        )
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _load(name: str, image: Any) -> None:
    """Loads the pixels now: Pillow reads the file lazily, and it may be closed by then."""
    try:
        image.load()
    except (AssertionError, AttributeError, OSError, SyntaxError, ValueError) as error:
        reason = f" ({error})" if str(error) else ""
        raise ValueError(
            f"{name}: this Pillow image cannot be read{reason}; its file has to be whole, and open until then"
        ) from error


def _upright(image: Any, pixels: Any) -> Any:
    """Turns `pixels` by the EXIF orientation of `image`. ImageOps.exif_transpose would also rewrite the EXIF block,
    which fails for some cameras' blocks.
    """
    from PIL import Image as Pil

    turn = Pil.Transpose
    turns = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_270,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_90,
    }
    try:
        orientation = image.getexif().get(0x0112)
    except Exception:
        # An unreadable EXIF block has no orientation.
        return pixels
    return pixels.transpose(turns[orientation]) if orientation in turns else pixels


def _high_bytes(image: Any) -> Any:
    """Converts 16 bits to 8. Pillow's own conversion would clip all values above 255."""
    import sys

    from PIL import Image as Pil

    big = image.mode == "I;16B" or (image.mode == "I;16N" and sys.byteorder == "big")
    return Pil.frombytes("L", image.size, image.tobytes()[0 if big else 1 :: 2])


def from_array(name: str, view: memoryview) -> tuple[int, int, int, bytes]:
    """Converts a NumPy array of uint8 (H×W, H×W×3 or H×W×4) to width, height, samples per pixel, and pixels."""
    shape = " x ".join(map(str, view.shape or ()))
    if view.format != "B":
        kind = view.format or "?"
        if name == "mask" and kind == "?":
            way_out = "Mask.from_array makes a mask of booleans"
        elif kind in ("f", "d", "e", "?"):
            way_out = "give uint8, for example (array * 255).astype('uint8') for values from 0 to 1"
        else:
            way_out = "give uint8, scaled to 0..255, for example (array >> 8).astype('uint8') for 16 bits"
        raise TypeError(f"{name}: an array of {shape} with items {kind!r}; {way_out}")
    match view.shape:
        case (height, width):
            return width, height, 1, view.tobytes()
        case (height, width, 1 | 3 | 4 as samples):
            return width, height, samples, view.tobytes()
    raise ValueError(f"{name}: an array of {shape}; give height x width, optionally x 3 (RGB) or x 4 (RGBA)")


def booleans(value: Any) -> tuple[int, int, bytes]:
    """Converts a two-dimensional array of booleans to width, height, and one byte per element."""
    way_out = "give height x width booleans, true where to edit, for example (array > 0.5)"
    try:
        view = memoryview(value)
    except (TypeError, ValueError):
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            raise TypeError(f"mask: {type(value).__name__} is no array; {way_out}") from None
        rows = [_row(row, way_out) for row in value]
        if len({len(row) for row in rows}) > 1:
            raise ValueError("mask: the rows are of different lengths") from None
        return (len(rows[0]) if rows else 0), len(rows), b"".join(rows)
    match view.shape:
        case (height, width) if view.format in ("?", "B"):
            return width, height, view.tobytes()
    shape = " x ".join(map(str, view.shape or ()))
    raise ValueError(f"mask: an array of {shape} with items {view.format!r}; {way_out}")


def _row(row: Any, way_out: str) -> bytes:
    if isinstance(row, (list, tuple)):
        # Any probability above 0 would count as true.
        if not all(isinstance(item, (bool, int)) or type(item).__name__ in ("bool", "bool_") for item in row):
            raise TypeError(f"mask: its rows hold other things than booleans; {way_out}")
        return bytes(map(bool, row))
    try:
        view = memoryview(row)
    except (TypeError, ValueError):
        raise TypeError(f"mask: its rows are no lists; {way_out}") from None
    if view.ndim != 1 or view.format not in ("?", "B"):
        raise TypeError(f"mask: its rows have items {view.format!r}; {way_out}")
    return view.tobytes()


def alpha_or_white(image: Any) -> tuple[int, int, bool, bytes]:
    """Converts a Pillow image's alpha channel, or else its white areas, to width, height, whether it is alpha, and
    bytes.
    """
    if not hasattr(image, "getchannel"):
        raise TypeError(f"mask: {type(image).__name__} is no Pillow image; PIL.Image.open(path) makes one of a file")
    image = _upright(image, _eight_bits("mask", image))
    width, height = image.size
    if image.mode == "RGBA":
        return width, height, True, image.getchannel("A").tobytes()
    white = image.convert("L").point(lambda level: 255 if level > 127 else 0)
    return width, height, False, white.tobytes()
