"""Facts about calls: frozen, comparable, picklable. Their names are the same in every language.

Money is exact: amounts are `decimal.Decimal`, made from the server's own text.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from typing import Any, Literal, TypeVar

    from gptimage._words import Charge, Phase

    R = TypeVar("R", bound="Record")


class Record:
    """Named fields that do not change."""

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
    """An exact amount, whatever the caller's decimal context: without zeros at its end, so that equal ones look alike, and
    without an exponent."""
    from decimal import Decimal

    digits = f"{Decimal(text):f}"
    return Decimal(digits.rstrip("0").rstrip(".") if "." in digits else digits)


def records(kind: type[R], fields: list[Mapping[str, Any]]) -> tuple[R, ...]:
    return tuple(kind(item) for item in fields)


class Cost(Record):
    """What a call cost, exactly, as the server said it."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        # By their names: CPython before 3.12 does not survive a lack of memory for a dict's items.
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
    """One attempt at a charged call."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        cost = fields["cost"]
        super().__init__({**fields, "cost": Cost(cost) if isinstance(cost, dict) else cost})

    number: int
    """1 for the first."""
    client_request_id: str
    """The id that we gave it, sent as `X-Client-Request-Id`."""
    inference_id: str | None
    """The vendor's id of the work, where stated."""
    request_id: str | None
    """The vendor's id of the HTTP request, where stated."""
    phase: Phase
    """How far it came."""
    bytes_sent: int
    """Bytes of the request's body that the transport took: an upper bound of what the server has."""
    bytes_total: int
    """Length of the request's body in bytes."""
    http_status: int | None
    """The answer's status."""
    charge: Charge
    """What is known about money."""
    cost: Cost | None
    """The price, where stated."""
    waited_seconds: float
    """Slept before this attempt."""
    elapsed_seconds: float
    """From its start to its end."""
    error: str | None
    """Why it failed, in one line."""


class Violation(Record):
    """A broken rule: which parameter, which rule, what was given, and the way out."""

    param: str
    """The API's name of the parameter, such as `size` or `image[2]`."""
    rule: str
    """The stable name of the rule, such as `one_of`."""
    given: str
    """What was given, shortened where it is long."""
    message: str
    """What is wrong and what to do, without the parameter's name."""

    def __str__(self) -> str:
        return f"{self.param}: {self.message}"


class Warning(Record):
    """Something odd about a call that succeeded."""

    kind: str
    """The stable name, such as `other_size`."""
    message: str
    """A sentence for people."""

    def __str__(self) -> str:
        return self.message


class Balance(Record):
    """What money is left."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        from decimal import Decimal

        super().__init__({**fields, "current_balance": amount(fields["current_balance"])})

    current_balance: Decimal
    """It may be negative."""
    currency: str | None
    """Where stated."""

    def __str__(self) -> str:
        return f"{self.current_balance:f} {self.currency or ''}".strip()

    def __repr__(self) -> str:
        return f"Balance({self})"


class Progress(Record):
    """One look at a call on its way."""

    attempt: int
    """1 for the first."""
    client_request_id: str
    """The id that the attempt is sent with, as `X-Client-Request-Id`. Known before its first byte leaves."""
    max_attempts: int
    """Most attempts that the call may take."""
    phase: Phase
    """How far the attempt is."""
    bytes_sent: int
    """Bytes of the request's body that the transport took."""
    bytes_total: int
    """Length of the request's body in bytes."""
    bytes_received: int
    """Bytes that came, of the answer and of downloads."""
    pause_seconds: float | None
    """Set between two attempts: how long the pause is."""


class BudgetStatus(Record):
    """How a budget stands, in US dollars."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        super().__init__({name: value if name == "closed" else amount(value) for name, value in fields.items()})

    max_usd: Decimal
    """The limit."""
    spent_usd: Decimal
    """What was spent, `assumed_usd` included."""
    assumed_usd: Decimal
    """The part of it that may be charged, or was at no stated price: counted at its reservation."""
    reserved_usd: Decimal
    """What is reserved for calls on their way."""
    remaining_usd: Decimal
    """What is left for further calls; nothing once it is closed."""
    closed: bool
    """Whether a call cost more than was reserved for it: none is let through any more."""


class Pending(Record):
    """A call that may be paid and is in nobody's hands yet."""

    client_request_id: str | None
    """The id of its last attempt; none where a call ended before it had one."""
    phase: Phase
    """How far that came."""
    ended: bool
    """Whether it has ended, and its outcome waits for `collect`."""


class Reconciled(Record):
    """What is known of an attempt after the vendor's log was asked."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        cost = fields["cost"]
        super().__init__({**fields, "cost": Cost(cost) if isinstance(cost, dict) else cost})

    client_request_id: str
    """The attempt's id."""
    charge: Charge
    """`not_charged`: it failed and cost nothing, and may be sent again. `charged`: it succeeded or cost something.
    `unknown`: the log does not say, or cannot be asked."""
    cost: Cost | None
    """The price in the log, where it was charged."""
    inference_id: str | None
    """The vendor's id of the work."""
    request_id: str | None
    """The vendor's id of the HTTP request."""
    created: str | None
    """When the call was made, as the log writes it (ISO 8601)."""
    message: str
    """One line that says what to do next; for what was charged, with everything that a refund needs."""

    def __str__(self) -> str:
        return f"{self.client_request_id}: {self.message}"


class LedgerEntry(Record):
    """The truth about one paid call that reached the emulator."""

    seq: int
    """Position in the order of arrival, from 1."""
    opened_at: str
    """When its head had arrived, in ISO 8601."""
    client_request_id: str | None
    """The `X-Client-Request-Id` as sent."""
    operation: Literal["generate", "edit"]
    """Which operation was asked for."""
    authorized: bool
    """Whether it carried a key that works."""
    arrived_whole: bool
    """Whether every byte of the request arrived."""
    bytes_received: int
    """Bytes of the body that arrived."""
    generated: bool
    """Whether the work was done."""
    charge: dict[str, Any] | None
    """What it cost; `None` if nothing was charged."""
    delivered: bool
    """Whether the whole response was written to the socket."""
    status: int | None
    """The status that the server answered; `None` if it never came to an answer."""
    inference_id: str | None
    """The gateway's id of the work, once it was accepted."""
    model: str | None
    """The model asked for, if the request could be read."""
    prompt: str | None
    """The prompt, if the request could be read."""
    images: int
    """Pictures made."""
    input_images: int
    """Pictures given as input, the mask left out."""


class RecordedRequest(Record):
    """A request as the emulator got it."""

    side: Literal["api", "cdn"]
    """Which listener got it."""
    method: str
    """The method."""
    target: str
    """Path and query as written."""
    headers: list[tuple[str, str]]
    """Names and values in their order."""
    body: bytes | None
    """The body; `None` if it was longer than what is kept."""
    body_len: int
    """The body's length, kept or not."""

    def __repr__(self) -> str:
        return f"RecordedRequest({self.method} {self.target}, {self.body_len} bytes)"

    def header(self, name: str) -> str | None:
        """The first header of this name, in any case."""
        return next((value for given, value in self.headers if given.lower() == name.lower()), None)
