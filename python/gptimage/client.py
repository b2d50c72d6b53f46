"""The clients: `Client` blocks, `AsyncClient` is awaited. Both have the same methods."""

from __future__ import annotations

# `_logging` is loaded here because the compiled part uses it: an import in there would run Python code above Rust frames.
from gptimage import _core, _logging as _logging
from gptimage._progress import ProgressReporter
from gptimage._waiting import from_fields, wait, wait_async
from gptimage.records import Attempt, Pending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType
    from typing import Any, Literal, Never, Self, Unpack

    from gptimage._types import (
        Attempts,
        Background,
        ClientOptions,
        Extra,
        ImageInput,
        MaskInput,
        Moderation,
        OutputFormat,
        Path,
        ProgressOption,
        Quality,
        ResponseFormat,
        Size,
        Timers,
    )
    from gptimage.budget import Budget
    from gptimage.exceptions import GptImageError
    from gptimage.generated import Generated
    from gptimage.records import Balance, Reconciled

# Keywords of other clients, and their replacements here.
_ALTERNATIVES = {
    "timeout": "use deadline= (seconds over everything, waits and further attempts included), or Client(timers={...})",
    "max_retries": "use max_attempts= (the first one included); only what provably cost nothing is tried again",
    "http_client": "use proxy=, ca_file=, headers= and timers=",
    "default_headers": "use headers=",
    "extra_body": "use extra=",
    "extra_headers": "use Client(headers=...)",
    "stream": "the API has no streaming; progress= tells how far the call is",
    "partial_images": "the API has no streaming; progress= tells how far the call is",
    "image": "generate takes none; use edit",
    "mask": "generate takes none; use edit",
    "moderation": "edit has no such parameter; extra={...} sends it all the same",
    "input_fidelity": "not a parameter of this API; extra={...} sends it all the same",
    "style": "not a parameter of this API; extra={...} sends it all the same",
    "user": "not a parameter of this API; extra={...} sends it all the same",
}


def _refuse(function: str, unknown: Mapping[str, object]) -> None:
    for name in unknown:
        instead = f": {_ALTERNATIVES[name]}" if name in _ALTERNATIVES else ""
        raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{instead}")


