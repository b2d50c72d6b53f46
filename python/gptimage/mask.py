"""Masks: the part of an image that is edited."""

from __future__ import annotations

from gptimage import _core
from gptimage.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike
    from pathlib import Path
    from typing import Any

    from PIL.Image import Image as PilImage

    from gptimage._image_types import ImageInput


class Mask(Record):
    """A PNG with an image's dimensions that is transparent where the image is edited. Immutable and picklable.

    >>> mask = Mask.from_boxes("photo.jpg", [(0, 0, 1024, 300)])
    >>> mask
    Mask(1024x1024, 29.3 % editable)
    >>> client.edit("A blue sky", image="photo.jpg", mask=mask)
    """

    png: bytes
    """The bytes of the PNG file."""
    width: int
    """In pixels."""
    height: int
    """In pixels."""
    editable_share: float
    """The share of fully transparent pixels, which are the editable ones, from 0 to 1."""

    @classmethod
    def from_boxes(
        cls, image: ImageInput | tuple[int, int], boxes: Iterable[Sequence[int]]
    ) -> Mask:
        """Makes a mask that is editable inside boxes: `(left, top, right, bottom)` in pixels, right and bottom excluded.

        `image` is the image to be edited, or its `(width, height)`. For a photo with an EXIF orientation, the coordinates are
        those of the upright photo, which is how a Pillow image is sent.

        Raises InvalidRequestError for a box that is empty or reaches beyond the image.
        """
        width, height = _size(image)
        lists = _boxes(boxes)
        return cls._made(width, height, _core.mask_from_boxes(width, height, lists))

    @classmethod
    def from_array(cls, editable: Any) -> Mask:
        """Makes a mask that is editable where a two-dimensional array of booleans (height × width) is true: a NumPy
        array or nested lists.
        """
        from gptimage._pixels import booleans

        width, height, pixels = booleans(editable)
        return cls._made(width, height, _core.mask_from_editable(width, height, pixels))

    @classmethod
    def from_pil(cls, image: PilImage) -> Mask:
        """Makes a mask from a Pillow image: editable where it is transparent if it has an alpha channel, otherwise
        where it is white. Its EXIF orientation is applied.
        """
        from gptimage._pixels import alpha_or_white

        width, height, is_alpha, pixels = alpha_or_white(image)
        make = _core.mask_from_alpha if is_alpha else _core.mask_from_editable
        return cls._made(width, height, make(width, height, pixels))

    @classmethod
    def _made(cls, width: int, height: int, made: tuple[bytes, float]) -> Mask:
        png, share = made
        return cls({"png": png, "width": width, "height": height, "editable_share": share})

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Saves the PNG and returns its path."""
        return _core.Image.from_bytes(self.png).save(path, overwrite=overwrite)

    def __repr__(self) -> str:
        return f"Mask({self.width}x{self.height}, {self.editable_share:.1%} editable)".replace("%", " %")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from gptimage import _notebook

        # Kept areas are black, editable ones show the checkerboard.
        return _notebook.bundle([_core.Image.from_bytes(self.png)], repr(self), repr(self)[5:-1], checkered=True)

    def _as_input(self) -> bytes:
        return self.png


def _boxes(boxes: Any) -> list[list[int]]:
    from operator import index

    way_out = "write a list of boxes, each (left, top, right, bottom) in whole pixels, none of them negative"
    if isinstance(boxes, str) or not hasattr(boxes, "__iter__"):
        raise TypeError(f"boxes: {type(boxes).__name__} is no list; {way_out}")
    lists = []
    for number, box in enumerate(boxes):
        try:
            sides = [index(side) for side in box]
        except TypeError:
            raise TypeError(f"boxes[{number}]: {box!r} is no box; {way_out}") from None
        if len(sides) != 4 or min(sides) < 0 or max(sides) >= 2**32:
            raise ValueError(f"boxes[{number}]: {tuple(sides)} is no box; {way_out}")
        lists.append(sides)
    return lists


def _size(image: Any) -> tuple[int, int]:
    if isinstance(image, tuple) and len(image) == 2:
        from operator import index

        try:
            width, height = map(index, image)
        except TypeError:
            pass
        else:
            if not (0 < width < 2**32 and 0 < height < 2**32):
                raise ValueError(f"image: {width}x{height} pixels are no image; both sides need at least 1")
            return width, height
    from gptimage._inputs import one_image

    try:
        return _core.dimensions(one_image("image", image))
    except TypeError as error:
        raise TypeError(f"{error}, or its (width, height)") from None
