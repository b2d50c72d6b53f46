"""An emulator of the API on this machine, with images, prices and faults, for tests and experiments: no key, no cost."""

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
    """An emulator of the API on 127.0.0.1, in this process, on its own thread.

    >>> with gptimage.Emulator(billing="pessimistic") as emulator:
    ...     client = emulator.client()
    ...     emulator.fault(cut_response={"after": 17, "cut": "rst"})
    ...     try:
    ...         client.generate("A T-Rex relaxing on a beach")
    ...     except gptimage.OutcomeUnknownError as error:
    ...         print(error.client_request_id, "may be paid")
    ...     assert emulator.charges == 1

    - `billing`: `"documented"`: failures are free; `"pessimistic"`: every request that arrived completely is charged.
    - `balance`: the account's balance in US dollars. Default: 1000.
    - `key`: accepted API keys. Default: any.
    - `port`: the port of the API. Default: a free one.
    - `latency`: time to make an image, such as `"2s"` or `"45s..80s"`. Default: none.
    - `log_lag`: delay before an answered call appears in `/v2/logs`. Default: none.
    - `url_expiry`: lifetime of an image's URL. Default: until memory is needed.
    - `error_form`: format of the emulator's own error bodies.
    - `price_headers`: whether responses state their price in headers. Default: true.
    - `keep_bodies`: maximum size in bytes of bodies that are kept for `requests`. Default: 1 MiB.
    - `canned`: the bytes of an image to return in every response.

    Raises ValueError for an invalid setting, OSError if the port is taken.
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
        """Stops the emulator: closes all ports and connections. A `with` block does this at its end."""
        self._core.stop()

    @property
    def url(self) -> str:
        """The base URL of the API, such as `http://127.0.0.1:34567/v1`."""
        return self._addresses["base_url"]

    @property
    def cdn_url(self) -> str:
        """The origin of the URLs of images."""
        return self._addresses["cdn_url"]

    @property
    def control_url(self) -> str:
        """The URL of the emulator's control interface, for other processes."""
        return self._addresses["control_url"]

    @property
    def key(self) -> str:
        """An API key that the emulator accepts."""
        return self._addresses["key"]

    def client(self, **options: Any) -> Client:
        """Creates a client of this emulator. `options` are those of `Client`."""
        from gptimage.client import Client

        return Client(**self._options(options))

    def async_client(self, **options: Any) -> AsyncClient:
        """Like `client`, but creates an `AsyncClient`."""
        from gptimage.client import AsyncClient

        return AsyncClient(**self._options(options))

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"api_key": self.key, "base_url": self.url, "proxy": False, **options}

    def fault(self, faults: dict[str, Any] | list[dict[str, Any]] | None = None, /, **fault: Any) -> None:
        """Scripts a fault. By default it happens once, at the next charged call.

        >>> emulator.fault(answer={"status": 503, "body": "html"})
        >>> emulator.fault(cut_response={"after": 17, "cut": "rst"}, on_call=2)
        >>> emulator.fault(cdn={"status": 404, "times": 2})

        docs/emulator.md lists all faults. Raises ValueError for an invalid fault and names the field.
        """
        import json

        self._core.fault(json.dumps(fault if faults is None else faults))

    def clear_faults(self) -> None:
        """Removes all faults that have not happened."""
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
        """Changes settings while the emulator runs. Settings that are not given stay."""
        import json

        self._core.set(json.dumps(_settings(latency, log_lag, url_expiry, error_form, price_headers)))

    @property
    def ledger(self) -> tuple[LedgerEntry, ...]:
        """The ledger: one entry per charged call so far, in the order of arrival. Waits until the entries are final."""
        self._core.wait_idle()
        return records(LedgerEntry, self._core.ledger())

    @property
    def charges(self) -> int:
        """The number of charged calls. Waits until it is final."""
        self._core.wait_idle()
        return self._core.charges()

    @property
    def balance(self) -> Decimal:
        """The exact balance in US dollars. Waits until it is final."""
        from decimal import Decimal

        self._core.wait_idle()
        return Decimal(self._core.balance())

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """The last 64 complete requests, including downloads, in the order of arrival."""
        return records(RecordedRequest, self._core.requests())

    @property
    def connections(self) -> int:
        """The number of connections that the API accepted."""
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
