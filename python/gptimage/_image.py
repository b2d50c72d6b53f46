"""The methods of `Image` that are written in Python: conversion to Pillow and NumPy, and notebook output."""

from __future__ import annotations

from gptimage._core import Image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def to_pil(self: Image) -> Any:
    """Decodes the image to a `PIL.Image.Image`. Needs Pillow."""
    from gptimage import _pixels

    return _pixels.to_pil(self)


def to_numpy(self: Image) -> Any:
    """Decodes the image to a NumPy array of uint8: height × width × 3 (RGB) or × 4 (RGBA), or height × width (gray).

    Needs NumPy and Pillow. The array is read-only; use `.copy()` for a writable one.
    """
    from gptimage import _pixels

    return _pixels.to_numpy(self)


def __array__(self: Image, dtype: Any = None, copy: bool | None = None) -> Any:
    from gptimage import _pixels

    return _pixels.array(self, dtype, copy)


def _repr_mimebundle_(self: Image, include: object = None, exclude: object = None) -> dict[str, Any]:
    from gptimage._notebook import image_bundle

    return image_bundle(self)


for method in (to_pil, to_numpy, __array__, _repr_mimebundle_):
    method.__qualname__ = f"Image.{method.__name__}"
    setattr(Image, method.__name__, method)
