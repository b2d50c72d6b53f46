"""What `Image` has in Python: between pictures and Pillow, NumPy and notebooks, none of which is loaded before."""

from __future__ import annotations

from gptimage._core import Image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def to_pil(self: Image) -> Any:
    """The picture as a `PIL.Image.Image`. Needs Pillow."""
    from gptimage import _pixels

    return _pixels.to_pil(self)


def to_numpy(self: Image) -> Any:
    """The pixels as a NumPy array of uint8: height × width × 3 (RGB) or × 4 (RGBA), or height × width (gray).

    Needs NumPy and Pillow. The array is read-only; `.copy()` gives one that is not.
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
