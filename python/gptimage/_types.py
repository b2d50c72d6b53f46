"""The types of arguments, for editors and type checkers; not loaded otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias, TypedDict

from gptimage._image_types import Array as Array
from gptimage._image_types import Content as Content
from gptimage._image_types import CoreInput as CoreInput
from gptimage._image_types import ImageInput as ImageInput
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
    """Time limits in seconds. Missing keys have their defaults."""

    connect: float
    """Maximum time to establish a connection, including DNS, proxy CONNECT and TLS. Default: 10."""
    write: float
    """Maximum time without progress of an upload. Default: 90."""
    response_header: float
    """Maximum time from the last byte sent to the response headers; minutes are normal. Default: 900."""
    read: float
    """Maximum time without progress of a response. Default: 240, and at most 60 for a download."""
    initial_backoff: float
    """Upper bound of the random wait before the second attempt; it doubles with each attempt. Default: 0.5."""
    max_backoff: float
    """Upper bound of every random wait. Default: 8."""
    max_retry_after: float
    """Maximum `Retry-After` that is waited for; a longer one is reported at once. Default: 120."""
    url_not_found: float
    """How long an image's URL may answer 404, as it does shortly after generation. Default: 120."""
    usage_log: float
    """How long `reconcile` waits for an entry of the usage log, which appears some time after the response. Default:
    60.
    """
    tcp_keepalive_idle: float
    """TCP keepalive: idle time before the first probe. Default: 15."""
    tcp_keepalive_interval: float
    """TCP keepalive: time between two probes. Default: 15."""
    tcp_keepalive_probes: int
    """TCP keepalive: number of probes before the connection is dropped. Default: 8."""
    tcp_user_timeout: float
    """Maximum time that sent bytes may stay unacknowledged (Linux only). Default: 120."""


class ClientOptions(TypedDict, total=False):
    """The options of `Client`, `AsyncClient` and `with_options`."""

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
