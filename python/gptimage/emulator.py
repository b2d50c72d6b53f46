"""The API on this machine, for tests and for trying things out: real pictures, money, faults; no key, no cost."""

from __future__ import annotations

from gptimage import _core
from gptimage.records import LedgerEntry, RecordedRequest, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal
    from types import TracebackType
    from typing import Any, Literal, Self

    from gptimage.client import AsyncClient, Client


class Emulator:
    """The gateway on 127.0.0.1, in this process, on a thread of its own.

    >>> with gptimage.Emulator(billing="pessimistic") as emulator:
    ...     client = emulator.client()
    ...     emulator.fault(cut_response={"after": 17, "cut": "rst"})
    ...     try:
    ...         client.generate("A T-Rex relaxing on a beach")
    ...     except gptimage.OutcomeUnknownError as error:
    ...         print(error.client_request_id, "may be paid")
    ...     assert emulator.charges == 1

    `billing`: who pays for failures, `documented` (nobody) or `pessimistic` (you, for whatever arrived whole).
    `balance`: the account's, in US dollars; 1000 unless given. `key`: keys that work; any unless given. `port`: any free
    one unless given. `latency`: how long a picture takes, such as "2s" or "45s..80s". `log_lag`: how long after its
    answer a call appears in `/v2/logs`. `url_expiry`: how long a picture's URL works. `error_form`: the body of its own
    refusals. `price_headers`: whether answers state their price in their head too. `keep_bodies`: bodies up to so many
    bytes are kept for `requests`; 1 MiB unless given. `canned`: a picture's bytes, for every answer.

    Raises ValueError for a setting that is not understood, OSError for a port that is taken.
    """

    def __init__(
        self,
        *,
        billing: Literal["documented", "pessimistic"] = "documented",
        balance: Decimal | str | int | None = None,
        key: str | Sequence[str] | None = None,
        port: int = 0,
        latency: str | float | None = None,
        log_lag: str | float | None = None,
        url_expiry: str | float | None = None,
        error_form: str | None = None,
        price_headers: bool | None = None,
        keep_bodies: int | None = None,
        canned: bytes | None = None,
    ) -> None:
        import json

        settings = _settings(latency, log_lag, url_expiry, error_form, price_headers)
        start = {
            "billing": billing,
            "balance": None if balance is None else str(balance),
            "keys": [key] if isinstance(key, str) else list(key or ()),
            "port": port,
            "keep_bodies": keep_bodies,
        }
        self._core = _core.Emulator(json.dumps(start), json.dumps(settings), canned)
        self._addresses = self._core.addresses()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Emulator({self.url!r})"

    def stop(self) -> None:
        """Closes its ports and connections. Once is enough; `with` does it."""
        self._core.stop()

    @property
    def url(self) -> str:
        """The API's address, such as `http://127.0.0.1:34567/v1`: a client's `base_url`."""
        return self._addresses["base_url"]

    @property
    def cdn_url(self) -> str:
        """The origin of pictures that are answered as URLs."""
        return self._addresses["cdn_url"]

    @property
    def control_url(self) -> str:
        """Where the emulator itself is spoken to over HTTP, by other processes."""
        return self._addresses["control_url"]

    @property
    def key(self) -> str:
        """A key that works."""
        return self._addresses["key"]

    def client(self, **options: Any) -> Client:
        """A client of this emulator; `options` as for `Client`."""
        from gptimage.client import Client

        return Client(**self._options(options))

    def async_client(self, **options: Any) -> AsyncClient:
        """As `client`, to be awaited."""
        from gptimage.client import AsyncClient

        return AsyncClient(**self._options(options))

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"api_key": self.key, "base_url": self.url, "proxy": False, **options}

    def fault(self, faults: dict[str, Any] | list[dict[str, Any]] | None = None, /, **fault: Any) -> None:
        """Lets something go wrong, once, at the next paid call, unless it says otherwise.

        >>> emulator.fault(answer={"status": 503, "body": "html"})
        >>> emulator.fault(cut_response={"after": 17, "cut": "rst"}, on_call=2)
        >>> emulator.fault(cdn={"status": 404, "times": 2})

        The page on the emulator (docs/emulator.md) lists them all. Raises ValueError, with the field, for what is not
        understood.
        """
        import json

        self._core.fault(json.dumps(fault if faults is None else faults))

    def clear_faults(self) -> None:
        """Forgets the faults that have not struck."""
        self._core.clear_faults()

    def set(
        self,
        *,
        latency: str | float | None = None,
        log_lag: str | float | None = None,
        url_expiry: str | float | None = None,
        error_form: str | None = None,
        price_headers: bool | None = None,
    ) -> None:
        """Changes settings while it runs; what is not given stays."""
        import json

        self._core.set(json.dumps(_settings(latency, log_lag, url_expiry, error_form, price_headers)))

    @property
    def ledger(self) -> tuple[LedgerEntry, ...]:
        """The truth about every paid call so far, in the order of arrival, once nothing can change it any more."""
        self._core.wait_idle()
        return records(LedgerEntry, self._core.ledger())

    @property
    def charges(self) -> int:
        """How many calls were charged, once nothing can change that any more."""
        self._core.wait_idle()
        return self._core.charges()

    @property
    def balance(self) -> Decimal:
        """What money is left, in US dollars, exact; once nothing can change it any more."""
        from decimal import Decimal

        self._core.wait_idle()
        return Decimal(self._core.balance())

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """The last 64 requests that arrived whole, downloads included, in the order of their arrival."""
        return records(RecordedRequest, self._core.requests())

    @property
    def connections(self) -> int:
        """How many connections the API accepted."""
        return self._core.connections()


def _settings(
    latency: str | float | None,
    log_lag: str | float | None,
    url_expiry: str | float | None,
    error_form: str | None,
    price_headers: bool | None,
) -> dict[str, Any]:
    said = {
        "latency": latency,
        "log_lag": log_lag,
        "url_expiry": url_expiry,
        "error_form": error_form,
        "price_headers": price_headers,
    }
    return {name: value for name, value in said.items() if value is not None}
