"""Configuration of clients, by keywords and by the environment, and their output: progress, log records, errors."""

from __future__ import annotations

import asyncio
import base64
import enum
import inspect
import io
import json
import logging
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import typing
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, assert_type

import gptimage
import numpy
import pytest
from cases_facts import assert_as_annotated
from cases_shared import (
    KEY,
    TELLING,
    TIMEOUT,
    assert_one_printable_line,
    calls,
    canned_emulator,
    fixture,
    only_call,
)
from gptimage import AsyncClient, Client, ConfigError, Emulator, Generated, Image, Progress, _types
from gptimage.client import AsyncImages, Images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gptimage import Balance, GptImageError

PNG = fixture("rgb-4x4.png")
BLACK = fixture("black-1024x1024.png")

KEY_VARIABLES = ["AIMLAPI_KEY", "AIMLAPI_API_KEY", "AIML_API_KEY"]
BASE_URL_VARIABLES = ["AIMLAPI_BASE_URL", "AIMLAPI_API_BASE", "AIML_API_BASE"]
PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]

OPTIONS = [name for name in inspect.signature(Client).parameters if name != "unknown"]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine has set, has no say here."""
    for name in [*KEY_VARIABLES, *BASE_URL_VARIABLES, *PROXY_VARIABLES, *map(str.lower, PROXY_VARIABLES)]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def quick() -> Iterator[Emulator]:
    """An emulator that has its picture at hand."""
    with canned_emulator("black-1024x1024.png", billing="pessimistic") as emulator:
        yield emulator


def saying(message: str) -> dict[str, str]:
    """A refusal's body with these words in it, for `raw_body`."""
    return {"content_type": "application/json", "content": json.dumps({"error": {"message": message}})}


def told(error: BaseException) -> str:
    """All that a traceback shows of an error."""
    return " | ".join([str(error), *getattr(error, "__notes__", [])])


# --- Keywords of the clients ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", [Client, AsyncClient])
def test_base_urls(cls: type[Client] | type[AsyncClient]) -> None:
    for given in ("https://example.org", "https://example.org/", "https://example.org/v1", "https://example.org/v1/"):
        client = cls(api_key=KEY, base_url=given)
        assert client.base_url == "https://example.org/v1/"
        assert repr(client) == f"{cls.__name__}(base_url='https://example.org/v1/')"


def test_nothing_but_a_key_is_needed() -> None:
    assert Client(api_key=KEY).base_url == "https://api.aimlapi.com/v1/"


def test_none_is_as_good_as_not_given() -> None:
    given: dict[str, Any] = dict.fromkeys(OPTIONS)
    assert Client(**{**given, "api_key": KEY}).base_url == Client(api_key=KEY).base_url
    with pytest.raises(ConfigError, match="no API key"):
        Client(**given)


def test_options_are_keywords() -> None:
    with pytest.raises(TypeError):
        Client(KEY)  # type: ignore[call-arg]


def test_no_key() -> None:
    with pytest.raises(ConfigError) as refused:
        Client()
    for variable in KEY_VARIABLES:
        assert variable in str(refused.value)
    assert (refused.value.kind, refused.value.charge) == ("config", "not_charged")


WRONG: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"api_key": ""}, ("key", "empty")),
    ({"api_key": "   "}, ("key", "empty")),
    ({"api_key": "sk-secret\nsk-secret"}, ("key", "copy it again")),
    ({"api_key": 5}, ("api_key", "int")),
    ({"api_key": b"sk-secret"}, ("api_key", "bytes")),
    ({"base_url": ""}, ("base URL",)),
    ({"base_url": "example.org"}, ("base URL", "example.org")),
    ({"base_url": "ftp://example.org"}, ("base URL", "https")),
    ({"base_url": "http://example.org"}, ("unencrypted", "https", "allow_http")),
    ({"base_url": "https://user:secret@example.org"}, ("base URL", "user information")),
    ({"base_url": "https://example.org/v1?key=secret"}, ("base URL", "query")),
    ({"base_url": 5}, ("base_url", "int")),
    ({"allow_http": "yes"}, ("allow_http", "bool")),
    ({"max_attempts": 0}, ("max_attempts", "at least 1")),
    ({"max_attempts": -1}, ("max_attempts", "out of range")),
    ({"max_attempts": 2**40}, ("max_attempts", "out of range")),
    ({"max_attempts": 1.5}, ("max_attempts", "integer")),
    ({"max_attempts": "3"}, ("max_attempts", "integer")),
    ({"deadline": -1}, ("deadline", "-1", "seconds")),
    ({"deadline": float("nan")}, ("deadline", "nan", "seconds")),
    ({"deadline": float("inf")}, ("deadline", "inf", "seconds")),
    ({"deadline": "5"}, ("deadline", "number")),
    ({"timers": {"headers": 5}}, ("timer", '"headers"', "connect", "response_header", "tcp_keepalive_probes")),
    ({"timers": {"response_header": -5}}, ("response_header", "-5", "seconds")),
    ({"timers": {"response_header": float("nan")}}, ("response_header", "nan", "seconds")),
    ({"timers": {"response_header": "5"}}, ("timers", "number")),
    ({"timers": {"tcp_keepalive_probes": 1.5}}, ("tcp_keepalive_probes", "1.5")),
    ({"timers": {"tcp_keepalive_probes": 0}}, ("tcp_keepalive_probes", "0")),
    ({"timers": 5}, ("timers", "dict")),
    ({"ca_file": "nowhere.pem"}, ("CA file", "nowhere.pem")),
    ({"ca_file": fixture.__code__.co_filename}, ("CA file", "holds no certificate")),
    ({"ca_file": 5}, ("ca_file", "int")),
    ({"proxy": True}, ("proxy",)),
    ({"proxy": 5}, ("proxy", "int")),
    ({"proxy": '"http://127.0.0.1:9"'}, ("option proxy", "quotes")),
    ({"proxy": "gopher://user:secret@127.0.0.1:9"}, ("option proxy", "scheme", "socks5h")),
    ({"proxy": "http://user:secret@"}, ("option proxy", "no host")),
    ({"proxy": ""}, ("option proxy", "empty")),
    ({"headers": {"Accept-Encoding": "gzip"}}, ("Accept-Encoding", "unreadable")),
    ({"api_key": f"Bearer {TELLING}"}, ("API key", "give the key alone")),
    ({"api_key": f"'{TELLING}'"}, ("API key", "quotes")),
    ({"headers": {"a b": "c"}}, ("a b", "header name")),
    ({"headers": {"X-Team": "line\nbreak"}}, ("X-Team", "character")),
    ({"headers": {"X-Team": 5}}, ("headers", "int")),
    ({"headers": {"Authorization": "Bearer secret"}}, ("Authorization", "leave it out")),
    ({"headers": {"x-client-request-id": "mine"}}, ("x-client-request-id", "leave it out")),
    ({"headers": [("X-Team", "a")]}, ("headers", "dict")),
    ({"fetch": "no"}, ("fetch", "bool")),
    ({"retry_server_errors": 1}, ("retry_server_errors", "bool")),
    ({"on_cancel": "maybe"}, ("on_cancel", "maybe", "keep", "abort")),
    ({"on_cancel": True}, ("on_cancel", "bool")),
    ({"salvage_max_bytes": -1}, ("salvage_max_bytes", "out of range")),
    ({"salvage_max_bytes": 1.5}, ("salvage_max_bytes", "integer")),
    ({"salvage_folder": 5}, ("salvage_folder", "int")),
    ({"exit_wait": -1}, ("exit_wait", "-1", "seconds")),
    ({"exit_wait": "5"}, ("exit_wait", "number")),
    ({"budget": "5.00"}, ("budget", "str", "gptimage.Budget")),
    ({"max_image_bytes": -1}, ("max_image_bytes", "out of range")),
    ({"max_image_bytes": 2**70}, ("max_image_bytes", "out of range")),
]


