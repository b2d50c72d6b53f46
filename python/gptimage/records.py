"""Records about calls: immutable, comparable and picklable. Field names are the same in every language.

Amounts of money are exact: `decimal.Decimal`, created from the server's own text.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from typing import Any, Literal, TypeVar

    from gptimage._words import Charge, Phase

    _R = TypeVar("_R", bound="Record")


class Record:
    """An immutable record with named fields."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.__dict__.update(fields)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash(repr(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self.__dict__),)

    def __repr__(self) -> str:
        fields = ((name, self.__dict__[name]) for name in type(self).__annotations__ if name in self.__dict__)
        set_fields = ((name, value) for name, value in fields if value is not None and value != ())
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in set_fields)})"


def amount(text: str | Decimal) -> Decimal:
    """Converts text to an exact amount, independent of the decimal context. Trailing zeros and exponents are removed,
    so that equal amounts look alike.
    """
    from decimal import Decimal

    digits = f"{Decimal(text):f}"
    return Decimal(digits.rstrip("0").rstrip(".") if "." in digits else digits)


def records(kind: type[_R], fields: list[Mapping[str, Any]]) -> tuple[_R, ...]:
    return tuple(kind(item) for item in fields)


class Cost(Record):
    """The exact cost of a call, as stated by the server."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        # Iterates over names: CPython before 3.12 crashes if there is no memory for a dict's items.
        super().__init__({name: None if fields[name] is None else amount(fields[name]) for name in fields})

    usd: Decimal | None
    """US dollars."""
    credits: Decimal | None
    """The vendor's credits; 2,000,000 are one US dollar."""

    def __str__(self) -> str:
        if self.usd is not None:
            return f"${self.usd:f}"
        return f"{self.credits:f} credits" if self.credits is not None else "unknown"

    def __repr__(self) -> str:
        return f"Cost({self})"


class Attempt(Record):
    """One attempt of a charged call."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        cost = fields["cost"]
        super().__init__({**fields, "cost": Cost(cost) if isinstance(cost, dict) else cost})

    number: int
    """The number of the attempt, from 1."""
    client_request_id: str
    """The client request id, sent as `X-Client-Request-Id`."""
    inference_id: str | None
    """The vendor's id of the inference, if stated."""
    request_id: str | None
    """The vendor's id of the HTTP request, if stated."""
    phase: Phase
    """How far the attempt came."""
    bytes_sent: int
    """Bytes of the request body that the transport has taken: an upper bound of what the server received."""
    bytes_total: int
    """Length of the request body in bytes."""
    http_status: int | None
    """The HTTP status of the response."""
    charge: Charge
    """Whether the attempt was charged."""
    cost: Cost | None
    """The price, if stated."""
    waited_seconds: float
    """The wait before this attempt, in seconds."""
    elapsed_seconds: float
    """The duration of the attempt, in seconds."""
    error: str | None
    """Why the attempt failed, in one line."""


class Violation(Record):
    """A violated rule."""

    param: str
    """The API's name of the parameter, such as `size` or `image[2]`."""
    rule: str
    """The stable name of the rule, such as `one_of`."""
    given: str
    """The given value, shortened if it is long."""
    message: str
    """What is wrong and how to correct it, without the parameter's name."""

    def __str__(self) -> str:
        return f"{self.param}: {self.message}"


class Warning(Record):
    """A warning about a call that succeeded."""

    kind: str
    """The stable name, such as `other_size`."""
    message: str
    """The warning as a sentence."""

    def __str__(self) -> str:
        return self.message


