"""The errors of this library: one base class, and one class for each kind.

No error that may have cost something is a `TimeoutError` or `ConnectionError`, not even `OutcomeUnknownError`, so a
decorator that retries those cannot cause a second charge.
"""

from __future__ import annotations

from gptimage.records import Attempt, Cost, Violation, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gptimage._words import Charge
    from gptimage.generated import Generated


class GptImageError(Exception):
    """The base class of all errors of this library. The text is one line that says what to do next."""

    kind: str
    """The stable name of the kind, the same in every language, such as `rate_limited`."""
    number: int
    """The stable number of the kind, which is also the C library's status."""
    charge: Charge
    """Whether money was spent by any attempt. `not_charged` is proved, not a claim of the server."""
    http_status: int | None
    """The HTTP status of the response, if there was one."""
    violations: tuple[Violation, ...]
    """The violated rules, for `InvalidRequestError`."""
    retry_after: float | None
    """The number of seconds that the server asks to wait."""
    vendor_says_free: bool
    """Whether the vendor documents this failure as unbilled. That is no proof: `charge` stays `unknown`."""
    timed_out: bool
    """Whether a timer of this library ended the call."""
    attempts: tuple[Attempt, ...]
    """All attempts, in order."""
    generated: Generated | None
    """Images that were paid for and arrived despite the error. An image that was not downloaded is listed with its
    `url`.
    """
    response_body: str | None
    """A response that could not be used, without its images and cut at 64 KiB."""
    response_file: str | None
    """The file that holds a whole response that could not be used: next to the output file, or in the salvage folder."""
    response_bytes: bytes | None
    """A whole response that could not be used, if there was no folder for `response_file`."""
    task_id: str | None
    """The id of the task that the gateway returned instead of images. Ask the gateway for its outcome."""

    def __init__(self, *args: object, message: str | None = None) -> None:
        # Some frameworks pass the text by this name when they create an exception anew.
        super().__init__(*(args if message is None else (message, *args)))

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            """Returns a field that this instance does not have: from the wrapped error, or its value for "unknown".

            The fields must not be class attributes: exceptions of frameworks such as Ray derive from our class and pass
            missing attributes on to the original error, which class attributes would prevent.
            """
            if name in GptImageError.__annotations__:
                wrapped = _wrapped(self)
                return _unknown(type(self), name) if wrapped is None else getattr(wrapped, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def __reduce__(self) -> tuple[Any, ...]:
        # The exception that an error was raised from is not pickled, and an OSError's `errno` is not in its `__dict__`.
        wrapped = None if "charge" in self.__dict__ else _wrapped(self)
        fields = {} if wrapped is None else {name: getattr(wrapped, name) for name in GptImageError.__annotations__}
        state = {**fields, **self.__dict__, **({"errno": self.errno} if isinstance(self, OSError) else {})}
        return type(self), self.args, state

    @property
    def message(self) -> str:
        """The text of the error."""
        wrapped = None if self.args else _wrapped(self)
        return str(self.args[0]) if self.args else "" if wrapped is None else wrapped.message

    @property
    def client_request_id(self) -> str | None:
        """The client request id of the last attempt, by which the vendor can find it."""
        return self.attempts[-1].client_request_id if self.attempts else None

    @property
    def inference_id(self) -> str | None:
        """The vendor's id of the last attempt's inference, if stated."""
        return self.attempts[-1].inference_id if self.attempts else None

    @property
    def cost(self) -> Cost | None:
        """The price of the last attempt, if stated."""
        return self.attempts[-1].cost if self.attempts else None


class InvalidRequestError(GptImageError, ValueError):
    """The request violates rules, which `violations` lists. Nothing was sent."""


class ConfigError(GptImageError, ValueError):
    """A key, URL, header, proxy or trust store that cannot be used."""


class LocalIOError(GptImageError, OSError):
    """A local file cannot be read or written. An existing output file is refused before anything is sent."""

    @property
    def errno(self) -> int | None:
        """The system's error number, if there is one."""
        wrapped = _wrapped(self)
        number: int | None = _ERRNO.__get__(self)
        return wrapped.errno if number is None and isinstance(wrapped, OSError) else number

    @errno.setter
    def errno(self, number: int | None) -> None:
        _ERRNO.__set__(self, number)


class APIConnectionError(GptImageError):
    """The request was provably not delivered completely: nothing was charged."""


class APITimeoutError(APIConnectionError, TimeoutError):
    """A timer of this library ended the call before the request was sent completely: nothing was charged."""


class OutcomeUnknownError(GptImageError):
    """The request was sent completely and no conclusive response was received. It may have been charged: look
    `client_request_id` up, do not repeat the call.
    """


class APIStatusError(GptImageError):
    """The server refused the request."""

    @property
    def status_code(self) -> int:
        """The HTTP status of the response."""
        return self.http_status or 0


class BadRequestError(APIStatusError):
    """A 4xx status that no other class represents."""


class AuthenticationError(APIStatusError):
    """401: the key is missing or invalid."""


class PermissionDeniedError(APIStatusError):
    """403: the key is not allowed to do this."""


class InsufficientCreditsError(PermissionDeniedError):
    """402, or a refusal that says so: the account has no credits left."""


class NotFoundError(APIStatusError):
    """404: no such route or model."""


class ModerationBlockedError(BadRequestError):
    """Moderation refused the prompt or an image."""


class RateLimitError(APIStatusError):
    """429: too many requests. `retry_after` is set if the server says how long to wait."""


class InternalServerError(APIStatusError):
    """A 5xx in the gateway's own error format. Documented as unbilled; `charge` stays `unknown`."""


class APIResponseValidationError(GptImageError):
    """A successful response that cannot be used. It was charged, or may have been."""


class DownloadError(GptImageError):
    """The image was paid for and is at its URL, but could not be downloaded. `client.fetch` tries again, for free."""


class BudgetExceededError(GptImageError):
    """The budget does not allow the call."""


class InternalError(GptImageError):
    """A bug in this library."""


_CLASSES: dict[str, type[GptImageError]] = {
    "invalid_request": InvalidRequestError,
    "config": ConfigError,
    "io": LocalIOError,
    "connection": APIConnectionError,
    "outcome_unknown": OutcomeUnknownError,
    # Only used as the cause of a KeyboardInterrupt or asyncio.CancelledError.
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
    """Creates the exception for an error of core. `fields` has core's names."""
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


# OSError's own `errno` attribute.
_ERRNO: Any = OSError.__dict__["errno"]

# Fields of an error that was not created by core, if not None. It is unknown whether such an error cost something.
_UNKNOWN: dict[str, Any] = {
    "charge": "unknown",
    "violations": (),
    "vendor_says_free": False,
    "timed_out": False,
    "attempts": (),
}


def _unknown(cls: type[GptImageError], name: str) -> Any:
    """The value of a field of an error that was not created by core: from its class, or from `_UNKNOWN`."""
    if name in ("kind", "number"):
        from gptimage import _core

        named = (kind for base in cls.__mro__ for kind, known in _CLASSES.items() if known is base)
        kind = next((kind for kind in named if kind != "cancelled"), "internal")
        return kind if name == "kind" else dict(_core.error_kinds())[kind]
    return _UNKNOWN.get(name)


def _wrapped(error: GptImageError) -> GptImageError | None:
    """The error that another error of the same class wraps: its `cause`, its argument, or what it was raised from."""
    for held in (error.__dict__.get("cause"), *error.args[:1], error.__cause__):
        if isinstance(held, GptImageError) and held is not error and isinstance(error, type(held)):
            return held
    return None


# The name that the compiled part uses.
_from_core = from_core
