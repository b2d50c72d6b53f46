"""Runs all of tests/cases through the shared library, with ctypes, against emulators in processes of their own.

    python3 tests/c/cases.py LIBRARY path/to/gptimage [a part of the names of cases]

The heads of the case files explain their fields. Needs nothing but Python 3.11: of tests/python, only modules that do
not need the Python package are used.
"""

from __future__ import annotations

import base64
import ctypes
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
import types
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import header

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "python"))
if "gptimage" not in sys.modules:
    # The modules of tests/python import the package, but their functions that are used here do not need it.
    stand_in = types.ModuleType("gptimage")
    stand_in.Emulator = object  # type: ignore[attr-defined]
    sys.modules["gptimage"] = stand_in

import cases_inputs  # noqa: E402
from cases_shared import KEY, TELLING, assert_one_printable_line, cases, expand, fixture, fixtures_server  # noqa: E402

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


# --- The library ------------------------------------------------------------------------------------------------------


class Bytes(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("len", ctypes.c_size_t)]


TOLD = ("param", "rule", "given", "message")


class Violation(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in TOLD]


VALUES: dict[str, Any] = {
    "void": None,
    "int": ctypes.c_int,
    "int64_t": ctypes.c_int64,
    "uint64_t": ctypes.c_uint64,
    "uint32_t": ctypes.c_uint32,
    "uint16_t": ctypes.c_uint16,
    "size_t": ctypes.c_size_t,
    "gptimage_status_t": ctypes.c_int32,
    "gptimage_phase_t": ctypes.c_int32,
    "gptimage_log_level_t": ctypes.c_int32,
    "gptimage_bytes_t": Bytes,
    "gptimage_violation_t": Violation,
    "const char *": ctypes.c_char_p,
    "const uint8_t *": ctypes.c_char_p,
}


def as_ctypes(name: str) -> Any:
    """A type of the header."""
    if name in VALUES:
        return VALUES[name]
    if name.endswith("* *"):
        return ctypes.POINTER(ctypes.c_void_p)
    assert name.endswith(("*", "_callback_t")), f"{name} is not known here"
    return ctypes.c_void_p


class Failure(Exception):
    """A status that is not OK, with all that its error says."""

    def __init__(self, library: Library, status: int, error: ctypes.c_void_p) -> None:
        self.status = status
        self.kind = library.text("gptimage_error_kind", error)
        self.message = library.text("gptimage_error_message", error) or ""
        self.charge = library.text("gptimage_error_charge", error)
        self.http_status = library.call("gptimage_error_http_status", error)
        self.retry_after_ms = library.call("gptimage_error_retry_after_ms", error)
        self.client_request_id = library.text("gptimage_error_client_request_id", error)
        self.inference_id = library.text("gptimage_error_inference_id", error)
        self.response_body = library.text("gptimage_error_response_body", error)
        count = library.call("gptimage_error_violation_count", error)
        self.violations = [violation(library.call("gptimage_error_violation", error, at)) for at in range(count)]
        self.json_text = library.text("gptimage_error_json", error) or ""
        self.json = json.loads(self.json_text)
        generated = library.call("gptimage_error_generated", error)
        self.generated = Generated(library, generated) if generated else None
        assert library.call("gptimage_error_status", error) == status
        assert library.text("gptimage_status_name", status) == self.kind
        super().__init__(f"{self.kind}: {self.message}")


def violation(found: Violation) -> dict[str, str]:
    return {name: getattr(found, name).decode() for name in TOLD}


class Generated:
    """All that a result says."""

    def __init__(self, library: Library, handle: ctypes.c_void_p | int) -> None:
        self.usd = library.text("gptimage_generated_usd_spent", handle)
        self.credits = library.text("gptimage_generated_credits_used", handle)
        self.inference_id = library.text("gptimage_generated_inference_id", handle)
        self.client_request_id = library.text("gptimage_generated_client_request_id", handle)
        self.attempts = library.call("gptimage_generated_attempt_count", handle)
        self.json_text = library.text("gptimage_generated_json", handle) or ""
        self.json = json.loads(self.json_text)
        count = library.call("gptimage_generated_image_count", handle)
        self.images = [Image(library, handle, at) for at in range(count)]


