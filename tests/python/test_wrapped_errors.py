"""Errors that other code wraps, pickles, groups or recreates keep their facts about money, or claim nothing."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import gptimage
from gptimage import DownloadError, Emulator, GptImageError, LocalIOError, OutcomeUnknownError, RateLimitError

FIELDS = sorted(name for base in (GptImageError,) for name in base.__annotations__)
DERIVED = ("message", "client_request_id", "inference_id", "cost")


def facts(error: GptImageError) -> dict[str, Any]:
    """Everything that an error says."""
    said = {name: getattr(error, name) for name in (*FIELDS, *DERIVED)}
    if isinstance(error, OSError):
        said["errno"] = error.errno
    return said


def caught(work: Callable[[], object]) -> GptImageError:
    with pytest.raises(GptImageError) as error:
        work()
    return error.value


@pytest.fixture(scope="module", params=["a refusal", "a picture at its URL", "an unknown outcome", "a local file"])
def error(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GptImageError]:
    """Errors of real calls, with a note."""
    faults: dict[str, tuple[type[GptImageError], dict[str, Any]]] = {
        "a refusal": (RateLimitError, {"answer": {"status": 429, "headers": {"retry-after": "7"}}}),
        "a picture at its URL": (DownloadError, {"cdn": {"status": 410, "times": "always"}}),
        "an unknown outcome": (OutcomeUnknownError, {"cut_response": {"after": 17, "cut": "rst"}}),
        "a local file": (LocalIOError, {}),
    }
    cls, fault = faults[request.param]
    there = tmp_path_factory.mktemp("there") / "file.png"
    there.touch()
    with Emulator(billing="pessimistic") as emulator:
        if fault:
            emulator.fault(fault)
        client = emulator.client(max_attempts=1)
        made = caught(lambda: client.generate("x", save_to=there if cls is LocalIOError else None))
        assert type(made) is cls
        assert cls is LocalIOError or len(made.attempts) == 1
        assert {"a refusal": "not_charged", "an unknown outcome": "unknown"}.get(request.param) in (None, made.charge)
        made.add_note("a note of the caller's")
        yield made


class TaskError(Exception):
    """What a cluster's worker sends of an exception: as Ray does it, in short."""

    def __init__(self, function: str, traceback: str, cause: BaseException) -> None:
        self.cause = cause
        self.args = (function, traceback, cause)

    def as_instance_of_cause(self) -> BaseException:
        """An exception of both classes, whose constructor the cause's class never sees."""
        text, cause_class = "Traceback of the worker", type(self.cause)

        class Both(TaskError, cause_class):  # type: ignore[misc, valid-type]
            def __init__(self, cause: BaseException) -> None:
                self.cause = cause
                self._arguments = (cause,)

            @property
            def args(self) -> Any:
                return self._arguments

            @args.setter
            def args(self, value: Any) -> None:
                self._arguments = value

            def __reduce__(self) -> Any:
                return _both, self._arguments

            def __getattr__(self, name: str) -> Any:
                return getattr(self.cause, name)

            def __str__(self) -> str:
                return text

        return Both(self.cause)


def _both(cause: BaseException) -> BaseException:
    return TaskError("function", "", cause).as_instance_of_cause()


def test_a_double_exception_says_what_its_cause_says(error: GptImageError) -> None:
    sent = pickle.loads(pickle.dumps(TaskError("function", "", error)))
    both = sent.as_instance_of_cause()
    with pytest.raises(type(error)) as raised:
        raise both
    assert isinstance(raised.value, TaskError) and isinstance(raised.value, GptImageError)
    assert facts(raised.value) == facts(error)
    assert raised.value.__notes__ == error.__notes__
    assert facts(pickle.loads(pickle.dumps(both))) == facts(copy.copy(both)) == facts(error)


