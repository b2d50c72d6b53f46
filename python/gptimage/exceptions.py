"""Everything that can go wrong, with what it cost: one base class, one class for each kind.

`OutcomeUnknownError` is neither a timeout nor a connection error, and no error that may have cost something is a
`TimeoutError` or `ConnectionError`: a decorator that retries those cannot pay twice.
"""

from __future__ import annotations

from gptimage.records import Attempt, Cost, Violation, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gptimage._words import Charge
    from gptimage.generated import Generated


class GptImageError(Exception):
    """The base of all errors of this library. Its text is one line that says what to do next."""

    kind: str
    """The stable name, the same in every language, such as `rate_limited`."""
    number: int
    """The stable number, which is also the C library's status."""
    charge: Charge
    """Whether money was spent, over all attempts. `not_charged` is proved, never someone's word."""
    http_status: int | None
    """The answer's status, if there was an answer."""
    violations: tuple[Violation, ...]
    """Every broken rule, for `InvalidRequestError`."""
    retry_after: float | None
    """How many seconds the server asks to wait."""
    vendor_says_free: bool
    """Whether the vendor documents this failure as free. Its word, no proof: `charge` stays `unknown`."""
    timed_out: bool
    """Whether one of our timers ended the call."""
    attempts: tuple[Attempt, ...]
    """Every attempt that was made, in order."""
    generated: Generated | None
    """What was paid for and arrived in spite of the error. A picture not obtained stands in it with its `url`."""
    response_body: str | None
    """The answer without its pictures, at most 64 KiB of it, where it could not be used."""
    response_file: str | None
    """The file that holds the whole answer, where it could not be used: beside the pictures' target, or in the salvage
    folder."""
    response_bytes: bytes | None
    """The whole answer, where it could not be used and there was no folder for `response_file`."""
    task_id: str | None
    """The id of the task that the gateway answered with in place of pictures: ask the gateway what became of it."""

    def __init__(self, *args: object, message: str | None = None) -> None:
        # By this name some frameworks pass the text of an exception that they make anew.
        super().__init__(*(args if message is None else (message, *args)))

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            """A fact that this instance does not have: the wrapped error's, or what is said where nothing is known.

            There are no such facts on the class: a framework's exception that is of our class and passes on what it does
            not have itself, as Ray's, would find them there.
            """
            if name in GptImageError.__annotations__:
                wrapped = _wrapped(self)
                return _unknown(type(self), name) if wrapped is None else getattr(wrapped, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def __reduce__(self) -> tuple[Any, ...]:
        # What an error was raised from is not pickled, and `errno` is not among the attributes of an OSError's dict.
        wrapped = None if "charge" in self.__dict__ else _wrapped(self)
        fields = {} if wrapped is None else {name: getattr(wrapped, name) for name in GptImageError.__annotations__}
        state = {**fields, **self.__dict__, **({"errno": self.errno} if isinstance(self, OSError) else {})}
        return type(self), self.args, state

    @property
    def message(self) -> str:
        """The text."""
        wrapped = None if self.args else _wrapped(self)
        return str(self.args[0]) if self.args else "" if wrapped is None else wrapped.message

    @property
    def client_request_id(self) -> str | None:
        """The id that we gave the last attempt, by which the vendor can find it."""
        return self.attempts[-1].client_request_id if self.attempts else None

    @property
    def inference_id(self) -> str | None:
        """The vendor's id of the last attempt's work, where stated."""
        return self.attempts[-1].inference_id if self.attempts else None

    @property
    def cost(self) -> Cost | None:
        """The last attempt's price, where stated."""
        return self.attempts[-1].cost if self.attempts else None


class InvalidRequestError(GptImageError, ValueError):
    """Our rules refused the request, before anything was sent; `violations` lists every problem."""


class ConfigError(GptImageError, ValueError):
    """A key, URL, header, proxy or trust store that cannot be used."""


class LocalIOError(GptImageError, OSError):
    """A local file. A target that exists is refused before anything is sent."""

    @property
    def errno(self) -> int | None:
        """The system's number of what went wrong, where it has one."""
        wrapped = _wrapped(self)
        number: int | None = _ERRNO.__get__(self)
        return wrapped.errno if number is None and isinstance(wrapped, OSError) else number

    @errno.setter
    def errno(self, number: int | None) -> None:
        _ERRNO.__set__(self, number)


class APIConnectionError(GptImageError):
    """Provably not delivered whole: nothing was charged."""


class APITimeoutError(APIConnectionError, TimeoutError):
    """One of our timers ended the call before the request was sent whole: nothing was charged."""


class OutcomeUnknownError(GptImageError):
    """Sent whole, and no answer came that proves anything. It may be paid: look `client_request_id` up, do not repeat."""


class APIStatusError(GptImageError):
    """The server answered, and refused."""

    @property
    def status_code(self) -> int:
        """The answer's status."""
        return self.http_status or 0


class BadRequestError(APIStatusError):
    """Every 4xx that no other class names."""


class AuthenticationError(APIStatusError):
    """401: the key is missing or invalid."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class InsufficientCreditsError(PermissionDeniedError):
    """402, or a refusal that says so: the account is out of credits."""


class NotFoundError(APIStatusError):
    """404: no such route or model."""


class ModerationBlockedError(BadRequestError):
    """The prompt or an image was refused by moderation."""


class RateLimitError(APIStatusError):
    """429; `retry_after` if the server said how long to wait."""


class InternalServerError(APIStatusError):
    """5xx in the vendor's own words, who says that failures are free. That is no proof: `charge` is `unknown`."""


class APIResponseValidationError(GptImageError):
    """A success that cannot be used. It was paid for, or may be."""


class DownloadError(GptImageError):
    """The picture was paid for, exists at its URL and could not be fetched; `client.fetch` tries again, for free."""


class BudgetExceededError(GptImageError):
    """The budget does not allow the call."""


class InternalError(GptImageError):
    """A bug of ours."""


_CLASSES: dict[str, type[GptImageError]] = {
    "invalid_request": InvalidRequestError,
    "config": ConfigError,
    "io": LocalIOError,
    "connection": APIConnectionError,
    "outcome_unknown": OutcomeUnknownError,
    # Only ever the cause of a KeyboardInterrupt or asyncio.CancelledError.
    "cancelled": GptImageError,
    "bad_request": BadRequestError,
    "authentication": AuthenticationError,
    "permission_denied": PermissionDeniedError,
    "insufficient_credits": InsufficientCreditsError,
    "not_found": NotFoundError,
    "moderation_blocked": ModerationBlockedError,
    "rate_limited": RateLimitError,
    "server": InternalServerError,
    "response_invalid": APIResponseValidationError,
    "download_failed": DownloadError,
    "budget_exceeded": BudgetExceededError,
    "internal": InternalError,
}


def from_core(fields: dict[str, Any]) -> GptImageError:
    """The exception that stands for an error of core; `fields` are core's own, under core's names."""
    from gptimage.generated import Generated

    fields = dict(fields)
    cls = _CLASSES.get(fields["kind"], GptImageError)
    if cls is APIConnectionError and fields["timed_out"] and fields["charge"] == "not_charged":
        cls = APITimeoutError
    error = cls(fields.pop("message"))
    cause, number = fields.pop("cause"), fields.pop("errno")
    if fields["response_file"] is not None:
        import os

        fields["response_file"] = os.fspath(fields["response_file"])
    fields["violations"] = records(Violation, fields["violations"])
    fields["attempts"] = records(Attempt, fields["attempts"])
    fields["retry_after"] = fields.pop("retry_after_seconds")
    if fields["generated"] is not None:
        fields["generated"] = Generated(fields["generated"])
    error.__dict__.update(fields)
    if isinstance(number, str):
        import errno

        number = getattr(errno, number)
    if isinstance(error, OSError) and number is not None:
        error.errno = number
    if number is not None:
        import os

        error.__cause__ = OSError(number, os.strerror(number))
    elif cause is not None:
        error.__cause__ = Exception(cause)
    return error


# Where an OSError has its number.
_ERRNO: Any = OSError.__dict__["errno"]

# What an error says that was not made of fields, where that is not None: nobody knows whether it cost something.
_UNKNOWN: dict[str, Any] = {
    "charge": "unknown",
    "violations": (),
    "vendor_says_free": False,
    "timed_out": False,
    "attempts": (),
}


def _unknown(cls: type[GptImageError], name: str) -> Any:
    """What is said of an error of this class that was not made of fields. What its class says, it says."""
    if name in ("kind", "number"):
        from gptimage import _core

        named = (kind for base in cls.__mro__ for kind, known in _CLASSES.items() if known is base)
        kind = next((kind for kind in named if kind != "cancelled"), "internal")
        return kind if name == "kind" else dict(_core.error_kinds())[kind]
    return _UNKNOWN.get(name)


def _wrapped(error: GptImageError) -> GptImageError | None:
    """The error that another of its own class stands for: as its `cause`, its argument, or what it was raised from."""
    for held in (error.__dict__.get("cause"), *error.args[:1], error.__cause__):
        if isinstance(held, GptImageError) and held is not error and isinstance(error, type(held)):
            return held
    return None


# The name that the compiled part knows.
_from_core = from_core
