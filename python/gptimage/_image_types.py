"""The types of images that can be uploaded, for editors and type checkers; not loaded otherwise."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias

from gptimage._core import Image
from gptimage._words import Path
from gptimage.generated import Generated

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage
else:
    PilImage = Any


class Array(Protocol):
    """A NumPy array."""

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """NumPy's array protocol."""


Content: TypeAlias = bytes | bytearray | memoryview | IO[bytes]
ImageInput: TypeAlias = (
    Path | Content | tuple[str | None, Content] | tuple[str | None, Content, str | None] | PilImage | Array | Image | Generated
)
# The forms that the compiled part takes. The last is width, height, bytes per pixel, and pixels.
CoreInput: TypeAlias = Path | bytes | Image | tuple[int, int, int, bytes]