class _Base:
    """The base class of both clients."""

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        allow_http: bool | None = None,
        max_attempts: int | None = None,
        deadline: float | None = None,
        timers: Timers | None = None,
        ca_file: Path | None = None,
        proxy: str | Literal[False] | None = None,
        headers: Mapping[str, str] | None = None,
        fetch: bool | None = None,
        retry_server_errors: bool | None = None,
        on_cancel: Literal["keep", "abort"] | None = None,
        salvage_max_bytes: int | None = None,
        salvage_folder: Path | None = None,
        exit_wait: float | None = None,
        budget: Budget | None = None,
        max_image_bytes: int | None = None,
        **unknown: Never,
    ) -> None:
        _refuse(type(self).__name__, unknown)
        options: dict[str, Any] = {
            "api_key": api_key,
            "base_url": base_url,
            "allow_http": allow_http,
            "max_attempts": max_attempts,
            "deadline": deadline,
            "timers": timers,
            "ca_file": ca_file,
            "proxy": proxy,
            "headers": headers,
            "fetch": fetch,
            "retry_server_errors": retry_server_errors,
            "on_cancel": on_cancel,
            "salvage_max_bytes": salvage_max_bytes,
            "salvage_folder": salvage_folder,
            "exit_wait": exit_wait,
            "budget": _budget(budget),
            "max_image_bytes": max_image_bytes,
        }
        self._core = _core.Client(options)
        self._closed = False

    @property
    def base_url(self) -> str:
        """The base URL of the API, ending in `/v1/`."""
        return self._core.base_url

    def with_options(self, **options: Unpack[ClientOptions]) -> Self:
        """Returns a client with other options. Both clients share the outcomes that `collect` returns."""
        known = _Base.__init__.__kwdefaults__ or {}
        _refuse("with_options", {name: value for name, value in options.items() if name not in known})
        other = type(self).__new__(type(self))
        given: dict[str, Any] = dict(options)
        if "budget" in given:
            given["budget"] = _budget(given["budget"])
        other._core = self._core.with_options(given)
        other._closed = False
        return other

    def collect(self) -> list[Generated | GptImageError]:
        """Returns the outcomes of calls that were interrupted, cancelled or past their deadline after they had been
        sent: results, or errors that say what the calls cost. Each outcome is returned once. Use `drain` to wait for
        calls in flight.
        """
        batch = self._core.collect()
        try:
            return batch.mark_delivered([from_fields(*fields) for fields in batch.to_dicts()])  # type: ignore[no-any-return]
        except BaseException:
            batch.put_back()
            raise

    def pending(self) -> list[Pending]:
        """Returns the calls that may be charged and whose outcome nobody has received: attempts in flight that the
        server may have, including those that another thread waits for, and outcomes that wait for `collect`,
        including those in a salvage folder.
        """
        return [Pending(fields) for fields in self._core.pending()]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    def _use(self) -> _core.Client:
        if self._closed:
            raise RuntimeError("this client was closed")
        import sys

        if "logging" in sys.modules:
            import logging

            _core.set_log_level(logging.getLogger("gptimage").getEffectiveLevel())
        return self._core

    def _call(self, operation: Literal["generate", "edit"], given: dict[str, Any]) -> tuple[_core.CallHandle, ProgressReporter]:
        """Creates a call and its progress reporter. `given` holds the arguments of `generate` or `edit` by name."""
        del given["self"]
        _refuse(operation, given.pop("unknown"))
        prompt, reporter, extra = given.pop("prompt"), ProgressReporter(given.pop("progress")), given.pop("extra")
        if not isinstance(prompt, str):
            raise TypeError(f"prompt: {type(prompt).__name__} is no text")
        _text("prompt", prompt)
        images: list[Any] = []
        mask = None
        if operation == "edit":
            from gptimage import _inputs

            images, mask = _inputs.images(given.pop("image")), _inputs.mask(given.pop("mask"))
        options = {name: given.pop(name) for name in _CALL_OPTIONS}
        # The remaining arguments are the API's parameters.
        parameters = [(name, _text(name, value)) for name, value in given.items() if value is not None]
        extra_json = None if extra is None else _json(extra)
        call = self._use().call(
            operation, prompt, parameters, images=images, mask=mask, extra=extra_json, observed=reporter.wanted, **options
        )
        return call, reporter


# The arguments of a call that are not part of its request.
_CALL_OPTIONS = ("structural_rules", "save_to", "overwrite", "deadline", "max_attempts", "fetch")


def _text(name: str, value: object) -> str:
    """Converts a parameter to text as the API writes it. Core validates it."""
    if name == "model" and not isinstance(value, str):
        # As text it would be the name of an unknown model, for which few rules are checked.
        raise TypeError(f"model: {type(value).__name__} is no text")
    text = str.__str__(value) if isinstance(value, str) else str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: {text!r} is no text that can be sent: it holds half of a character") from None
    return text


def _json(extra: Mapping[str, object]) -> str:
    import json

    try:
        text = json.dumps(dict(extra), allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"extra: must be a dict of JSON values: {error}") from None
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("extra: must be a dict of JSON values: a text in it holds half of a character") from None
    return text


def _budget(budget: Budget | None) -> _core.Budget | None:
    if budget is None:
        return None
    if type(budget).__module__ != "gptimage.budget":
        raise TypeError(f"budget: {type(budget).__name__} is no Budget; write gptimage.Budget(\"5.00\")")
    return budget._core


def _reconcile_targets(attempts: Attempts) -> list[tuple[str, str | None, str | None, str | None, str | None]]:
    """Converts attempts to the compiled part's form: the id, and what is known already."""
    found: Any = getattr(attempts, "attempts", attempts)
    if isinstance(found, (str, Attempt)):
        found = [found]
    targets: list[tuple[str, str | None, str | None, str | None, str | None]] = []
    for one in found:
        if isinstance(one, str):
            targets.append((one, None, None, None, None))
        elif isinstance(one, Attempt):
            usd, credits = (one.cost.usd, one.cost.credits) if one.cost else (None, None)
            known = [None if value is None else f"{value:f}" for value in (usd, credits)]
            targets.append((one.client_request_id, one.charge, known[0], known[1], one.inference_id))
        else:
            raise TypeError(f"reconcile: {type(one).__name__} is neither an attempt nor a client request id")
    return targets