@pytest.mark.parametrize(("options", "says"), WRONG, ids=[str(options) for options, _ in WRONG])
def test_options_that_cannot_be_used(options: dict[str, Any], says: tuple[str, ...]) -> None:
    """The error has the option's name, or the header's or timer's, and no secret."""
    for cls in (Client, AsyncClient):
        with pytest.raises((ConfigError, TypeError)) as refused:
            cls(**{"api_key": KEY, **options})
        text = str(refused.value)
        assert_one_printable_line(text)
        for part in says:
            assert part.lower() in text.lower()
        assert TELLING not in text
        assert "secret" not in text or "?key=secret" in text
    with pytest.raises(type(refused.value)) as again:
        Client(api_key=KEY).with_options(**options)
    assert str(again.value) == str(refused.value)


def test_every_option_is_wrong_in_some_way() -> None:
    assert {name for options, _ in WRONG for name in options} == set(OPTIONS)


def test_options_have_the_same_types_everywhere() -> None:
    """In the constructors and in with_options. That all of them have every name is checked by tests/parity."""
    hints = {name: hint.__forward_arg__ for name, hint in _types.ClientOptions.__annotations__.items()}
    for cls in (Client, AsyncClient):
        for name, parameter in inspect.signature(cls).parameters.items():
            if name != "unknown":
                assert (parameter.kind, parameter.default) == (inspect.Parameter.KEYWORD_ONLY, None)
                assert parameter.annotation == hints[name]


def test_the_key_is_sent_and_never_shown(quick: Emulator) -> None:
    client = Client(api_key=KEY, base_url=quick.url)
    client.generate("A hat")
    assert only_call(quick).header("authorization") == f"Bearer {KEY}"
    quick.fault(answer={"status": 401, "raw_body": saying(f"Incorrect API key provided: {KEY}")})
    with pytest.raises(gptimage.AuthenticationError) as refused:
        client.generate("A hat")
    for shown in (client, client.images, client.with_options(deadline=5), refused.value, refused.value.attempts):
        assert TELLING not in f"{shown!r} {shown!s}"


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_max_attempts(quick: Emulator, attempts: int) -> None:
    """A refusal that cost nothing is tried again, as often as allowed; 3 times unless told."""
    quick.fault(answer={"status": 429, "headers": {"retry-after": "0"}}, times="always")
    timers: _types.Timers = {"initial_backoff": 0}
    told_client = quick.client(max_attempts=attempts, timers=timers)
    told_call = quick.client(timers=timers)
    tries: list[Callable[[], object]] = [
        lambda: told_client.generate("A hat"),
        lambda: told_call.generate("A hat", max_attempts=attempts),
        lambda: told_call.edit("A hat", image=PNG, max_attempts=attempts),
    ]
    for call in tries:
        with pytest.raises(gptimage.RateLimitError) as refused:
            call()
        assert [attempt.number for attempt in refused.value.attempts] == list(range(1, attempts + 1))
    with pytest.raises(gptimage.RateLimitError) as refused:
        told_call.generate("A hat")
    assert len(refused.value.attempts) == 3
    assert quick.charges == 0


def test_deadlines(quick: Emulator) -> None:
    """Over everything; the call's own goes before the client's."""
    quick.set(latency="1h")
    for own, the_clients in ((None, 0.3), (0.3, 3600)):
        client = quick.client(deadline=the_clients)
        with pytest.raises(gptimage.OutcomeUnknownError, match="deadline") as late:
            client.generate("A hat", deadline=own)
        assert late.value.timed_out
        assert late.value.charge == "unknown"
        assert not isinstance(late.value, (TimeoutError, ConnectionError))
        assert str(late.value.client_request_id) in str(late.value)


def test_no_time_at_all_costs_nothing(quick: Emulator) -> None:
    """A deadline that has passed before anything was sent."""
    client = quick.client()
    for _ in range(20):
        with pytest.raises(gptimage.APIConnectionError) as late:
            client.generate("A hat", deadline=0)
        assert late.value.charge == "not_charged"
    assert quick.charges == 0


def test_timers(quick: Emulator) -> None:
    quick.set(latency="1h")
    with pytest.raises(gptimage.OutcomeUnknownError, match="no answer came in time") as late:
        quick.client(timers={"response_header": 0.1}).generate("A hat")
    assert late.value.timed_out


def test_more_headers(quick: Emulator) -> None:
    """For the gateway alone: downloads are elsewhere."""
    client = quick.client(headers={"X-Team": "pictures", "X-Other": "1"})
    client.generate("A hat")
    client.balance()
    api = [request for request in quick.requests if request.side == "api"]
    cdn = [request for request in quick.requests if request.side == "cdn"]
    assert api and cdn
    assert {(request.header("x-team"), request.header("x-other")) for request in api} == {("pictures", "1")}
    assert {(request.header("x-team"), request.header("authorization")) for request in cdn} == {(None, None)}


def test_fetch(quick: Emulator) -> None:
    """The call's own goes before the client's; true unless told."""
    fetching, leaving = quick.client(), quick.client(fetch=False)
    assert fetching.generate("A hat").image.location == "memory"
    assert leaving.generate("A hat").image.location == "url"
    assert fetching.generate("A hat", fetch=False).image.location == "url"
    assert leaving.generate("A hat", fetch=True).image.location == "memory"