class Balance(Record):
    """The account's balance."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        from decimal import Decimal

        super().__init__({**fields, "current_balance": amount(fields["current_balance"])})

    current_balance: Decimal
    """The balance; it may be negative."""
    currency: str | None
    """The currency, if stated."""

    def __str__(self) -> str:
        return f"{self.current_balance:f} {self.currency or ''}".strip()

    def __repr__(self) -> str:
        return f"Balance({self})"


class Progress(Record):
    """A snapshot of a call in flight."""

    attempt: int
    """The number of the attempt, from 1."""
    client_request_id: str
    """The id that the attempt is sent with, as `X-Client-Request-Id`. Known before the first byte is sent."""
    max_attempts: int
    """The maximum number of attempts."""
    phase: Phase
    """How far the attempt is."""
    bytes_sent: int
    """Bytes of the request body that the transport has taken."""
    bytes_total: int
    """Length of the request body in bytes."""
    bytes_received: int
    """Bytes received, of the response and of downloads."""
    pause_seconds: float | None
    """The length of the pause in seconds, between two attempts."""


class BudgetStatus(Record):
    """The state of a budget, in US dollars."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__({name: value if name == "closed" else amount(value) for name, value in fields.items()})

    max_usd: Decimal
    """The limit."""
    spent_usd: Decimal
    """The amount spent, including `assumed_usd`."""
    assumed_usd: Decimal
    """The part of `spent_usd` that may have been charged, or whose price is unknown; counted at its reservation."""
    reserved_usd: Decimal
    """The amount reserved for calls in flight."""
    remaining_usd: Decimal
    """The amount left for further calls; 0 if the budget is closed."""
    closed: bool
    """Whether a call cost more than its reservation; no further call is allowed."""


class Pending(Record):
    """A call that may be charged and whose outcome nobody has received."""

    client_request_id: str | None
    """The client request id of its last attempt; `None` if the call ended before it had one."""
    phase: Phase
    """How far that attempt came."""
    ended: bool
    """Whether it has ended and its outcome waits for `collect`."""


class Reconciled(Record):
    """What the vendor's usage log says about an attempt."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        cost = fields["cost"]
        super().__init__({**fields, "cost": Cost(cost) if isinstance(cost, dict) else cost})

    client_request_id: str
    """The client request id of the attempt."""
    charge: Charge
    """`not_charged`: the attempt failed at no cost and may be repeated. `charged`: it succeeded or cost something.
    `unknown`: the log does not say, or is not available.
    """
    cost: Cost | None
    """The logged price, if the attempt was charged."""
    inference_id: str | None
    """The vendor's id of the inference."""
    request_id: str | None
    """The vendor's id of the HTTP request."""
    created: str | None
    """When the call was made, as written in the log (ISO 8601)."""
    message: str
    """One line that says what to do next; for a charged attempt, with everything that a refund request needs."""

    def __str__(self) -> str:
        return f"{self.client_request_id}: {self.message}"


class LedgerEntry(Record):
    """What really happened to one call that reached the emulator."""

    seq: int
    """The position in the order of arrival, from 1."""
    opened_at: str
    """When its headers had arrived (ISO 8601)."""
    client_request_id: str | None
    """The `X-Client-Request-Id` as sent."""
    operation: Literal["generate", "edit"]
    """The requested operation."""
    authorized: bool
    """Whether its API key was accepted."""
    arrived_whole: bool
    """Whether every byte of the request arrived."""
    bytes_received: int
    """The number of body bytes that arrived."""
    generated: bool
    """Whether images were made."""
    charge: dict[str, Any] | None
    """The price; `None` if nothing was charged."""
    delivered: bool
    """Whether the whole response was written to the socket."""
    status: int | None
    """The HTTP status of the response; `None` if there was none."""
    inference_id: str | None
    """The gateway's id of the inference, if the call was accepted."""
    model: str | None
    """The requested model, if the request could be parsed."""
    prompt: str | None
    """The prompt, if the request could be parsed."""
    images: int
    """The number of images that were made."""
    input_images: int
    """The number of input images, without the mask."""


class RecordedRequest(Record):
    """A request as received by the emulator."""

    side: Literal["api", "cdn"]
    """The listener that received it."""
    method: str
    """The HTTP method."""
    target: str
    """Path and query as received."""
    headers: list[tuple[str, str]]
    """Names and values in their order."""
    body: bytes | None
    """The body; `None` if it was larger than `keep_bodies`."""
    body_len: int
    """The length of the body in bytes."""

    def __repr__(self) -> str:
        return f"RecordedRequest({self.method} {self.target}, {self.body_len} bytes)"

    def header(self, name: str) -> str | None:
        """Returns the first header with this name, ignoring case."""
        return next((value for given, value in self.headers if given.lower() == name.lower()), None)