class Client(_Base):
    """Makes and edits images with gpt-image-2. Every call waits for its result.

    >>> client = Client()                          # the key is in AIMLAPI_KEY, AIMLAPI_API_KEY or AIML_API_KEY
    >>> client.generate("A T-Rex relaxing on a beach", size="1536x1024", save_to="t-rex.png")

    All options are optional; `None` means the default.

    - `api_key`, `base_url`: the API key and base URL. Default: from the environment. A URL that ends in `#` is used exactly
      as it is. `allow_http`: whether plain http to another machine is allowed. Default: false.
    - `max_attempts`: maximum number of attempts, including the first. Only an attempt that provably cost nothing is
      retried. Default: 3.
    - `deadline`: maximum duration of a call in seconds, including all attempts and waits. Default: no limit.
    - `timers`: time limits of the phases in seconds, such as `{"response_header": 900}`; docs/python.md lists all of them.
    - `ca_file`: a file (PEM or DER) or folder of certificates to trust in addition to the system's.
    - `proxy`: a proxy for all requests, such as `socks5h://host:1080`, or `False` for no proxy. Default: `HTTPS_PROXY`,
      `ALL_PROXY` and `NO_PROXY` decide.
    - `headers`: additional headers for the gateway only.
    - `fetch`: whether images that arrive as URLs are downloaded at once. Default: true.
    - `retry_server_errors`: whether a 5xx in the gateway's own error format is retried, which may be charged twice.
      Default: false.
    - `on_cancel`: what happens to a call that is interrupted after it was sent: `"keep"` lets it continue, for `collect`;
      `"abort"` aborts it. Default: `"keep"`.
    - `salvage_max_bytes`: maximum memory for the outcomes of such calls. Default: 256 MiB. `salvage_folder`: a folder that
      keeps them instead, also for other processes. Default: none.
    - `exit_wait`: seconds that the interpreter waits for such calls at exit. Calls that are lost are logged with their ids.
      Default: 0.
    - `budget`: a `Budget` that limits the cost of the calls. Default: none.
    - `max_image_bytes`: maximum size of an image in bytes. Default: 64 MiB.

    A client can be used by any number of threads at once, and in a forked child. Ctrl-C interrupts a call at once; a note
    on the KeyboardInterrupt says what the call may cost.

    Raises ConfigError if an option cannot be used.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the client: it refuses further calls. Calls in flight continue, and `collect` still works."""
        self._closed = True

    @property
    def images(self) -> Images:
        """`generate` and `edit` with openai-python's signatures."""
        return Images(self)

    def generate(
        self,
        prompt: str,
        *,
        model: str | None = None,
        size: Size | None = None,
        quality: Quality | None = None,
        output_format: OutputFormat | None = None,
        background: Background | None = None,
        moderation: Moderation | None = None,
        n: int | None = None,
        output_compression: int | None = None,
        response_format: ResponseFormat | None = None,
        extra: Extra | None = None,
        structural_rules: bool = False,
        save_to: Path | None = None,
        overwrite: bool = False,
        deadline: float | None = None,
        max_attempts: int | None = None,
        fetch: bool | None = None,
        progress: ProgressOption = None,
        **unknown: Never,
    ) -> Generated:
        """Makes an image.

        `prompt` describes the image in at most 32,000 characters. Parameters that are not given are not sent; the server has
        defaults for them. `model` is `"openai/gpt-image-2"` by default. `size` is `"1024x1024"` (server default),
        `"1024x1536"` or `"1536x1024"`, `quality` is `"low"`, `"medium"` (server default) or `"high"`, `output_format` is
        `"png"` (server default), `"jpeg"` or `"webp"`, `background` is `"auto"` (server default), `"transparent"` (png and
        webp only) or `"opaque"`, `moderation` is `"auto"` (server default) or `"low"`, `n` is 1, `output_compression` is 0
        to 100 (jpeg and webp only), `response_format` is `"url"` (server default) or `"b64_json"`. `extra` adds fields that
        this library does not know. `structural_rules=True` refuses only what no server could accept.

        `save_to` is a file or folder to save to while the image arrives. An existing file is refused before anything is
        sent, unless `overwrite`. If `output_format` is not given, the extension selects it. `deadline`, `max_attempts` and
        `fetch` default to the client's. `progress=True` shows a progress bar; a function is called with a
        `gptimage.Progress` on every change.

        Raises InvalidRequestError with all problems before anything is sent, otherwise another error of
        `gptimage.exceptions`, whose `charge` says whether money was spent.
        """
        call, reporter = self._call("generate", locals())
        return wait(call, reporter)  # type: ignore[no-any-return]

    def edit(
        self,
        prompt: str,
        *,
        image: ImageInput | Sequence[ImageInput] | Iterable[ImageInput],
        mask: MaskInput | None = None,
        model: str | None = None,
        size: Size | None = None,
        quality: Quality | None = None,
        output_format: OutputFormat | None = None,
        background: Background | None = None,
        n: int | None = None,
        output_compression: int | None = None,
        response_format: ResponseFormat | None = None,
        extra: Extra | None = None,
        structural_rules: bool = False,
        save_to: Path | None = None,
        overwrite: bool = False,
        deadline: float | None = None,
        max_attempts: int | None = None,
        fetch: bool | None = None,
        progress: ProgressOption = None,
        **unknown: Never,
    ) -> Generated:
        """Edits images.

        `image` is one image or a list of up to 16, each a PNG, JPEG or WebP of at most 50 MB: a path, bytes, a binary file,
        a Pillow image, a NumPy array (uint8; height × width, × 3 or × 4), or a result's `Image`. `mask` is a `Mask`, or a
        PNG under 4 MB with the dimensions of the first image; that image is edited where the mask is transparent. `n` is 1
        to 10. Otherwise like `generate`.
        """
        call, reporter = self._call("edit", locals())
        return wait(call, reporter)  # type: ignore[no-any-return]

    def fetch(
        self, image: _core.Image | str, *, save_to: Path | None = None, overwrite: bool = False
    ) -> _core.Image:
        """Downloads an image from its URL, or from a URL given as text. Free of charge, and repeatable.

        Raises DownloadError, or LocalIOError for `save_to`.
        """
        return wait(self._use().fetch(_at_url(image), save_to, overwrite))  # type: ignore[no-any-return]

    def balance(self) -> Balance:
        """Returns the account's balance. Free of charge; also shows whether the key works."""
        call = self._use().balance()
        return wait(call)  # type: ignore[no-any-return]

    def reconcile(
        self, attempts: Attempts, *, period: str | None = None, timeout: float | None = None
    ) -> list[Reconciled]:
        """Looks up in the vendor's usage log whether attempts were charged. Free of charge.

        `attempts` is an error, a result, an `Attempt`, a client request id, or several of the last two. Attempts whose
        charge is proved already are not looked up. `period` is how far back the log is read, such as `"7d"`. Default:
        `"24h"`. `timeout` is the maximum time in seconds to wait for a missing log entry. Default: `timers["usage_log"]`, 60. A
        log that is absent, refuses access or lags behind leaves the charge `unknown`.
        """
        call = self._use().reconcile(_reconcile_targets(attempts), period, timeout)
        return wait(call)  # type: ignore[no-any-return]

    def drain(self, timeout: float | None = None) -> None:
        """Waits until every call that continues without its caller has ended, for at most `timeout` seconds. Default:
        no limit.
        """
        wait(self._core.drain(timeout))