def test_server_errors_are_tried_again_only_if_told(quick: Emulator) -> None:
    """Somebody says that they are free; nobody can prove it."""
    quick.fault(answer={"status": 503}, times=2)
    with pytest.raises(gptimage.InternalServerError):
        quick.client(timers={"initial_backoff": 0}).generate("A hat")
    made = quick.client(timers={"initial_backoff": 0}, retry_server_errors=True).generate("A hat")
    assert [attempt.http_status for attempt in made.attempts] == [503, 200]
    assert [attempt.charge for attempt in made.attempts] == ["unknown", "charged"]


def test_max_image_bytes(quick: Emulator) -> None:
    with pytest.raises(gptimage.APIResponseValidationError, match="over 100 bytes") as refused:
        quick.client(max_image_bytes=100).generate("A hat", response_format="b64_json")
    assert refused.value.charge == "charged"
    with pytest.raises(gptimage.DownloadError, match="over 100 bytes") as left:
        quick.client(max_image_bytes=100).generate("A hat")
    assert left.value.generated is not None
    assert quick.client().fetch(left.value.generated.image).read() == BLACK


async def cancelled_once_sent(client: AsyncClient, prompt: str) -> asyncio.CancelledError:
    """Cancels a call that may be paid by then."""
    sent = asyncio.Event()

    def on_progress(progress: Progress) -> None:
        if progress.phase == "sent":
            sent.set()

    task = asyncio.create_task(client.generate(prompt, progress=on_progress))
    await sent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await task
    return cancelled.value


@pytest.mark.parametrize("on_cancel", [None, "keep", "abort"])
def test_on_cancel(quick: Emulator, on_cancel: typing.Literal["keep", "abort"] | None) -> None:
    quick.set(latency="500ms")

    async def main() -> list[Generated | GptImageError]:
        client = quick.async_client(on_cancel=on_cancel)
        await cancelled_once_sent(client, "A hat")
        await client.drain()
        return client.collect()

    kept = asyncio.run(main())
    assert [type(outcome) for outcome in kept] == ([] if on_cancel == "abort" else [Generated])
    assert quick.charges == 1


def test_salvage_max_bytes(quick: Emulator) -> None:
    """What does not fit pushes out the oldest; the last is always kept."""
    quick.set(latency="500ms")

    async def kept_of_two(client: AsyncClient) -> int:
        await asyncio.gather(*(cancelled_once_sent(client, prompt) for prompt in ("A hat", "A crown")))
        await client.drain()
        return len(client.collect())

    assert asyncio.run(kept_of_two(quick.async_client())) == 2
    assert asyncio.run(kept_of_two(quick.async_client(salvage_max_bytes=10))) == 1


