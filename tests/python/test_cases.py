"""Runs all of tests/cases through both clients, against the emulator in this process.

The heads of the case files explain their fields. A parameter that the API does not have is not a keyword argument, so
where a case expects the rule `unknown_parameter`, Python raises TypeError; the rules themselves are then tested
directly.
"""

from __future__ import annotations

import asyncio
import base64
import inspect
import json
import pickle
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import cases_inputs
import gptimage
import pytest
from cases_shared import (
    KEY,
    TELLING,
    assert_one_printable_line,
    calls,
    canned_emulator,
    cases,
    expand,
    fixture,
    fixtures_server,
    only_call,
)
from gptimage import (
    _waiting,
    AsyncClient,
    BadRequestError,
    Client,
    Emulator,
    Generated,
    GptImageError,
    InvalidRequestError,
    NotFoundError,
    _core,
    exceptions,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gptimage import Attempt, Cost, Image
    from gptimage.records import RecordedRequest

REQUESTS = cases("requests.toml", "case")
ANSWERS = cases("answers.toml", "case")
KINDS = cases("errors.toml", "kind")
CLASSES = {kind["slug"]: kind["python"] for kind in KINDS}

KEYWORDS = {
    operation: {name for name in inspect.signature(getattr(Client, operation)).parameters if name != "unknown"}
    for operation in ("generate", "edit")
}


@pytest.fixture(params=["blocking", "async"])
def style(request: pytest.FixtureRequest) -> str:
    """Which of the two clients a case goes through."""
    return str(request.param)


def call(style: str, options: dict[str, Any], operation: str, prompt: str, given: dict[str, Any]) -> Generated:
    """One call through a fresh client of either kind."""
    if style == "blocking":
        with Client(**options) as client:
            blocking: Generated = getattr(client, operation)(prompt, **given)
            return blocking

    async def awaited() -> Generated:
        async with AsyncClient(**options) as client:
            made: Generated = await getattr(client, operation)(prompt, **given)
            return made

    return asyncio.run(awaited())


# --- requests.toml ----------------------------------------------------------------------------------------------------

REQUEST_KEYS = {
    "name",
    "operation",
    "prompt",
    "set",
    "extra",
    "images",
    "mask",
    "save_to",
    "structural_rules",
    "refused",
    "json",
    "parts",
    "violations",
}


class Request:
    """A case of requests.toml, ready to be sent."""

    def __init__(self, case: dict[str, Any], folder: Path) -> None:
        self.case = case
        self.operation: str = case.get("operation", "generate")
        prompt = case.get("prompt", "A hat")
        self.prompt: str = prompt if isinstance(prompt, str) else prompt["repeat"] * prompt["times"]
        self.images = [self._made(folder, index, item) for index, item in enumerate(case.get("images", []))]
        mask = case.get("mask")
        self.mask = None if mask is None else self._made(folder, len(self.images), mask)
        self.save_to = folder / case["save_to"] if "save_to" in case else None

    @staticmethod
    def _made(folder: Path, index: int, described: str | dict[str, Any]) -> cases_inputs.Made:
        own = folder / str(index)
        own.mkdir()
        return cases_inputs.make(described, own)

    def keywords(self, *, as_text: bool) -> dict[str, Any]:
        """What is set, by keywords of the operation or by other names."""
        given = dict(self.case.get("set", {}))
        return {name: str(value) for name, value in given.items()} if as_text else given

    def others(self) -> dict[str, Any]:
        """Everything that is no parameter."""
        given: dict[str, Any] = {}
        if "extra" in self.case:
            given["extra"] = json.loads(self.case["extra"])
        if self.case.get("structural_rules"):
            given["structural_rules"] = True
        if self.save_to is not None:
            given["save_to"] = self.save_to
        if self.operation == "edit":
            given["image"] = self.images
            if self.mask is not None:
                given["mask"] = self.mask
        return given

    def input(self, what: str) -> bytes:
        """The bytes of `image 0`, … or `mask`."""
        if what == "mask":
            assert self.mask is not None
            return cases_inputs.read(self.mask)
        return cases_inputs.read(self.images[int(what.removeprefix("image "))])

    def rendered(self, boundary: str) -> bytes:
        """The form that the case says, with this boundary."""
        out = b""
        for part in self.case["parts"]:
            out += f'--{boundary}\r\nContent-Disposition: form-data; name="{part["name"]}"'.encode()
            if "text" in part:
                assert part.keys() == {"name", "text"}
                content = part["text"].replace("{{prompt}}", self.prompt).encode()
            else:
                assert part.keys() == {"name", "filename", "content_type", "equals"}
                out += f'; filename="{part["filename"]}"\r\nContent-Type: {part["content_type"]}'.encode()
                content = self.input(part["equals"])
            out += b"\r\n\r\n" + content + b"\r\n"
        return out + f"--{boundary}--\r\n".encode()


def runs() -> Iterator[Any]:
    """Every case; those with numbers also with the numbers as text."""
    for case in REQUESTS:
        inputs = [*case.get("images", []), *([case["mask"]] if "mask" in case else [])]
        mark = pytest.mark.skipif(not all(map(cases_inputs.possible, inputs)), reason="no such files on this system")
        yield pytest.param(case, False, id=case["name"], marks=mark)
        if any(not isinstance(value, str) for value in case.get("set", {}).values()):
            yield pytest.param(case, True, id=f"{case['name']} (numbers as text)", marks=mark)


@pytest.mark.parametrize(("case", "as_text"), list(runs()))
def test_requests(case: dict[str, Any], as_text: bool, style: str, tmp_path: Path) -> None:
    request = Request(case, tmp_path)
    keywords = request.keywords(as_text=as_text)
    with canned_emulator(key=KEY) as emulator:
        options = {
            "api_key": KEY,
            "base_url": emulator.url,
            "proxy": False,
            "max_attempts": 1,
            "fetch": False,
        }
        if "violations" in case:
            check_refusal(request, keywords, emulator, options, style)
        else:
            check_wire(request, keywords, emulator, options, style)


def check_refusal(
    request: Request, keywords: dict[str, Any], emulator: Emulator, options: dict[str, Any], style: str
) -> None:
    """Every broken rule is told, and nothing is sent."""
    expected = request.case["violations"]
    strange = keywords.keys() - KEYWORDS[request.operation]
    known = {name: value for name, value in keywords.items() if name not in strange}
    assert len(strange) == sum(violation["rule"] == "unknown_parameter" for violation in expected)
    if strange:
        with pytest.raises(TypeError) as refused:
            call(style, options, request.operation, request.prompt, {**request.others(), **keywords})
        assert any(repr(name) in str(refused.value) for name in strange)
        assert_one_printable_line(str(refused.value))
        with pytest.raises(InvalidRequestError) as caught:
            straight_to_the_rules(request, keywords, options)
        check_violations(expected, caught.value)
        expected = [violation for violation in expected if violation["rule"] != "unknown_parameter"]
    if expected:
        with pytest.raises(InvalidRequestError) as caught:
            call(style, options, request.operation, request.prompt, {**request.others(), **known})
        check_violations(expected, caught.value)
    assert emulator.connections == 0


def straight_to_the_rules(request: Request, keywords: dict[str, Any], options: dict[str, Any]) -> None:
    """What the rules say of names that are no keywords of ours."""
    call = _core.Client(options).call(
        request.operation,
        request.prompt,
        [(name, str(value)) for name, value in keywords.items()],
        images=request.images,
        mask=request.mask,
        extra=request.case.get("extra"),
        structural_rules=request.case.get("structural_rules", False),
        save_to=request.save_to,
        overwrite=False,
        deadline=None,
        max_attempts=None,
        fetch=None,
        observed=False,
    )
    _waiting.wait(call)


def check_violations(expected: list[dict[str, str]], error: InvalidRequestError) -> None:
    assert (error.kind, error.number, error.charge) == ("invalid_request", 2, "not_charged")
    assert (error.attempts, error.generated, error.http_status) == ((), None, None)
    assert_one_printable_line(str(error))
    found = [(violation.param, violation.rule) for violation in error.violations]
    assert found == [(violation["param"], violation["rule"]) for violation in expected]
    assert error.message == str(error)
    for want, got in zip(expected, error.violations, strict=True):
        assert want.keys() <= {"param", "rule", "given", "message_contains"}
        assert got.given == want.get("given", got.given)
        assert want.get("message_contains", "") in got.message
        assert got.message in error.message


def check_wire(
    request: Request, keywords: dict[str, Any], emulator: Emulator, options: dict[str, Any], style: str
) -> None:
    """Exactly these bytes arrive."""
    given = {**request.others(), **keywords}
    if request.case.get("refused"):
        with pytest.raises((BadRequestError, NotFoundError)):
            call(style, options, request.operation, request.prompt, given)
    else:
        made = call(style, options, request.operation, request.prompt, given)
        assert isinstance(made, Generated)
        assert made.client_request_id == only_call(emulator).header("x-client-request-id")
    # The ledger also shows whether anything else was sent.
    assert len(emulator.ledger) == 1
    sent = only_call(emulator)
    if request.operation == "generate":
        check_head(sent, "/v1/images/generations", "application/json")
        assert sent.body == request.case["json"].replace("{{prompt}}", request.prompt).encode()
    else:
        check_head(sent, "/v1/images/edits", "multipart/form-data")
        content_type = sent.header("content-type")
        assert content_type is not None
        # Compared before the assertion, because a diff of two such bodies is not worth showing.
        same = sent.body == request.rendered(content_type.partition("boundary=")[2])
        assert same


def check_head(sent: RecordedRequest, target: str, content_type: str) -> None:
    assert (sent.method, sent.target) == ("POST", target)
    assert sent.header("authorization") == f"Bearer {KEY}"
    assert (sent.header("content-type") or "").partition(";")[0] == content_type
    assert sent.header("content-length") == str(sent.body_len)
    assert sent.header("transfer-encoding") is None
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", sent.header("x-client-request-id") or "")


# --- answers.toml -----------------------------------------------------------------------------------------------------

ANSWER_KEYS = {"name", "operation", "set", "fetch", "status", "headers", "body", "body_file", "result", "error"}
RESULT_KEYS = {"images", "usd", "credits", "created", "warnings", "response", "inference_id", "request_id"}
ERROR_KEYS = {
    "kind",
    "number",
    "charge",
    "vendor_says_free",
    "retry_after_seconds",
    "retry_after_at_least",
    "images",
    "usd",
    "credits",
    "message_contains",
    "response_body_contains",
    "inference_id",
    "request_id",
}
IMAGE_KEYS = {"format", "width", "height", "equals", "bytes", "url", "revised_prompt"}


@pytest.fixture(scope="module")
def cdn_url() -> Iterator[str]:
    with fixtures_server() as url:
        yield url


def statuses(case: dict[str, Any]) -> list[int]:
    status = case.get("status", 200)
    return status if isinstance(status, list) else [status]


@pytest.mark.parametrize(
    ("case", "status"),
    [pytest.param(case, status, id=f"{case['name']} ({status})") for case in ANSWERS for status in statuses(case)],
)
def test_answers(case: dict[str, Any], status: int, style: str, cdn_url: str) -> None:
    operation = case.get("operation", "generate")
    given = {**case.get("set", {}), **({"image": fixture("rgb-4x4.png")} if operation == "edit" else {})}
    with Emulator(key=KEY) as emulator:
        emulator.fault({**scripted(case, status, cdn_url), "times": "always"})
        options = {
            "api_key": KEY,
            "base_url": emulator.url,
            "proxy": False,
            "max_attempts": 1,
            "fetch": case.get("fetch", True),
            "timers": {"initial_backoff": 0, "max_backoff": 0, "url_not_found": 0},
        }
        if "result" in case:
            check_result(case["result"], status, call(style, options, operation, "A hat", given), cdn_url)
        else:
            with pytest.raises(GptImageError) as caught:
                call(style, options, operation, "A hat", given)
            check_error(case["error"], status, caught.value, cdn_url)
        assert len(emulator.ledger) == 1
        assert len(calls(emulator)) == 1


def scripted(case: dict[str, Any], status: int, cdn_url: str) -> dict[str, Any]:
    """The answer that the case describes, as a fault of the emulator."""
    headers = {name: expand(value, cdn_url) for name, value in case.get("headers", {}).items()}
    content_type = headers.pop("content-type", "application/json")
    body = expand(case.get("body", ""), cdn_url)
    if status < 600:
        content: object = body
        if name := case.get("body_file"):
            content = {"base64": base64.b64encode(fixture(name)).decode()}
        raw_body = {"content_type": content_type, "content": content}
        return {"answer": {"status": status, "headers": headers, "raw_body": raw_body}}
    # No server framework can send such a status.
    assert not headers
    length = len(body.encode())
    head = f"HTTP/1.1 {status} Odd\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    return {"raw": {"response": head + body}}


def check_result(expected: dict[str, Any], status: int, got: Generated, cdn_url: str) -> None:
    check_images(expected["images"], got.images, cdn_url)
    check_cost(expected, got.cost)
    assert got.created == expected.get("created")
    assert [warning.kind for warning in got.warnings] == expected.get("warnings", [])
    if "response" in expected:
        assert got.response == json.loads(expected["response"])
    check_attempts(expected, got.attempts, status, "charged")
    last = got.attempts[-1]
    assert (got.client_request_id, got.inference_id, got.request_id, got.cost) == (
        last.client_request_id,
        last.inference_id,
        last.request_id,
        last.cost,
    )
    for warning in got.warnings:
        assert_one_printable_line(str(warning))
        assert TELLING not in repr(warning)
    assert TELLING not in repr(got)
    assert pickle.loads(pickle.dumps(got)) == got


def check_error(expected: dict[str, Any], status: int, got: GptImageError, cdn_url: str) -> None:
    assert type(got).__name__ == CLASSES[got.kind]
    if "kind" in expected:
        assert (got.kind, got.number, got.charge) == (expected["kind"], expected["number"], expected["charge"])
        assert got.vendor_says_free is expected.get("vendor_says_free", False)
    assert got.http_status == status
    if isinstance(got, exceptions.APIStatusError):
        assert got.status_code == status
    if "retry_after_at_least" in expected:
        assert got.retry_after is not None
        assert got.retry_after >= expected["retry_after_at_least"]
    else:
        assert got.retry_after == expected.get("retry_after_seconds")
    check_images(expected.get("images", []), () if got.generated is None else got.generated.images, cdn_url)
    check_cost(expected, got.cost)
    for part in expected.get("message_contains", []):
        assert part in got.message
    for part in expected.get("response_body_contains", []):
        assert part in (got.response_body or "")
    check_attempts(expected, got.attempts, status, got.charge)
    last = got.attempts[-1]
    assert (got.client_request_id, got.inference_id) == (last.client_request_id, last.inference_id)
    assert_one_printable_line(str(got))
    check_no_key(got)


def check_no_key(error: GptImageError) -> None:
    """Not in any form that ends up in a log: text, repr, fields, JSON, pickle, or what lies underneath."""
    facts = {name: value for name, value in vars(error).items() if name != "response_body"}
    for text in (str(error), repr(error), repr(facts), json.dumps(facts, default=repr), repr(error.__cause__)):
        assert TELLING not in text
    assert TELLING not in (error.response_body or ""), "the kept answer repeats the key"
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def check_images(expected: list[dict[str, Any]], got: tuple[Image, ...], cdn_url: str) -> None:
    assert len(got) == len(expected)
    for want, image in zip(expected, got, strict=True):
        assert (image.format, image.width, image.height) == (
            want.get("format"),
            want.get("width"),
            want.get("height"),
        )
        assert image.url == (expand(want["url"], cdn_url) if "url" in want else None)
        assert image.revised_prompt == want.get("revised_prompt")
        if "bytes" in want:
            assert image.nbytes == want["bytes"]
        if "equals" in want:
            assert bytes(image) == fixture(want["equals"])


def check_cost(expected: dict[str, Any], got: Cost | None) -> None:
    """Exact: the amounts are compared as decimal numbers that never were binary fractions."""
    for name in ("usd", "credits"):
        amount = None if got is None else getattr(got, name)
        assert amount is None or isinstance(amount, Decimal)
        assert amount == (Decimal(expected[name]) if name in expected else None)


def check_attempts(expected: dict[str, Any], got: tuple[Attempt, ...], status: int, charge: str) -> None:
    """One attempt, with what the answer says."""
    [attempt] = got
    assert (attempt.number, attempt.http_status, attempt.charge) == (1, status, charge)
    assert attempt.bytes_sent == attempt.bytes_total > 0
    for name in ("inference_id", "request_id"):
        if name in expected:
            assert getattr(attempt, name) == expected[name]


# --- errors.toml ------------------------------------------------------------------------------------------------------

BASES = {
    "InvalidRequestError": (ValueError,),
    "ConfigError": (ValueError,),
    "LocalIOError": (OSError,),
    "BadRequestError": (exceptions.APIStatusError,),
    "AuthenticationError": (exceptions.APIStatusError,),
    "PermissionDeniedError": (exceptions.APIStatusError,),
    "InsufficientCreditsError": (exceptions.PermissionDeniedError,),
    "NotFoundError": (exceptions.APIStatusError,),
    "ModerationBlockedError": (exceptions.BadRequestError,),
    "RateLimitError": (exceptions.APIStatusError,),
    "InternalServerError": (exceptions.APIStatusError,),
}
# Classes that a retry decorator, or an `except` older than this library, may look for.
TELLING_BASES = (ValueError, OSError, TimeoutError, ConnectionError, exceptions.APIStatusError)


@pytest.mark.parametrize("kind", KINDS, ids=[kind["slug"] for kind in KINDS])
def test_kinds(kind: dict[str, Any]) -> None:
    made = from_core(kind["slug"], kind["number"], kind["charge"][0])
    assert (made.kind, made.number, made.charge) == (kind["slug"], kind["number"], kind["charge"][0])
    assert isinstance(made, GptImageError)
    if kind["slug"] == "cancelled":
        # Never raised itself: it is the cause of the exception that Python raises.
        assert kind["python"] == "asyncio.CancelledError"
        assert type(made) is GptImageError
        return
    assert type(made).__name__ == kind["python"]
    assert type(made) is getattr(exceptions, kind["python"]) is getattr(gptimage, kind["python"])
    assert kind["python"] in gptimage.__all__
    bases = BASES.get(kind["python"], ())
    for base in TELLING_BASES:
        assert isinstance(made, base) == any(issubclass(wanted, base) for wanted in bases)
    assert all(isinstance(made, base) for base in bases)


def from_core(slug: str, number: int, charge: str, *, timed_out: bool = False) -> GptImageError:
    """An error as core tells it."""
    facts = {
        "kind": slug,
        "number": number,
        "charge": charge,
        "message": "What to do next",
        "http_status": None,
        "violations": [],
        "retry_after_seconds": None,
        "vendor_says_free": False,
        "timed_out": timed_out,
        "attempts": [],
        "generated": None,
        "response_body": None,
        "response_file": None,
        "response_bytes": None,
        "task_id": None,
    }
    return exceptions.from_core({**facts, "cause": None, "errno": None})


def test_every_class_is_of_a_kind() -> None:
    """No class is left without a kind, but for the bases and the timer's."""
    defined = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, GptImageError)
    }
    named = {kind["python"] for kind in KINDS if kind["slug"] != "cancelled"}
    assert defined == named | {"GptImageError", "APIStatusError", "APITimeoutError"}