class AsyncClient(_Base):
    """Like `Client`, for asyncio: every call is awaited.

    >>> client = AsyncClient()
    >>> await client.generate("A T-Rex relaxing on a beach", deadline=300)

    A client can be used by any number of event loops at once. A task that is cancelled before its request was sent costs
    nothing. After that, the call continues and `collect` returns its outcome (unless `on_cancel="abort"`). A note on the
    CancelledError says which. Prefer `deadline=` to `asyncio.wait_for`: a deadline raises an error that says how far the
    call was, what it may cost and which id it has; `wait_for` can only cancel, and raises a bare TimeoutError, which retry
    decorators take for a call that may be repeated.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Like `Client.close`."""
        self._closed = True

    @property
    def images(self) -> AsyncImages:
        """Like `Client.images`."""
        return AsyncImages(self)

    async def generate(
        self,
        prompt: str,
        *,
        model: str | None = None,
        size: Size | None = None,
        quality: Quality | None = None,
        output_format: OutputFormat | None = None,
        background: Background | None = None,
        moderation: Moderation | None = None,
        n: int | None = None,
        output_compression: int | None = None,
        response_format: ResponseFormat | None = None,
        extra: Extra | None = None,
        structural_rules: bool = False,
        save_to: Path | None = None,
        overwrite: bool = False,
        deadline: float | None = None,
        max_attempts: int | None = None,
        fetch: bool | None = None,
        progress: ProgressOption = None,
        **unknown: Never,
    ) -> Generated:
        """Like `Client.generate`."""
        call, reporter = self._call("generate", locals())
        return await wait_async(call, reporter)  # type: ignore[no-any-return]

    async def edit(
        self,
        prompt: str,
        *,
        image: ImageInput | Sequence[ImageInput] | Iterable[ImageInput],
        mask: MaskInput | None = None,
        model: str | None = None,
        size: Size | None = None,
        quality: Quality | None = None,
        output_format: OutputFormat | None = None,
        background: Background | None = None,
        n: int | None = None,
        output_compression: int | None = None,
        response_format: ResponseFormat | None = None,
        extra: Extra | None = None,
        structural_rules: bool = False,
        save_to: Path | None = None,
        overwrite: bool = False,
        deadline: float | None = None,
        max_attempts: int | None = None,
        fetch: bool | None = None,
        progress: ProgressOption = None,
        **unknown: Never,
    ) -> Generated:
        """Like `Client.edit`."""
        call, reporter = self._call("edit", locals())
        return await wait_async(call, reporter)  # type: ignore[no-any-return]

    async def fetch(
        self, image: _core.Image | str, *, save_to: Path | None = None, overwrite: bool = False
    ) -> _core.Image:
        """Like `Client.fetch`."""
        return await wait_async(self._use().fetch(_at_url(image), save_to, overwrite))  # type: ignore[no-any-return]

    async def balance(self) -> Balance:
        """Like `Client.balance`."""
        call = self._use().balance()
        return await wait_async(call)  # type: ignore[no-any-return]

    async def reconcile(
        self, attempts: Attempts, *, period: str | None = None, timeout: float | None = None
    ) -> list[Reconciled]:
        """Like `Client.reconcile`."""
        call = self._use().reconcile(_reconcile_targets(attempts), period, timeout)
        return await wait_async(call)  # type: ignore[no-any-return]

    async def drain(self, timeout: float | None = None) -> None:
        """Like `Client.drain`."""
        await wait_async(self._core.drain(timeout))