class Image:
    def __init__(self, library: Library, of: ctypes.c_void_p | int, index: int) -> None:
        view = library.call("gptimage_generated_image_bytes", of, index)
        self.bytes = ctypes.string_at(view.data, view.len) if view.data else None
        self.format = library.text("gptimage_generated_image_format", of, index)
        self.width = library.call("gptimage_generated_image_width", of, index)
        self.height = library.call("gptimage_generated_image_height", of, index)
        self.url = library.text("gptimage_generated_image_url", of, index)
        self.revised_prompt = library.text("gptimage_generated_image_revised_prompt", of, index)


class Library:
    """The shared library, declared as its header says."""

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        for prototype in header.prototypes():
            function = getattr(self._library, prototype.name)
            function.restype = as_ctypes(prototype.result)
            function.argtypes = [as_ctypes(parameter.type) for parameter in prototype.parameters]

    def call(self, name: str, *arguments: Any) -> Any:
        return getattr(self._library, name)(*arguments)

    def text(self, name: str, *arguments: Any) -> str | None:
        """A borrowed text, copied."""
        found = self.call(name, *arguments)
        return None if found is None else found.decode()

    def do(self, name: str, *arguments: Any) -> None:
        """A function that may fail, without its last argument."""
        error = ctypes.c_void_p()
        status = self.call(name, *arguments, ctypes.byref(error))
        assert (status == 0) == (error.value is None), f"{name}: {status}, and the error is {error}"
        if status:
            try:
                raise Failure(self, status, error)
            finally:
                self.call("gptimage_error_free", error)

    def make(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        """A function that may fail, and fills the argument before its last."""
        made = ctypes.c_void_p()
        self.do(name, *arguments, ctypes.byref(made))
        assert made.value is not None
        return made

    @contextmanager
    def client(self, url: str, *, fetch: bool, timers: dict[str, int]) -> Iterator[ctypes.c_void_p]:
        """A client that makes one attempt."""
        config = ctypes.c_void_p(self.call("gptimage_config_new"))
        self.do("gptimage_config_set_api_key", config, KEY.encode())
        self.do("gptimage_config_set_base_url", config, url.encode())
        self.do("gptimage_config_set_proxy", config, b"")
        self.do("gptimage_config_set_max_attempts", config, 1)
        self.do("gptimage_config_set_fetch", config, int(fetch))
        for name, value in timers.items():
            self.do("gptimage_config_set_timer_ms", config, name.encode(), value)
        client = self.make("gptimage_client_new", config)
        self.call("gptimage_config_free", config)
        try:
            yield client
        finally:
            self.call("gptimage_client_free", client)

    def send(self, client: ctypes.c_void_p, request: Request) -> Generated:
        """One call, and what came of it."""
        handle = self.make(f"gptimage_{request.operation}_request_new", request.prompt.encode())
        try:
            for name, *arguments in request.setters():
                self.do(f"gptimage_{request.operation}_request_{name}", handle, *arguments)
            if request.save_to is None:
                generated = self.make(f"gptimage_client_{request.operation}", client, handle, None)
            else:
                to = os.fsencode(request.save_to)
                generated = self.make(f"gptimage_client_{request.operation}_to", client, handle, to, None)
        finally:
            self.call(f"gptimage_{request.operation}_request_free", handle)
        try:
            return Generated(self, generated)
        finally:
            self.call("gptimage_generated_free", generated)


NAMED = {prototype.name: prototype for prototype in header.prototypes()}


class Request:
    """A request as a case says it, ready to be sent."""

    def __init__(self, case: dict[str, Any], folder: Path, *, as_text: bool) -> None:
        self.case = case
        self.as_text = as_text
        self.operation: str = case.get("operation", "generate")
        prompt = case.get("prompt", "A hat")
        self.prompt: str = prompt if isinstance(prompt, str) else prompt["repeat"] * prompt["times"]
        self.images = [made(folder, at, described) for at, described in enumerate(case.get("images", []))]
        self.mask = made(folder, len(self.images), case["mask"]) if "mask" in case else None
        self.save_to = folder / case["save_to"] if "save_to" in case else None

    def setters(self) -> Iterator[tuple[Any, ...]]:
        """What is called on it, in order."""
        for name, value in self.case.get("set", {}).items():
            setter = NAMED.get(f"gptimage_{self.operation}_request_set_{name}")
            number = isinstance(value, int)
            if setter and not (number and self.as_text) and number == (setter.parameters[1].type == "int64_t"):
                yield f"set_{name}", value if number else value.encode()
            else:
                yield "set", name.encode(), str(value).encode()
        if "extra" in self.case:
            yield "set_extra", self.case["extra"].encode()
        if self.case.get("structural_rules"):
            yield "set_structural_rules", 1
        inputs = [("add_image", image) for image in self.images]
        if self.mask is not None:
            inputs.append(("set_mask", self.mask))
        for name, given in inputs:
            if isinstance(given, bytes):
                yield f"{name}_bytes", given, len(given)
            else:
                yield f"{name}_path", os.fsencode(given)

    def input(self, what: str) -> bytes:
        """The bytes of `image 0`, … or `mask`."""
        given = self.mask if what == "mask" else self.images[int(what.removeprefix("image "))]
        assert given is not None
        return cases_inputs.read(given)

    def rendered(self, boundary: str) -> bytes:
        """The form that the case says, with this boundary."""
        out = b""
        for part in self.case["parts"]:
            out += f'--{boundary}\r\nContent-Disposition: form-data; name="{part["name"]}"'.encode()
            if "text" in part:
                content = part["text"].replace("{{prompt}}", self.prompt).encode()
            else:
                out += f'; filename="{part["filename"]}"\r\nContent-Type: {part["content_type"]}'.encode()
                content = self.input(part["equals"])
            out += b"\r\n\r\n" + content + b"\r\n"
        return out + f"--{boundary}--\r\n".encode()


def made(folder: Path, index: int, described: str | dict[str, Any]) -> cases_inputs.Made:
    own = folder / str(index)
    own.mkdir()
    return cases_inputs.make(described, own)


# --- The emulator -----------------------------------------------------------------------------------------------------


class Emulator:
    """A process of its own, told and asked over HTTP."""

    def __init__(self, command: Path) -> None:
        started = [str(command), "emulator", "--port", "0", "--key", KEY]
        self._process = subprocess.Popen(started, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.url

    def control(self, path: str, body: object = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url.removesuffix('/v1')}/_emulator{path}", data, method=method)
        with OPENER.open(request, timeout=60) as answer:
            return json.load(answer)

    def forget_faults(self) -> None:
        self.control("/faults", method="DELETE")

    def calls(self) -> int:
        """How many paid calls there were, once nothing can change that any more."""
        return len(self.control("/ledger?settled=true")["entries"])

    def last_request(self) -> dict[str, Any]:
        """The last one to the API."""
        requests: list[dict[str, Any]] = self.control("/requests")
        return [request for request in requests if request["side"] == "api"][-1]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(timeout=60) == 0


@dataclass(frozen=True)
class World:
    library: Library
    emulator: Emulator
    cdn_url: str
    kinds: dict[str, dict[str, Any]]


# --- requests.toml ----------------------------------------------------------------------------------------------------


def request_runs() -> Iterator[tuple[str, Callable[[World, Path], None]]]:
    """Every case; those with numbers also with the numbers as text."""
    for case in cases("requests.toml", "case"):
        inputs = [*case.get("images", []), *([case["mask"]] if "mask" in case else [])]
        if not all(cases_inputs.possible(described) for described in inputs):
            continue
        yield case["name"], partial(run_request, case=case, as_text=False)
        if any(not isinstance(value, str) for value in case.get("set", {}).values()):
            yield f"{case['name']} (numbers as text)", partial(run_request, case=case, as_text=True)


# A fixed image instead of a drawn one.
def canned() -> dict[str, Any]:
    picture = expand("{{base64:rgb-4x4.png}}", "")
    return {"success_body": {"json": {"data": [{"b64_json": picture}]}}}


def run_request(world: World, folder: Path, case: dict[str, Any], as_text: bool) -> None:
    request = Request(case, folder, as_text=as_text)
    before = world.emulator.calls()
    if "violations" not in request.case and not request.case.get("refused"):
        world.emulator.control("/faults", canned())
    with world.library.client(world.emulator.url, fetch=False, timers={}) as client:
        if "violations" in request.case:
            try:
                world.library.send(client, request)
            except Failure as failure:
                check_violations(request.case["violations"], failure)
            else:
                raise AssertionError("it was sent")
            assert world.emulator.calls() == before
            assert world.emulator.control("/faults")["waiting"]["calls"] == 0
        else:
            check_wire(world, request, client)
            assert world.emulator.calls() == before + 1


def check_violations(expected: list[dict[str, str]], failure: Failure) -> None:
    assert (failure.kind, failure.status, failure.charge) == ("invalid_request", 2, "not_charged")
    assert (failure.generated, failure.http_status, failure.client_request_id) == (None, 0, None)
    assert failure.json["attempts"] == []
    assert_one_printable_line(failure.message)
    found = [(broken["param"], broken["rule"]) for broken in failure.violations]
    assert found == [(broken["param"], broken["rule"]) for broken in expected], found
    assert failure.json["violations"] == failure.violations
    for want, got in zip(expected, failure.violations, strict=True):
        assert want.keys() <= {"param", "rule", "given", "message_contains"}
        assert got["given"] == want.get("given", got["given"]), got
        assert want.get("message_contains", "") in got["message"], got
        assert got["message"] in failure.message


def check_wire(world: World, request: Request, client: ctypes.c_void_p) -> None:
    """Exactly these bytes arrive."""
    try:
        generated = world.library.send(client, request)
    except Failure as failure:
        assert request.case.get("refused"), failure
        assert failure.kind in ("bad_request", "not_found"), failure
        client_request_id = failure.client_request_id
    else:
        assert not request.case.get("refused"), "a strict server refuses it"
        client_request_id = generated.client_request_id
    sent = world.emulator.last_request()
    headers = {name.lower(): value for name, value in sent["headers"]}
    assert headers["x-client-request-id"] == client_request_id
    if request.operation == "generate":
        check_head(sent, headers, "/v1/images/generations", "application/json")
        assert sent["body"] == request.case["json"].replace("{{prompt}}", request.prompt)
        return
    check_head(sent, headers, "/v1/images/edits", "multipart/form-data")
    expected = request.rendered(headers["content-type"].partition("boundary=")[2])
    assert sent["body_len"] == len(expected)
    if (body := body_of(sent)) is not None:
        # Compared before the assertion, because a diff of two such bodies is not worth showing.
        same = body == expected
        assert same
    else:
        assert sent["body_len"] > 1 << 20, "the emulator keeps such bodies"


def body_of(sent: dict[str, Any]) -> bytes | None:
    """None for one that was too long to be kept."""
    if sent["body_base64"] is not None:
        return base64.b64decode(sent["body_base64"])
    return None if sent["body"] is None else sent["body"].encode()


def check_head(sent: dict[str, Any], headers: dict[str, str], target: str, content_type: str) -> None:
    assert (sent["method"], sent["target"]) == ("POST", target)
    # The control hides the key; a wrong one would have led to a 401.
    assert headers["authorization"].startswith("Bearer ")
    assert headers["content-type"].partition(";")[0] == content_type
    assert headers["content-length"] == str(sent["body_len"])
    assert "transfer-encoding" not in headers
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", headers["x-client-request-id"])


# --- answers.toml -----------------------------------------------------------------------------------------------------


def answer_runs() -> Iterator[tuple[str, Callable[[World, Path], None]]]:
    for case in cases("answers.toml", "case"):
        status = case.get("status", 200)
        for one in status if isinstance(status, list) else [status]:
            yield f"{case['name']} ({one})", partial(run_answer, case=case, status=one)


def run_answer(world: World, folder: Path, case: dict[str, Any], status: int) -> None:
    asked = {"operation": case.get("operation", "generate"), "set": case.get("set", {})}
    if asked["operation"] == "edit":
        asked["images"] = ["rgb-4x4.png"]
    request = Request(asked, folder, as_text=False)
    before = world.emulator.calls()
    world.emulator.control("/faults", {**scripted(case, status, world.cdn_url), "times": "always"})
    timers = {"initial_backoff": 0, "max_backoff": 0, "url_not_found": 0}
    with world.library.client(world.emulator.url, fetch=case.get("fetch", True), timers=timers) as client:
        try:
            generated = world.library.send(client, request)
        except Failure as failure:
            assert "error" in case, failure
            check_error(world, case["error"], status, failure)
        else:
            assert "result" in case, "it succeeded"
            check_result(world, case["result"], status, generated)
    assert world.emulator.calls() == before + 1
    world.emulator.forget_faults()


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


def check_result(world: World, expected: dict[str, Any], status: int, got: Generated) -> None:
    check_images(world, expected["images"], got.images)
    check_cost(expected, got.usd, got.credits)
    assert got.json["cost"] == cost_in_json(got.usd, got.credits)
    assert got.json["created"] == expected.get("created")
    # A result's JSON does not have it either.
    if "response" in expected and "response" in got.json:
        assert got.json["response"] == json.loads(expected["response"])
    assert [warning["kind"] for warning in got.json["warnings"]] == expected.get("warnings", [])
    assert got.attempts == len(got.json["attempts"])
    check_attempts(expected, got.json["attempts"], status, "charged")
    last = got.json["attempts"][-1]
    assert (got.client_request_id, got.inference_id) == (last["client_request_id"], last["inference_id"])
    for warning in got.json["warnings"]:
        assert_one_printable_line(warning["message"])
    assert TELLING not in got.json_text


def check_error(world: World, expected: dict[str, Any], status: int, got: Failure) -> None:
    known = world.kinds[got.kind or ""]
    assert got.status == known["number"]
    assert got.charge in known["charge"]
    if "kind" in expected:
        found = (got.kind, got.status, got.charge)
        assert found == (expected["kind"], expected["number"], expected["charge"]), found
        assert got.json["vendor_says_free"] is expected.get("vendor_says_free", False)
    assert (got.json["kind"], got.json["number"], got.json["charge"]) == (got.kind, got.status, got.charge)
    assert got.json["message"] == got.message
    assert got.http_status == got.json["http_status"] == status
    if "retry_after_at_least" in expected:
        assert got.retry_after_ms >= expected["retry_after_at_least"] * 1000
    else:
        seconds = expected.get("retry_after_seconds")
        assert got.retry_after_ms == (-1 if seconds is None else seconds * 1000)
    check_images(world, expected.get("images", []), got.generated.images if got.generated else [])
    for part in expected.get("message_contains", []):
        assert part in got.message, got.message
    # An error's JSON does not hold the kept response; if that changes, it is compared.
    for part in expected.get("response_body_contains", []):
        assert part in (got.response_body or "")
    check_attempts(expected, got.json["attempts"], status, got.charge or "")
    last = got.json["attempts"][-1]
    cost = last["cost"] or {"usd": None, "credits": None}
    check_cost(expected, cost["usd"], cost["credits"])
    assert (got.client_request_id, got.inference_id) == (last["client_request_id"], last["inference_id"])
    assert_one_printable_line(got.message)
    assert TELLING not in got.json_text
    assert TELLING not in got.message


def check_images(world: World, expected: list[dict[str, Any]], got: list[Image]) -> None:
    assert len(got) == len(expected)
    for want, image in zip(expected, got, strict=True):
        assert image.format == want.get("format")
        assert (image.width, image.height) == (want.get("width", 0), want.get("height", 0))
        assert image.url == (expand(want["url"], world.cdn_url) if "url" in want else None)
        assert image.revised_prompt == want.get("revised_prompt")
        if "bytes" in want:
            assert len(image.bytes or b"") == want["bytes"]
        if "equals" in want:
            same = image.bytes == fixture(want["equals"])
            assert same


def check_cost(expected: dict[str, Any], usd: str | None, credits: str | None) -> None:
    """Exact: the texts are compared as decimal numbers."""
    for name, amount in (("usd", usd), ("credits", credits)):
        assert (None if amount is None else Decimal(amount)) == (Decimal(expected[name]) if name in expected else None)


def cost_in_json(usd: str | None, credits: str | None) -> dict[str, str | None] | None:
    return None if usd is None and credits is None else {"usd": usd, "credits": credits}


def check_attempts(expected: dict[str, Any], got: list[dict[str, Any]], status: int, charge: str) -> None:
    """One attempt, with what the answer says."""
    [attempt] = got
    assert (attempt["number"], attempt["http_status"], attempt["charge"]) == (1, status, charge)
    assert attempt["bytes_sent"] == attempt["bytes_total"] > 0
    for name in ("inference_id", "request_id"):
        if name in expected:
            assert attempt[name] == expected[name]


# --- errors.toml ------------------------------------------------------------------------------------------------------

# Statuses that are not error kinds of the cases: they belong to this interface.
OWN = {"ok": 0, "invalid_argument": 1, "pending": 5}


def check_kinds(world: World, folder: Path) -> None:
    """Numbers and names are the table's, and there are no others."""
    numbers = {kind: case["number"] for kind, case in world.kinds.items()} | OWN
    named = {at: world.library.text("gptimage_status_name", at) for at in range(-10, 1000)}
    assert {name: at for at, name in named.items() if name != "unknown_status"} == numbers
    constants = {name.partition("_STATUS_")[2].lower(): at for name, at in header.constants().items()}
    constants.pop("")
    assert constants == numbers


def check_versions(world: World, folder: Path) -> None:
    manifest = tomllib.loads((TESTS.parent / "Cargo.toml").read_text("utf-8"))
    assert world.library.text("gptimage_version") == manifest["workspace"]["package"]["version"]


# ----------------------------------------------------------------------------------------------------------------------


def main() -> int:
    library, command, wanted = Path(sys.argv[1]), Path(sys.argv[2]), (sys.argv[3:] or [""])[0]
    # The environment must not override the cases.
    for name in list(os.environ):
        if name.startswith(("AIMLAPI_", "AIML_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    runs = itertools.chain(
        [("Every kind has its number and its name", check_kinds), ("The version is the project's", check_versions)],
        request_runs(),
        answer_runs(),
    )
    emulator = Emulator(command)
    failed, count, began = 0, 0, time.monotonic()
    try:
        with fixtures_server() as cdn_url, tempfile.TemporaryDirectory() as parent:
            kinds = {kind["slug"]: kind for kind in cases("errors.toml", "kind")}
            world = World(Library(library), emulator, cdn_url, kinds)
            for name, run in runs:
                if wanted not in name:
                    continue
                count += 1
                folder = Path(parent) / str(count)
                folder.mkdir()
                try:
                    run(world, folder)
                except Exception:
                    failed += 1
                    emulator.forget_faults()
                    print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    finally:
        emulator.stop()
    print(f"{count} cases, {failed} failed, {time.monotonic() - began:.1f} s")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