def test_only_a_timer_that_cost_nothing_is_a_timeout() -> None:
    """A decorator that repeats timeouts and connection errors must not pay twice."""
    timer = from_core("connection", 10, "not_charged", timed_out=True)
    assert type(timer) is exceptions.APITimeoutError
    assert isinstance(timer, (exceptions.APIConnectionError, TimeoutError))
    assert type(from_core("connection", 10, "not_charged")) is exceptions.APIConnectionError
    for kind in KINDS:
        # Any charge, because an earlier attempt of the same call may have cost something.
        for charge in ("not_charged", "unknown", "charged"):
            made = from_core(kind["slug"], kind["number"], charge, timed_out=True)
            repeated = isinstance(made, (TimeoutError, ConnectionError, asyncio.TimeoutError))
            assert not repeated or made.charge == "not_charged"


def test_an_unknown_kind_of_a_later_core_is_still_an_error_of_ours() -> None:
    assert type(from_core("never_heard_of", 77, "unknown")) is GptImageError


def test_a_cancelled_task_has_the_error_of_its_kind_as_cause(gptimage_emulator: Emulator) -> None:
    gptimage_emulator.set(latency="1h")

    async def cancel_once_sent() -> None:
        sent = asyncio.Event()

        def on_progress(progress: gptimage.Progress) -> None:
            if progress.phase == "sent":
                sent.set()

        client = gptimage_emulator.async_client(on_cancel="abort")
        task = asyncio.create_task(client.generate("A hat", progress=on_progress))
        await sent.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await task
        cause = cancelled.value.__cause__
        assert isinstance(cause, GptImageError)
        assert (cause.kind, cause.number, cause.charge) == ("cancelled", 12, "unknown")

    asyncio.run(cancel_once_sent())


# --- The files themselves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [REQUESTS, ANSWERS], ids=["requests", "answers"])
def test_names_are_not_used_twice(table: list[dict[str, Any]]) -> None:
    names = [case["name"] for case in table]
    assert len(set(names)) == len(names)


def test_nothing_is_said_that_is_not_compared() -> None:
    """A new key of a case that only other languages look at would pass here unseen."""
    for case in REQUESTS:
        assert case.keys() <= REQUEST_KEYS
        assert len(case.keys() & {"json", "parts", "violations"}) == 1
        assert ("parts" in case) <= (case.get("operation") == "edit")
    for case in ANSWERS:
        assert case.keys() <= ANSWER_KEYS
        assert ("result" in case) != ("error" in case)
        expected = case.get("result", {}) or case.get("error", {})
        assert expected.keys() <= (RESULT_KEYS if "result" in case else ERROR_KEYS)
        assert all(image.keys() <= IMAGE_KEYS for image in expected.get("images", []))
    for kind in KINDS:
        assert kind.keys() == {"slug", "number", "exit_code", "python", "charge", "cases"}