def test_a_double_exception_that_passes_nothing_on(error: GptImageError) -> None:
    """It is of the error's class and has it as its cause, and that is all."""

    class Both(TaskError, type(error)):  # type: ignore[misc]
        def __init__(self, cause: BaseException) -> None:
            self.cause = cause

    assert facts(Both(error)) == {**facts(error), "message": str(error)}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_has_it_all(error: GptImageError, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is type(error) and str(again) == str(error)
    assert facts(again) == facts(error) and again.__notes__ == error.__notes__


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_has_it_all(error: GptImageError, copied: Callable[[GptImageError], GptImageError]) -> None:
    again = copied(error)
    assert type(again) is type(error) and again.args == error.args
    assert facts(again) == facts(error) and again.__notes__ == error.__notes__


class OwnError(RateLimitError):
    """What a program makes of a refusal."""


def test_an_error_of_ones_own_says_what_it_was_raised_from() -> None:
    with Emulator() as emulator:
        emulator.fault(answer={"status": 429, "headers": {"retry-after": "7"}})
        refusal = caught(lambda: emulator.client(max_attempts=1).generate("x"))
    with pytest.raises(OwnError) as raised:
        raise OwnError("too much at once") from refusal
    for own in (raised.value, pickle.loads(pickle.dumps(raised.value)), copy.copy(raised.value)):
        assert str(own) == "too much at once"
        assert facts(own) == {**facts(refusal), "message": "too much at once"}


def test_what_was_raised_from_another_kind_claims_nothing() -> None:
    """That one call cost nothing proves nothing of what another error stands for."""
    with Emulator() as emulator:
        emulator.fault(answer={"status": 429})
        refusal = caught(lambda: emulator.client(max_attempts=1).generate("x"))
    with pytest.raises(OutcomeUnknownError) as raised:
        raise OutcomeUnknownError("of another call") from refusal
    assert (raised.value.charge, raised.value.attempts) == ("unknown", ())


@pytest.mark.parametrize(
    "cls", [cls for cls in vars(gptimage).values() if isinstance(cls, type) and issubclass(cls, GptImageError)]
)
def test_an_error_that_is_made_of_its_text_alone(cls: type[GptImageError]) -> None:
    """As loaders of data and queues of tasks do: by position, by the name `message`, or without. Its kind is its class's."""
    for made in (cls("a text"), cls(message="a text"), copy.copy(cls("a text"))):
        assert str(made) == made.message == "a text"
        assert (made.charge, made.attempts, made.generated, made.client_request_id) == ("unknown", (), None, None)
        assert made.kind == dict((number, name) for name, number in gptimage._core.error_kinds())[made.number]
    assert cls().message == ""
    with pytest.raises(AttributeError, match="'nothing'"):
        cls("a text").nothing  # type: ignore[attr-defined]
    assert RateLimitError("x").kind == "rate_limited" and GptImageError("x").kind == "internal"


def _refused(url: str, key: str) -> None:
    gptimage.Client(api_key=key, base_url=url, proxy=False, max_attempts=1).generate("x")


@pytest.mark.parametrize("pool", ["concurrent.futures", "multiprocessing"])
def test_from_another_process(pool: str) -> None:
    context = multiprocessing.get_context("spawn")
    with Emulator() as emulator:
        emulator.fault(answer={"status": 429, "headers": {"retry-after": "7"}})
        if pool == "multiprocessing":
            with context.Pool(1) as workers:
                refusal = caught(lambda: workers.apply(_refused, (emulator.url, emulator.key)))
        else:
            with ProcessPoolExecutor(1, mp_context=context) as executor:
                refusal = caught(lambda: executor.submit(_refused, emulator.url, emulator.key).result())
        [entry] = emulator.ledger
        assert (refusal.kind, refusal.charge, refusal.retry_after) == ("rate_limited", "not_charged", 7.0)
        assert refusal.client_request_id == entry.client_request_id
        # The worker's traceback is attached as the cause.
        assert "_refused" in str(refusal.__cause__)


def test_from_a_future_that_was_tried_again(error: GptImageError) -> None:
    """As retrying libraries have it: the last attempt is a future, and their error is raised from what it holds."""
    attempt: Future[object] = Future()
    attempt.set_exception(error)
    with pytest.raises(RuntimeError) as raised:
        raise RuntimeError(attempt) from attempt.exception()
    assert raised.value.__cause__ is error
    assert facts(caught(attempt.result)) == facts(error)


def test_in_a_group(error: GptImageError) -> None:
    class Own(ExceptionGroup[Exception]):
        def derive(self, found: Any, /) -> Any:
            return Own(self.message, found)

    group = Own("several", [ValueError("another"), ExceptionGroup("inner", [error])])
    ours, others = group.split(GptImageError)
    assert ours is not None and others is not None
    try:
        raise pickle.loads(pickle.dumps(ExceptionGroup("sent", [error])))
    except* GptImageError as sent:
        [only] = sent.exceptions
        assert isinstance(only, GptImageError) and facts(only) == facts(error)
    inner = ours.exceptions[0]
    assert isinstance(inner, ExceptionGroup) and inner.exceptions == (error,)
    assert facts(error) == facts(inner.exceptions[0])
