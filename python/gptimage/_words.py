"""The words that parameters and results consist of, for editors and type checkers; not loaded otherwise."""

from __future__ import annotations

from os import PathLike
from typing import Literal, TypeAlias

# The words of the known model. The library's rules decide; other text is passed on to them.
Size: TypeAlias = Literal["1024x1024", "1024x1536", "1536x1024"] | str
Quality: TypeAlias = Literal["low", "medium", "high"] | str
OutputFormat: TypeAlias = Literal["png", "jpeg", "webp"] | str
Background: TypeAlias = Literal["auto", "transparent", "opaque"] | str
Moderation: TypeAlias = Literal["auto", "low"] | str
ResponseFormat: TypeAlias = Literal["url", "b64_json"] | str

Charge = Literal["not_charged", "unknown", "charged"]
Phase = Literal["planned", "connecting", "sending", "sent", "head_received", "body_complete", "stored"]
Path: TypeAlias = str | PathLike[str]