def _at_url(image: object) -> _core.Image:
    if isinstance(image, str):
        return _core.Image.from_url(image)
    if isinstance(image, _core.Image):
        return image
    raise TypeError(f"image: {type(image).__name__} is neither a picture nor a URL; give one such as generated.image")


def _with_extra(options: dict[str, Any], extra_body: Extra | None) -> dict[str, Any]:
    return options if extra_body is None else {"extra": extra_body, **options}


class Images:
    """`client.images` with openai-python's signatures. Other keywords are those of `Client`; `extra_body` is `extra`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def generate(self, *, prompt: str, extra_body: Extra | None = None, **options: Any) -> Generated:
        """Like `Client.generate`."""
        return self._client.generate(prompt, **_with_extra(options, extra_body))

    def edit(
        self,
        *,
        image: ImageInput | Sequence[ImageInput] | Iterable[ImageInput],
        prompt: str,
        extra_body: Extra | None = None,
        **options: Any,
    ) -> Generated:
        """Like `Client.edit`."""
        return self._client.edit(prompt, image=image, **_with_extra(options, extra_body))


class AsyncImages:
    """Like `Images`, but awaited."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def generate(self, *, prompt: str, extra_body: Extra | None = None, **options: Any) -> Generated:
        """Like `Client.generate`."""
        return await self._client.generate(prompt, **_with_extra(options, extra_body))

    async def edit(
        self,
        *,
        image: ImageInput | Sequence[ImageInput] | Iterable[ImageInput],
        prompt: str,
        extra_body: Extra | None = None,
        **options: Any,
    ) -> Generated:
        """Like `Client.edit`."""
        return await self._client.edit(prompt, image=image, **_with_extra(options, extra_body))