class Gateway(BaseHTTPRequestHandler):
    """The smallest server that a picture can be had from, for what the emulator does not have: TLS, a proxy."""

    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT
    seen: list[str]
    balance: str

    def do_GET(self) -> None:
        body = f'{{"current_balance": {self.balance}, "currency": "USD"}}'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(self.requestline)
        picture = base64.b64encode(BLACK).decode()
        body = json.dumps({"data": [{"b64_json": picture}], "meta": {"usage": {"usd_spent": 0.1}}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Quiet(ThreadingHTTPServer):
    """A client that does not trust it hangs up, which is no news."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing."""


@contextmanager
def gateway(context: ssl.SSLContext | None = None, balance: str = "1000") -> Iterator[tuple[int, list[str]]]:
    """Its port, and the request lines of the paid calls that it saw."""
    seen: list[str] = []
    server = Quiet(("127.0.0.1", 0), type("Seeing", (Gateway,), {"seen": seen, "balance": balance}))
    if context is not None:
        # The handshake is left to the handler, so that it does not block the accept loop.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make certificates with")
def test_ca_file(tmp_path: Path) -> None:
    """A company's own certificate authority is trusted only if told."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Our CA", "-days", "2")
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (tmp_path / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2")
    openssl("x509", "-req", "-in", "server.csr", *signed, "-out", "server.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with gateway(context) as (port, seen):
        client = Client(api_key=KEY, base_url=f"https://127.0.0.1:{port}", max_attempts=1)
        with pytest.raises(gptimage.APIConnectionError, match="certificate") as refused:
            client.generate("A hat")
        assert refused.value.charge == "not_charged"
        assert seen == []
        for ca_file in (tmp_path / "ca.pem", str(tmp_path / "ca.pem")):
            trusting = client.with_options(ca_file=ca_file)
            assert bytes(trusting.generate("A hat").image) == BLACK
        assert len(seen) == 2


# A reserved name that never resolves, on any network.
FAR_AWAY = "http://gateway.invalid/v1"


def test_a_proxy() -> None:
    with gateway() as (port, seen):
        client = Client(api_key=KEY, base_url=FAR_AWAY, allow_http=True, proxy=f"http://127.0.0.1:{port}")
        assert bytes(client.generate("A hat").image) == BLACK
    assert seen == ["POST http://gateway.invalid/v1/images/generations HTTP/1.1"]


def test_a_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with gateway() as (port, seen):
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        options: dict[str, Any] = {"api_key": KEY, "base_url": FAR_AWAY, "allow_http": True, "max_attempts": 1}
        assert bytes(Client(**options).generate("A hat").image) == BLACK
        assert len(seen) == 1
        with pytest.raises(gptimage.APIConnectionError):
            Client(**options, proxy=False, timers={"connect": 1}).generate("A hat")
        assert len(seen) == 1


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_read_is_never_the_direct_way(
    quick: Emulator, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ['"http://127.0.0.1:9"', "gopher://user:secret@127.0.0.1:9", "http://127.0.0.1:port"]:
        monkeypatch.setenv(variable, value)
        with pytest.raises(ConfigError, match=variable) as refused:
            Client(api_key=KEY, base_url=quick.url)
        assert_one_printable_line(str(refused.value))
        assert "secret" not in str(refused.value)
        # `proxy=False` is an explicit choice of no proxy.
        assert Client(api_key=KEY, base_url=quick.url, proxy=False).generate("A hat")


def test_a_proxy_in_words_is_for_this_machine_too(quick: Emulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    for scheme in ("http", "socks", "socks5h"):
        client = Client(api_key=KEY, base_url=quick.url, proxy=f"{scheme}://127.0.0.1:{port}", max_attempts=1)
        with pytest.raises(gptimage.APIConnectionError, match="by way of the proxy") as refused:
            client.generate("A hat")
        assert refused.value.charge == "not_charged"


def test_this_machine_needs_no_proxy(quick: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert Client(api_key=KEY, base_url=quick.url, max_attempts=1).generate("A hat")


# --- The environment --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", KEY_VARIABLES)
def test_the_key_of_the_environment(quick: Emulator, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that is set counts, and what is blank is not set."""
    for other in KEY_VARIABLES[: KEY_VARIABLES.index(variable)]:
        monkeypatch.setenv(other, "  ")
    for other in KEY_VARIABLES[KEY_VARIABLES.index(variable) + 1 :]:
        monkeypatch.setenv(other, "sk-not-this-one")
    monkeypatch.setenv(variable, f"{KEY}-{variable}")
    Client(base_url=quick.url).generate("A hat")
    assert only_call(quick).header("authorization") == f"Bearer {KEY}-{variable}"


def test_a_given_key_goes_before_the_environments(quick: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMLAPI_KEY", "sk-not-this-one")
    Client(api_key=KEY, base_url=quick.url).generate("A hat")
    assert only_call(quick).header("authorization") == f"Bearer {KEY}"


def test_openais_key_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-somebody-elses")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://example.org")
    with pytest.raises(ConfigError, match="no API key"):
        Client()
    assert Client(api_key=KEY).base_url == "https://api.aimlapi.com/v1/"


@pytest.mark.parametrize("variable", BASE_URL_VARIABLES)
def test_the_base_url_of_the_environment(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "https://gateway.example/")
    assert Client(api_key=KEY).base_url == AsyncClient(api_key=KEY).base_url == "https://gateway.example/v1/"
    assert Client(api_key=KEY, base_url="https://other.example").base_url == "https://other.example/v1/"


def test_the_environment_is_read_when_the_client_is_made(quick: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hides the key afterwards, so that no child process gets it, goes on with what was made of it."""
    monkeypatch.setenv("AIMLAPI_KEY", KEY)
    monkeypatch.setenv("AIMLAPI_BASE_URL", quick.url)
    client = Client()
    monkeypatch.delenv("AIMLAPI_KEY")
    monkeypatch.setenv("AIMLAPI_BASE_URL", "https://example.org")
    other = client.with_options(deadline=60)
    assert client.base_url == other.base_url == f"{quick.url}/"
    client.generate("A hat")
    other.generate("A hat")
    assert {request.header("authorization") for request in calls(quick)} == {f"Bearer {KEY}"}


# --- Refused keywords -------------------------------------------------------------------------------------------------

KEYWORDS = {
    operation: [name for name in inspect.signature(getattr(Client, operation)).parameters if name != "unknown"]
    for operation in ("generate", "edit")
}

INSTEAD = [
    ("client", "timeout", ("deadline=", "timers=")),
    ("client", "max_retries", ("max_attempts=",)),
    ("client", "http_client", ("proxy=", "ca_file=")),
    ("client", "default_headers", ("headers=",)),
    ("call", "timeout", ("deadline=", "timers=")),
    ("call", "max_retries", ("max_attempts=",)),
    ("call", "extra_body", ("extra=",)),
    ("call", "extra_headers", ("headers=",)),
    ("call", "stream", ("progress=",)),
    ("call", "partial_images", ("progress=",)),
    ("call", "input_fidelity", ("extra=",)),
    ("call", "style", ("extra=",)),
    ("call", "user", ("extra=",)),
    ("generate", "image", ("edit",)),
    ("generate", "mask", ("edit",)),
    ("edit", "moderation", ("extra=",)),
]


@pytest.mark.parametrize(("where", "name", "instead"), INSTEAD, ids=[f"{where}-{name}" for where, name, _ in INSTEAD])
def test_keywords_of_other_clients(where: str, name: str, instead: tuple[str, ...], quick: Emulator) -> None:
    """Ignored, they would do harm; the error says what to use."""
    unknown: dict[str, Any] = {name: None}
    client, asynchronous = quick.client(), quick.async_client()

    async def awaited(call: Any) -> object:
        return await call()

    makers: list[tuple[str, Callable[[], object]]] = []
    if where == "client":
        makers += [
            ("Client()", lambda: Client(api_key=KEY, **unknown)),
            ("AsyncClient()", lambda: AsyncClient(api_key=KEY, **unknown)),
            ("with_options()", lambda: client.with_options(**unknown)),
        ]
    if where in ("call", "generate"):
        makers += [
            ("generate()", lambda: client.generate("A hat", **unknown)),
            ("generate()", lambda: asyncio.run(awaited(lambda: asynchronous.generate("A hat", **unknown)))),
        ]
        if name != "extra_body":
            makers.append(("generate()", lambda: client.images.generate(prompt="A hat", **unknown)))
    if where in ("call", "edit"):
        makers += [
            ("edit()", lambda: client.edit("A hat", image=PNG, **unknown)),
            ("edit()", lambda: asyncio.run(awaited(lambda: asynchronous.edit("A hat", image=PNG, **unknown)))),
        ]
    for function, make in makers:
        with pytest.raises(TypeError) as refused:
            make()
        text = str(refused.value)
        assert_one_printable_line(text)
        assert text.startswith(f"{function} got an unexpected keyword argument '{name}': ")
        for advice in instead:
            assert advice in text
        # Every suggested keyword must exist.
        for advised in re.findall(r"(\w+)=", text):
            assert advised in {*OPTIONS, *KEYWORDS["generate"], *KEYWORDS["edit"]}
    assert quick.connections == 0


def test_other_keywords_are_refused_as_python_does(quick: Emulator) -> None:
    client: Any = quick.client()
    mistyped: dict[str, Any] = {"qualty": "low"}
    tries: list[Callable[[], object]] = [
        lambda: client.generate("A hat", **mistyped),
        lambda: client.edit("A hat", image=PNG, **mistyped),
        lambda: client.images.generate(prompt="A hat", **mistyped),
        lambda: Client(api_key=KEY, **mistyped),
    ]
    for call in tries:
        with pytest.raises(TypeError, match="got an unexpected keyword argument 'qualty'"):
            call()
    # Refused even if the value would change nothing.
    for value in ("low", None):
        with pytest.raises(TypeError, match="qualty"):
            client.with_options(qualty=value)
    with pytest.raises(TypeError, match="positional"):
        client.generate("A hat", "1024x1024")
    with pytest.raises(TypeError, match="'image'"):
        client.edit("A hat")
    with pytest.raises(TypeError, match="'prompt'"):
        client.generate()
    assert quick.connections == 0


# --- Parameters -------------------------------------------------------------------------------------------------------


class Quality(str, enum.Enum):
    """As people write down their choices."""

    DRAFT = "low"


class Size(enum.StrEnum):
    WIDE = "1536x1024"


def test_values_that_are_nearly_text_or_numbers(quick: Emulator) -> None:
    quick.client().edit(
        "A hat", image=PNG, quality=Quality.DRAFT, size=Size.WIDE, n=int(numpy.int64(2)), fetch=False
    )
    number: Any = numpy.int64(2)
    quick.client().edit("A hat", image=PNG, quality=Quality.DRAFT, size=Size.WIDE, n=number, fetch=False)
    for request in calls(quick):
        body = (request.body or b"").decode("latin-1")
        assert [f"\r\n\r\n{value}\r\n" in body for value in ("low", "1536x1024", "2")] == [True] * 3


NO_ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"n": True}, gptimage.InvalidRequestError, "n"),
    ({"n": 1.0}, gptimage.InvalidRequestError, "n"),
    ({"n": [1]}, gptimage.InvalidRequestError, "n"),
    ({"size": (1024, 1024)}, gptimage.InvalidRequestError, "size"),
    ({"extra": 5}, TypeError, "extra"),
    ({"extra": {"a": object()}}, TypeError, "extra"),
    ({"extra": {"a": float("nan")}}, ValueError, "extra"),
    ({"extra": {"a": "\ud800"}}, ValueError, "extra"),
    ({"prompt": None}, TypeError, "prompt"),
    ({"prompt": b"A hat"}, TypeError, "prompt"),
    ({"prompt": "\ud800"}, ValueError, "prompt"),
    ({"size": "\ud800"}, ValueError, "size"),
    ({"max_attempts": 0}, ConfigError, "max_attempts"),
    ({"max_attempts": -1}, ConfigError, "max_attempts"),
    ({"max_attempts": 2**40}, ConfigError, "max_attempts"),
    ({"max_attempts": "3"}, TypeError, "max_attempts"),
    ({"deadline": -1}, ConfigError, "deadline"),
    ({"deadline": float("nan")}, ConfigError, "deadline"),
    ({"deadline": "5"}, TypeError, "deadline"),
    ({"fetch": "no"}, TypeError, "fetch"),
    ({"overwrite": "no"}, TypeError, "overwrite"),
    ({"structural_rules": "no"}, TypeError, "structural_rules"),
    ({"save_to": 5}, TypeError, "save_to"),
    ({"save_to": ""}, gptimage.LocalIOError, 'cannot save to "": an empty path'),
    ({"progress": 5}, TypeError, "progress"),
]


@pytest.mark.parametrize(("given", "error", "says"), NO_ARGUMENTS, ids=[str(given) for given, _, _ in NO_ARGUMENTS])
def test_arguments_that_are_none(
    given: dict[str, Any], error: type[Exception], says: str, quick: Emulator
) -> None:
    """Named in what a traceback shows; and nothing is sent."""
    client: Any = quick.client()
    with pytest.raises(error) as refused:
        client.generate(**{"prompt": "A hat", **given})
    assert says in told(refused.value)
    assert quick.connections == 0


# --- with_options, collect, close -------------------------------------------------------------------------------------


def test_with_options_differs_in_these_alone(quick: Emulator) -> None:
    timers: _types.Timers = {"initial_backoff": 0}
    client = Client(
        api_key=KEY, base_url=quick.url, max_attempts=2, fetch=False, headers={"X-Team": "a"}, timers=timers
    )
    other = client.with_options(fetch=True)
    assert type(other) is Client
    assert other is not client
    assert client.generate("A hat").image.location == "url"
    assert other.generate("A hat").image.location == "memory"
    assert [request.header("x-team") for request in calls(quick)] == ["a", "a"]
    assert {request.header("authorization") for request in calls(quick)} == {f"Bearer {KEY}"}
    quick.fault(answer={"status": 429, "headers": {"retry-after": "0"}}, times="always")
    for each in (client, other):
        with pytest.raises(gptimage.RateLimitError) as refused:
            each.generate("A hat")
        assert len(refused.value.attempts) == 2


def test_with_options_changes_headers(quick: Emulator) -> None:
    """An option takes the place of the client's own; two headers of a name would be a request that nobody wants."""
    client = quick.client(headers={"X-Team": "a"})
    client.with_options(headers={"X-Team": "b"}).balance()
    client.with_options(headers={"x-team": "c"}).balance()
    client.balance()
    sent = [[value for name, value in request.headers if name == "x-team"] for request in calls(quick)]
    assert sent == [["b"], ["c"], ["a"]]


def test_with_options_of_none_changes_nothing(quick: Emulator) -> None:
    given: dict[str, Any] = dict.fromkeys(OPTIONS)
    client = quick.client(fetch=False, max_attempts=2, headers={"X-Team": "a"}, timers={"initial_backoff": 0})
    same = client.with_options(**given).with_options()
    assert same.base_url == client.base_url
    assert same.generate("A hat").image.location == "url"
    quick.fault(answer={"status": 429, "headers": {"retry-after": "0"}}, times="always")
    with pytest.raises(gptimage.RateLimitError) as refused:
        same.generate("A hat")
    assert len(refused.value.attempts) == 2
    assert {request.header("x-team") for request in calls(quick)} == {"a"}


def test_with_options_leaves_the_client_as_it_was(quick: Emulator) -> None:
    """Also when what is asked for cannot be had, or the first one is closed."""
    client = quick.client()
    with pytest.raises(ConfigError):
        client.with_options(max_attempts=0)
    other = client.with_options(fetch=False)
    client.close()
    assert other.generate("A hat").image.location == "url"
    with pytest.raises(RuntimeError, match="closed"):
        client.generate("A hat")


def test_with_options_keeps_a_subclass() -> None:
    class Own(Client):
        pass

    own = Own(api_key=KEY)
    assert type(own.with_options(deadline=5)) is Own
    assert repr(own) == "Own(base_url='https://api.aimlapi.com/v1/')"


def test_with_options_shares_what_is_kept(quick: Emulator) -> None:
    quick.set(latency="500ms")

    async def main() -> None:
        client = quick.async_client()
        other = client.with_options(deadline=60)
        stranger = quick.async_client()
        await cancelled_once_sent(client, "A hat")
        await cancelled_once_sent(other, "A crown")
        # Each client waits for the calls of both.
        await other.drain()
        assert stranger.collect() == []
        kept = other.collect()
        assert [type(outcome) for outcome in kept] == [Generated, Generated]
        assert client.collect() == other.collect() == []

    asyncio.run(main())
    assert quick.charges == 2


def test_drain_has_a_limit(quick: Emulator) -> None:
    quick.set(latency="1h")

    async def main() -> None:
        client = quick.async_client()
        await client.drain()
        await cancelled_once_sent(client, "A hat")
        await client.drain(timeout=0.05)
        assert client.collect() == []

    asyncio.run(main())


def test_a_closed_client_says_so(quick: Emulator) -> None:
    client = quick.client()
    with client as same:
        assert same is client
        client.generate("A hat")
    client.close()
    for call in (
        lambda: client.generate("A hat"),
        lambda: client.edit("A hat", image=PNG),
        lambda: client.images.generate(prompt="A hat"),
        lambda: client.fetch("https://example.org/a.png"),
        lambda: client.balance(),
    ):
        with pytest.raises(RuntimeError, match="closed"):
            call()
    assert client.collect() == []
    client.drain()
    assert quick.charges == 1


def test_a_closed_async_client_says_so(quick: Emulator) -> None:
    async def main() -> None:
        client = quick.async_client()
        async with client as same:
            assert same is client
            await client.generate("A hat")
        await client.close()
        for call in (
            lambda: client.generate("A hat"),
            lambda: client.edit("A hat", image=PNG),
            lambda: client.images.edit(prompt="A hat", image=PNG),
            lambda: client.fetch("https://example.org/a.png"),
            lambda: client.balance(),
        ):
            with pytest.raises(RuntimeError, match="closed"):
                await call()
        assert client.collect() == []
        await client.drain()

    asyncio.run(main())
    assert quick.charges == 1


def test_an_error_in_the_block_is_the_callers(quick: Emulator) -> None:
    with pytest.raises(LookupError), quick.client():
        raise LookupError

    async def main() -> None:
        async with quick.async_client():
            raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(main())


# --- Both clients are alike -------------------------------------------------------------------------------------------

AWAITED = {"generate", "edit", "fetch", "balance", "drain", "reconcile", "close"}


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


@pytest.mark.parametrize("blocking", [Client, Images], ids=lambda cls: cls.__name__)
def test_both_have_the_same_methods(blocking: type) -> None:
    awaited = {Client: AsyncClient, Images: AsyncImages}[blocking]
    assert public(blocking) == public(awaited)
    for name in public(blocking):
        ours, theirs = getattr(blocking, name), getattr(awaited, name)
        assert ours.__doc__ and theirs.__doc__
        if isinstance(ours, property):
            assert isinstance(theirs, property)
            continue
        assert inspect.iscoroutinefunction(theirs) == (name in AWAITED)
        assert not inspect.iscoroutinefunction(ours)
        assert inspect.signature(ours) == inspect.signature(theirs)


def test_what_type_checkers_know(quick: Emulator) -> None:
    """Read by mypy; run, so that it stays true."""
    client = quick.client()
    generated = client.generate("A hat")
    assert_type(client, Client)
    assert_type(client.with_options(fetch=True), Client)
    assert_type(generated, Generated)
    assert_type(generated.image, Image)
    assert_type(generated.images, tuple[Image, ...])
    assert_type(client.edit("A hat", image=generated.image, mask=None), Generated)
    assert_type(client.edit("A hat", image=[PNG, ("a.png", PNG), io.BytesIO(PNG)]), Generated)
    assert_type(client.images.generate(prompt="A hat"), Generated)
    assert_type(client.images.edit(prompt="A hat", image=PNG), Generated)
    assert_type(client.fetch(generated.image), Image)
    assert_type(client.collect(), "list[Generated | GptImageError]")
    balance: Balance = client.balance()
    assert_type(balance.current_balance, Decimal)
    assert generated.cost is not None
    assert_type(generated.cost.usd, Decimal | None)

    async def main() -> None:
        asynchronous = quick.async_client()
        assert_type(asynchronous, AsyncClient)
        assert_type(await asynchronous.generate("A hat"), Generated)
        assert_type(await asynchronous.edit("A hat", image=PNG), Generated)
        assert_type(await asynchronous.images.generate(prompt="A hat"), Generated)
        assert_type(await asynchronous.fetch(generated.image), Image)
        assert_type((await asynchronous.balance()).currency, str | None)

    asyncio.run(main())


# --- As openai-python has it ------------------------------------------------------------------------------------------


def test_images_generate(quick: Emulator) -> None:
    generated = quick.client().images.generate(
        model="openai/gpt-image-2", prompt="A hat", size="1536x1024", quality="high", n=1, response_format="b64_json"
    )
    assert generated.data[0].b64_json == base64.b64encode(BLACK).decode()
    assert json.loads(only_call(quick).body or b"") == {
        "model": "openai/gpt-image-2",
        "prompt": "A hat",
        "size": "1536x1024",
        "quality": "high",
        "n": 1,
        "response_format": "b64_json",
    }


def test_images_edit(quick: Emulator) -> None:
    client = quick.client()
    mask = fixture("rgba-4x4.png")
    files: list[_types.ImageInput] = [io.BytesIO(PNG), ("b.png", PNG)]
    client.images.edit(model="openai/gpt-image-2", image=files, prompt="A hat", mask=mask)
    client.edit("A hat", model="openai/gpt-image-2", image=[PNG, PNG], mask=mask)

    def without_boundary(body: bytes | None) -> bytes:
        return re.sub(rb"gptimage-[0-9a-f]{32}", b"", body or b"")

    first, second = calls(quick)
    assert without_boundary(first.body) == without_boundary(second.body)


def test_images_of_the_async_client(quick: Emulator) -> None:
    async def main() -> None:
        client = quick.async_client()
        assert (await client.images.generate(prompt="A hat")).data[0].url
        assert (await client.images.edit(prompt="A hat", image=PNG)).data[0].url

    asyncio.run(main())
    assert [request.target for request in calls(quick)] == ["/v1/images/generations", "/v1/images/edits"]


def test_numbers_of_extra_fields_keep_every_digit(quick: Emulator) -> None:
    """Exactly, or an error that names the field: never rounded."""
    client = quick.client()
    client.generate("A hat", extra={"seed": 2**70 + 1, "small": [-(2**64) - 1], "part": 0.1 + 0.2, "é": "é"})
    body = only_call(quick).body
    assert body is not None
    wanted = '"part":0.30000000000000004,"seed":1180591620717411303425,"small":[-18446744073709551617],"é":"é"}'
    assert body.decode().endswith(wanted)
    with pytest.raises(ValueError, match="extra: .*seed: number out of range"):
        client.generate("A hat", extra={"seed": 10**400})


def test_extra_fields_by_either_name(quick: Emulator) -> None:
    """`extra_body` is openai-python's name, `extra` ours."""
    client = quick.client(fetch=False)
    client.generate("A hat", extra={"seed": 7})
    client.images.generate(prompt="A hat", extra_body={"seed": 7})
    client.images.generate(prompt="A hat", extra={"seed": 7})
    client.images.edit(prompt="A hat", image=PNG, extra={"seed": 7})
    assert all(b"seed" in (request.body or b"") for request in calls(quick))
    assert len(calls(quick)) == 4


def test_images_take_keywords_only(quick: Emulator) -> None:
    images: Any = quick.client().images
    with pytest.raises(TypeError):
        images.generate("A hat")
    with pytest.raises(TypeError, match="prompt"):
        images.edit(image=PNG)
    assert quick.connections == 0


# --- Balance ----------------------------------------------------------------------------------------------------------


def test_balance() -> None:
    with Emulator(balance="12.5", key=KEY, canned=BLACK) as emulator:
        client = emulator.client()
        before = client.balance()
        assert (before.current_balance, before.currency) == (Decimal("12.5"), "USD")
        cost = client.generate("A hat").cost
        assert cost is not None
        assert cost.usd is not None
        assert client.balance().current_balance == Decimal("12.5") - cost.usd == emulator.balance
        assert asyncio.run(emulator.async_client().balance()) == client.balance()
        with pytest.raises(gptimage.AuthenticationError):
            emulator.client(api_key="sk-another").balance()
        assert emulator.charges == 1


@pytest.mark.parametrize("said", ["null", '"n/a"', '"1,5"', '"NaN"', '"sNaN"', "[1]", "1e99999999999"])
def test_a_balance_that_is_no_amount(said: str) -> None:
    """An error of ours, not of Python's decimals."""
    with gateway(balance=said) as (port, _):
        client = Client(api_key=KEY, base_url=f"http://127.0.0.1:{port}", max_attempts=1)
        with pytest.raises(gptimage.APIResponseValidationError, match="balance"):
            client.balance()


# --- Progress ---------------------------------------------------------------------------------------------------------

PHASES = list(typing.get_args(_types.Phase))


def assert_goes_forward(seen: list[Progress]) -> None:
    """Attempts one after another, and within each phases and counts that never go back."""
    assert seen
    for progress in seen:
        assert_as_annotated(progress)
        assert 0 <= progress.bytes_sent <= progress.bytes_total
    for before, after in zip(seen, seen[1:], strict=False):
        assert after.bytes_total == before.bytes_total
        assert after.attempt - before.attempt in (0, 1)
        if after.attempt == before.attempt:
            assert PHASES.index(after.phase) >= PHASES.index(before.phase)
            assert after.bytes_sent >= before.bytes_sent
    last = seen[-1]
    assert last.phase == "stored"
    assert last.bytes_sent == last.bytes_total
    assert last.pause_seconds is None


def test_progress(quick: Emulator) -> None:
    quick.set(latency="200ms")
    seen: list[Progress] = []
    threads: set[int] = set()

    def on_progress(progress: Progress) -> None:
        seen.append(progress)
        threads.add(threading.get_ident())

    quick.client().edit("A hat", image=numpy.zeros((1000, 1000, 3), "uint8"), progress=on_progress)
    assert_goes_forward(seen)
    assert threads == {threading.get_ident()}, "told on the thread that waits"
    assert [progress.attempt for progress in seen] == [1] * len(seen)
    assert {progress.max_attempts for progress in seen} == {3}
    assert "sent" in {progress.phase for progress in seen}
    assert seen[-1].bytes_received >= len(BLACK)


def test_progress_of_the_async_client(quick: Emulator) -> None:
    quick.set(latency="200ms")
    seen: list[Progress] = []
    asyncio.run(quick.async_client().generate("A hat", progress=seen.append))
    assert_goes_forward(seen)
    assert "sent" in {progress.phase for progress in seen}


@pytest.mark.parametrize("style", ["blocking", "async"])
def test_the_last_look_is_not_left_out(quick: Emulator, style: str) -> None:
    """Also by a function that takes its time, in which the call ends."""
    seen: list[Progress] = []

    def on_progress(progress: Progress) -> None:
        if not seen:
            time.sleep(0.5)
        seen.append(progress)

    if style == "blocking":
        quick.client().generate("A hat", progress=on_progress)
    else:
        asyncio.run(quick.async_client().generate("A hat", progress=on_progress))
    assert seen[-1].phase == "stored"


def test_progress_over_several_attempts(quick: Emulator) -> None:
    quick.fault(answer={"status": 429, "headers": {"retry-after": "0"}}, times=2)
    seen: list[Progress] = []
    quick.client(timers={"initial_backoff": 0.01}).generate("A hat", progress=seen.append)
    assert_goes_forward(seen)
    assert sorted({progress.attempt for progress in seen}) == [1, 2, 3]
    assert [progress.attempt for progress in seen if progress.pause_seconds is not None] == [1, 2]
    ids = [entry.client_request_id for entry in quick.ledger]
    assert {progress.attempt: progress.client_request_id for progress in seen} == dict(enumerate(ids, 1))


def test_a_failing_function_does_not_hurt_the_call(quick: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    def fail(progress: Progress) -> None:
        raise LookupError("a spectator's mistake")

    assert bytes(quick.client().generate("A hat", progress=fail).image) == BLACK
    assert "a spectator's mistake" in caplog.text
    assert {(record.name, record.levelname) for record in caplog.records} == {("gptimage", "ERROR")}
    assert "the call goes on" in caplog.text
    assert quick.charges == 1


def test_progress_of_a_call_that_fails(quick: Emulator) -> None:
    quick.fault(answer={"status": 400})
    seen: list[Progress] = []
    with pytest.raises(gptimage.BadRequestError):
        quick.client().generate("A hat", progress=seen.append)
    assert seen[-1].phase == "head_received"


@pytest.mark.parametrize("style", ["blocking", "async"])
@pytest.mark.parametrize("option", [None, False])
def test_no_progress_unless_asked(
    quick: Emulator, capfd: pytest.CaptureFixture[str], option: bool | None, style: str
) -> None:
    if style == "blocking":
        quick.client().generate("A hat", progress=option)
    else:
        asyncio.run(quick.async_client().generate("A hat", progress=option))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("style", ["blocking", "async"])
def test_progress_with_tqdm(quick: Emulator, capsys: pytest.CaptureFixture[str], style: str) -> None:
    pytest.importorskip("tqdm")
    quick.set(latency="200ms")
    if style == "blocking":
        quick.client().generate("A hat", progress=True)
    else:
        asyncio.run(quick.async_client().generate("A hat", progress=True))
    out, err = capsys.readouterr()
    assert out == ""
    # A progress bar overwrites itself and ends with a line break.
    assert err.count("\r") >= 2
    assert err.endswith("\n")
    assert "gptimage: waiting for the picture" in err
    assert "gptimage: done" in err


@pytest.mark.parametrize("style", ["blocking", "async"])
def test_progress_without_tqdm(
    quick: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    """A line whenever the phase changes, and no line twice."""
    for module in [name for name in sys.modules if name.partition(".")[0] == "tqdm"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    quick.set(latency="200ms")
    if style == "blocking":
        quick.client().generate("A hat", progress=True)
    else:
        asyncio.run(quick.async_client().generate("A hat", progress=True))
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert all(line.startswith("gptimage: ") for line in lines)
    assert "gptimage: waiting for the picture" in lines
    assert lines[-1] == "gptimage: done"
    assert len(set(lines)) == len(lines)


def test_progress_shows_further_attempts(
    quick: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    quick.fault(answer={"status": 429, "headers": {"retry-after": "0"}})
    quick.client(timers={"initial_backoff": 0.01}).generate("A hat", progress=True)
    err = capsys.readouterr().err
    assert "not delivered, again in 0.0 s" in err
    assert "(attempt 2 of 3)" in err


# --- Logging ----------------------------------------------------------------------------------------------------------


class Records(logging.Handler):
    """What the logger `gptimage` says, and a way to wait for it: records come from another thread."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        with self.changed:
            self.records.append(record)
            self.changed.notify_all()

    def lines(self, level: int = logging.NOTSET) -> list[str]:
        with self.changed:
            return [record.getMessage() for record in self.records if record.levelno >= level]

    def wait_for(self, *parts: str) -> None:
        """Until one record has all of these in it."""
        with self.changed:
            here = self.changed.wait_for(
                lambda: any(all(part in record.getMessage() for part in parts) for record in self.records), TIMEOUT
            )
        assert here, f"{parts} was not logged: {self.lines()}"


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    """At DEBUG, unless a test says otherwise."""
    logger, handler = logging.getLogger("gptimage"), Records()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


def made(client: Client, records: Records, **options: Any) -> Generated:
    """A call whose records have all come."""
    generated = client.generate("A prompt that is nobody's business", **options)
    records.wait_for("made", str(generated.client_request_id))
    return generated


def test_records_have_sizes_and_hashes(quick: Emulator, records: Records) -> None:
    client = Client(api_key=KEY, base_url=quick.url)
    generated = made(client, records, response_format="b64_json")
    length = only_call(quick).body_len
    sending, done = records.lines()
    assert sending.startswith("sending ")
    assert f"bytes={length}" in sending
    assert re.search(r"sha256=[0-9a-f]{16}\b", sending)
    assert done.startswith("made ")
    assert f"{len(BLACK)} bytes" in done
    assert re.search(r"sha256.[0-9a-f]{16}\b", done)
    assert all(str(generated.client_request_id) in line for line in (sending, done))
    assert {record.name for record in records.records} == {"gptimage"}
    assert [record.levelname for record in records.records] == ["INFO", "DEBUG"]


def test_records_have_no_secrets(quick: Emulator, records: Records) -> None:
    """Neither prompt nor key nor pictures nor links, whatever happens."""
    prompt = "A prompt that is nobody's business"
    client = Client(api_key=KEY, base_url=quick.url, timers={"initial_backoff": 0, "url_not_found": 0})
    by_link = made(client, records)
    made(client, records, response_format="b64_json")
    edited = client.edit(prompt, image=PNG, mask=fixture("rgba-4x4.png"), extra={"note": prompt})
    records.wait_for("made", str(edited.client_request_id))
    answers: list[dict[str, Any]] = [
        {"status": 429, "headers": {"retry-after": "0"}, "raw_body": saying(f"{KEY} {prompt}")},
        {"status": 401, "raw_body": saying(f"Incorrect API key provided: {KEY}, for {prompt}")},
        {"status": 503, "raw_body": saying(f"{KEY} {prompt}")},
    ]
    for answer in answers:
        quick.fault(answer=answer)
    for error in (gptimage.AuthenticationError, gptimage.OutcomeUnknownError):
        with pytest.raises(error):
            client.generate(prompt)
    quick.fault(cdn={"status": 404})
    with pytest.raises(gptimage.DownloadError):
        client.generate(prompt)
    # Records come in order, so after this one all others have arrived.
    made(client, records)
    text = "\n".join(records.lines())
    assert "trying again" in text
    assert by_link.image.url is not None
    for secret in (
        prompt,
        "nobody's",
        KEY,
        TELLING,
        base64.b64encode(BLACK).decode()[:24],
        base64.b64encode(PNG).decode()[:24],
        by_link.image.url,
    ):
        assert secret not in text
    assert all(len(line) < 600 for line in records.lines())


def test_attempts_are_worth_an_info(quick: Emulator, records: Records) -> None:
    """Each is named before it is sent, so that its id is known whatever happens to this process."""
    quick.fault(answer={"status": 429, "headers": {"retry-after": "0"}})
    generated = made(quick.client(timers={"initial_backoff": 0}), records)
    first, again, second = records.lines(logging.INFO)
    for line, attempt in zip((first, second), generated.attempts, strict=True):
        assert line.startswith("sending ")
        assert attempt.client_request_id in line
    assert again.startswith("trying again")
    assert "kind=rate_limited" in again


def test_the_level_is_the_loggers(quick: Emulator, records: Records) -> None:
    """Looked at in every call; below it, nothing is made."""
    logger, client = logging.getLogger("gptimage"), quick.client()
    logger.setLevel(logging.WARNING)
    client.generate("A hat")
    logger.setLevel(logging.DEBUG)
    generated = made(client, records)
    assert len(records.lines()) == 2
    assert all(str(generated.client_request_id) in line for line in records.lines())


def test_the_library_says_nothing_by_itself(quick: Emulator, capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever did not set up logging sees neither lines nor warnings, also when a call fails."""
    quick.fault(answer={"status": 503})
    with pytest.raises(gptimage.InternalServerError):
        quick.client(max_attempts=1).generate("A hat")
    quick.client().generate("A hat")
    assert capfd.readouterr() == ("", "")
