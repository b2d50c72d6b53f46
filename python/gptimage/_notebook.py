"""Notebook output: a preview image with its size and price. Never the full image, and never base64 as text."""

from __future__ import annotations

from html import escape

from gptimage import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# Maximum side in pixels of a single image and of an image in a gallery.
_SIDE, _GALLERY_SIDE, _COLUMNS = 512, 256, 4
# Maximum size of the preview's PNG, so that notebook files stay small.
_MOST_BYTES = 160 << 10


def image_bundle(image: _core.Image) -> dict[str, Any]:
    return bundle([image], repr(image), _describe(image))


def images_bundle(images: Sequence[_core.Image], text: str, notes: str) -> dict[str, Any]:
    """The images of a call; `notes` is added to the caption."""
    if len(images) == 1:
        caption = _describe(images[0])
    else:
        kinds = sorted({_describe(image) for image in images})
        caption = f"{len(images)} pictures" + (f" · {kinds[0]} each" if len(kinds) == 1 else "")
    return bundle(images, text, caption + notes)


def _describe(image: _core.Image) -> str:
    if image.location == "url":
        return "still at its url; client.fetch(image) gets it"
    size = f"{image.width}×{image.height}" if image.width else "unknown size"
    return f"{size} {image.format or 'unknown format'}"


def bundle(images: Sequence[_core.Image], text: str, caption: str, *, checkered: bool = False) -> dict[str, Any]:
    side = _SIDE if len(images) == 1 else _GALLERY_SIDE
    made = _core.preview(images, side, _COLUMNS, _MOST_BYTES, checkered)
    lines = "<br>".join(map(escape, caption.splitlines()))
    if made is None:
        return {"text/plain": text, "text/html": f"<em>{lines}</em>"}
    from base64 import b64encode

    png, width, height = made
    encoded = b64encode(png).decode("ascii")
    html = (
        f'<figure style="margin:0"><img src="data:image/png;base64,{encoded}" width="{width}" height="{height}" '
        f'style="max-width:100%;height:auto" alt="{escape(caption)}">'
        f'<figcaption style="font-size:smaller;opacity:.7">{lines}</figcaption></figure>'
    )
    return {"text/plain": text, "text/html": html, "image/png": encoded}
