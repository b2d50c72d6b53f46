"""The types of arguments, for editors and type checkers; not loaded otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypedDict

from gptimage._image_types import Array as Array
from gptimage._image_types import Content as Content
from gptimage._image_types import CoreInput as CoreInput
from gptimage._image_types import ImageInput as ImageInput
from gptimage._image_types import PilImage as PilImage
from gptimage._words import Background as Background
from gptimage._words import Charge as Charge
from gptimage._words import Moderation as Moderation
from gptimage._words import OutputFormat as OutputFormat
from gptimage._words import Path as Path
from gptimage._words import Phase as Phase
from gptimage._words import Quality as Quality
from gptimage._words import ResponseFormat as ResponseFormat
from gptimage._words import Size as Size
from gptimage.budget import Budget
from gptimage.exceptions import GptImageError
from gptimage.generated import Generated
from gptimage.mask import Mask
from gptimage.records import Attempt, Progress

ProgressOption: TypeAlias = bool | Callable[[Progress], object] | None
Extra: TypeAlias = Mapping[str, Any]
MaskInput: TypeAlias = ImageInput | Mask
Attempts: TypeAlias = str | Attempt | GptImageError | Generated | Iterable[str | Attempt]


class Timers(TypedDict, total=False):
    """Every waiting time, in seconds. What is not given is as core has it."""

    connect: float
    """Name lookup, TCP, TLS and a proxy's CONNECT together. 10."""
    send_stall: float
    """How long an upload may stand still. 90."""
    head: float
    """From the last byte sent to the answer's head; minutes of silence are normal. 900."""
    body_stall: float
    """How long an answer may stand still. 240; a download waits for 60 at most."""
    backoff_first: float
    """Bound of the first random wait before another attempt; it doubles with each. 0.5."""
    backoff_longest: float
    """Bound of every random wait. 8."""
    retry_after_longest: float
    """The longest `Retry-After` that is slept; a longer one is reported at once. 120."""
    url_not_found: float
    """How long a picture's URL may answer 404, as it does just after generation. 120."""
    log: float
    """How long `reconcile` waits for a row of the vendor's log; rows land some time after the answer. 60."""
    keepalive_idle: float
    """TCP keepalive: silence before the first probe. 15."""
    keepalive_interval: float
    """TCP keepalive: between two probes. 15."""
    keepalive_probes: int
    """TCP keepalive: probes before the peer is given up. 8."""
    user_timeout: float
    """How long sent bytes may stay unacknowledged (Linux only). 120."""


class ClientOptions(TypedDict, total=False):
    """What `Client`, `AsyncClient` and their `with_options` take."""

    api_key: str | None
    base_url: str | None
    allow_http: bool | None
    max_attempts: int | None
    deadline: float | None
    timers: Timers | None
    ca_file: Path | None
    proxy: str | Literal[False] | None
    headers: Mapping[str, str] | None
    fetch: bool | None
    retry_server_errors: bool | None
    on_cancel: Literal["keep", "abort"] | None
    salvage_max_bytes: int | None
    salvage_folder: Path | None
    exit_wait: float | None
    budget: Budget | None
    max_image_bytes: int | None
