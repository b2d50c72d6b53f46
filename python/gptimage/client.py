"""The clients: `Client` blocks, `AsyncClient` is awaited; both have the same methods."""

from __future__ import annotations

from gptimage import _core
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

# What people bring along from other clients, and what to use here.
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
    """What both clients are made of."""

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
        """Where the API is, as settled: with `/v1/`."""
        return self._core.base_url

    def with_options(self, **options: Unpack[ClientOptions]) -> Self:
        """A client that differs in these options. Both share what `collect` gives."""
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
        """What became of calls that were interrupted, cancelled or past their deadline after they had been sent: their
        results, or the errors that say what they cost. Each is handed over once; `drain` waits for those on their way.
        """
        batch = self._core.collect()
        try:
            return batch.mark_delivered([from_fields(*fields) for fields in batch.to_dicts()])  # type: ignore[no-any-return]
        except BaseException:
            batch.put_back()
            raise

    def pending(self) -> list[Pending]:
        """What may be paid and is in nobody's hands: attempts that the server may have and that have not ended (also those
        that another thread waits for), and outcomes that wait for `collect`, those in a salvage folder included.
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
        """A call, and who shows it; `given` are the arguments of `generate` or `edit`, by their names."""
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
        # What is left are the API's own parameters.
        parameters = [(name, _text(name, value)) for name, value in given.items() if value is not None]
        extra_json = None if extra is None else _json(extra)
        call = self._use().call(
            operation, prompt, parameters, images=images, mask=mask, extra=extra_json, observed=reporter.wanted, **options
        )
        return call, reporter


# What is said of a call beside its request.
_CALL_OPTIONS = ("structural_rules", "save_to", "overwrite", "deadline", "max_attempts", "fetch")


def _text(name: str, value: object) -> str:
    """A parameter as the API writes it. Whether it is one, core's rules say."""
    if name == "model" and not isinstance(value, str):
        # As a text it would be the name of a model that nobody knows the rules of.
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
    """Attempts as the compiled part takes them: the id, and what is known already."""
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
    """Makes and edits images with gpt-image-2; every call waits for its result.

    >>> client = Client()                          # the key is in AIMLAPI_KEY, AIMLAPI_API_KEY or AIML_API_KEY
    >>> client.generate("A T-Rex relaxing on a beach", size="1536x1024", save_to="t-rex.png")

    Everything is optional, and `None` is as good as not given:

    - `api_key`, `base_url`: else the environment's; a URL that ends in `#` is taken exactly as it is. `allow_http` permits plain http to another machine.
    - `max_attempts`: at most so many attempts, the first included; 3. Only what provably cost nothing is tried again.
    - `deadline`: seconds that a call may take in all, waits and further attempts included; none.
    - `timers`: seconds for each phase, such as `{"head": 900}`; see `gptimage._types.Timers`.
    - `ca_file`: a file (PEM or DER) or folder of certificates that are trusted beside the system's. `proxy`: a URL such as
      `socks5h://host:1080` for every request, or `False` for none; else `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` decide.
      `headers`: more headers for the gateway alone.
    - `fetch`: whether pictures that come as URLs are fetched at once; true.
    - `retry_server_errors`: whether a 5xx in the vendor's own words is tried again, which may be paid twice; false.
    - `on_cancel`: what becomes of a call that is interrupted after it was sent: `"keep"` lets it run on, for `collect`;
      `"abort"` gives it up. `salvage_max_bytes` bounds what is kept in memory, 256 MiB; `salvage_folder` is a folder that
      keeps it across processes. `exit_wait`: seconds that the interpreter's end waits for such calls; 0, and a log
      record names those that are lost.
    - `budget`: a `Budget` that its calls count against; none.
    - `max_image_bytes`: the longest picture that is accepted, 64 MiB.

    Usable from any number of threads at once, and in a forked child. Ctrl-C is seen at once; the KeyboardInterrupt's
    note says what the call may cost.

    Raises ConfigError for what cannot be used.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Refuses further calls. Those on their way go on, and `collect` still works."""
        self._closed = True

    @property
    def images(self) -> Images:
        """`generate` and `edit` as openai-python has them."""
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
        """Makes a picture.

        `prompt` says what is to be seen, in at most 32,000 characters. What is not given is not sent: the server has
        defaults of its own. `model` is `"openai/gpt-image-2"` unless given. `size` is `"1024x1024"` (the default), `"1024x1536"` or `"1536x1024"`, `quality` `"low"`,
        `"medium"` (the default) or `"high"`, `output_format` `"png"` (the default), `"jpeg"` or `"webp"`, `background`
        `"auto"` (the default), `"transparent"` (png and webp only) or `"opaque"`, `moderation` `"auto"` (the default) or
        `"low"`, `n` 1, `output_compression` 0 to 100 (jpeg and webp only), `response_format` `"url"` (the default) or
        `"b64_json"`. `extra` are fields beyond these; `structural_rules=True` checks only what no server could accept.

        `save_to` is a file or a folder that the picture is written to while it comes; what exists is refused before
        anything is sent, unless `overwrite`. Its extension decides `output_format` where that is not given. `deadline`,
        `max_attempts` and `fetch` are the client's unless given.
        `progress=True` shows a bar, a function gets `gptimage.Progress` whenever something changes.

        Raises InvalidRequestError, with all problems at once, before anything is sent; else one of
        `gptimage.exceptions`, each of which says in `charge` whether money was spent.
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
        """Edits pictures.

        `image` is one image or a list of up to 16, PNG, JPEG or WebP of at most 50 MB each: a path, bytes, a binary
        file, a Pillow image, a NumPy array (uint8; height × width, × 3 or × 4), a result's `Image`. `mask` says where
        the first image may be edited: a `Mask`, or a PNG of the image's size, under 4 MB, that is transparent there.
        `n` is 1 to 10. All else is as for `generate`.
        """
        call, reporter = self._call("edit", locals())
        return wait(call, reporter)  # type: ignore[no-any-return]

    def fetch(
        self, image: _core.Image | str, *, save_to: Path | None = None, overwrite: bool = False
    ) -> _core.Image:
        """Fetches a picture that is still at its URL, or at this URL. Free, so as often as wanted.

        Raises DownloadError, or LocalIOError for `save_to`.
        """
        return wait(self._use().fetch(_at_url(image), save_to, overwrite))  # type: ignore[no-any-return]

    def balance(self) -> Balance:
        """Asks what money is left. Free; also the way to see whether the key works."""
        call = self._use().balance()
        return wait(call)  # type: ignore[no-any-return]

    def reconcile(
        self, attempts: Attempts, *, period: str | None = None, patience: float | None = None
    ) -> list[Reconciled]:
        """Asks the vendor's log what became of attempts that may have been charged: those of an error or a result, one
        attempt, a client request id, or several of these. Free. What is proved already is not targets for.

        `period`: how far back the log is read, such as `"7d"`; `"24h"`. `patience`: seconds that a row is waited for that
        is not there yet; `timers["log"]`, 60. An absent, refusing or lagging log leaves them `unknown`.
        """
        call = self._use().reconcile(_reconcile_targets(attempts), period, patience)
        return wait(call)  # type: ignore[no-any-return]

    def drain(self, timeout: float | None = None) -> None:
        """Waits until every call that runs on without its caller has ended, or so many seconds have passed."""
        wait(self._core.drain(timeout))


class AsyncClient(_Base):
    """As `Client`, for asyncio: every call is awaited.

    >>> client = AsyncClient()
    >>> await client.generate("A T-Rex relaxing on a beach", deadline=300)

    Usable from any number of event loops at once. A task that is cancelled before its request was sent costs nothing;
    later, the call runs on and `collect` has its result (unless `on_cancel="abort"`). The CancelledError's note says
    which. Prefer `deadline=` to `asyncio.wait_for`: a deadline raises an error that says how far the call was, what it
    may cost and under which id it can be found; `wait_for` can only cancel, and raises a bare TimeoutError, which
    retry decorators take for something that may be repeated.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """As `Client.close`."""
        self._closed = True

    @property
    def images(self) -> AsyncImages:
        """As `Client.images`."""
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
        """As `Client.generate`."""
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
        """As `Client.edit`."""
        call, reporter = self._call("edit", locals())
        return await wait_async(call, reporter)  # type: ignore[no-any-return]

    async def fetch(
        self, image: _core.Image | str, *, save_to: Path | None = None, overwrite: bool = False
    ) -> _core.Image:
        """As `Client.fetch`."""
        return await wait_async(self._use().fetch(_at_url(image), save_to, overwrite))  # type: ignore[no-any-return]

    async def balance(self) -> Balance:
        """As `Client.balance`."""
        call = self._use().balance()
        return await wait_async(call)  # type: ignore[no-any-return]

    async def reconcile(
        self, attempts: Attempts, *, period: str | None = None, patience: float | None = None
    ) -> list[Reconciled]:
        """As `Client.reconcile`."""
        call = self._use().reconcile(_reconcile_targets(attempts), period, patience)
        return await wait_async(call)  # type: ignore[no-any-return]

    async def drain(self, timeout: float | None = None) -> None:
        """As `Client.drain`."""
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
    """`client.images` as openai-python has it; keywords are `Client`'s, `extra_body` is `extra`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def generate(self, *, prompt: str, extra_body: Extra | None = None, **options: Any) -> Generated:
        """As `Client.generate`."""
        return self._client.generate(prompt, **_with_extra(options, extra_body))

    def edit(
        self,
        *,
        image: ImageInput | Sequence[ImageInput] | Iterable[ImageInput],
        prompt: str,
        extra_body: Extra | None = None,
        **options: Any,
    ) -> Generated:
        """As `Client.edit`."""
        return self._client.edit(prompt, image=image, **_with_extra(options, extra_body))


class AsyncImages:
    """As `Images`, to be awaited."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def generate(self, *, prompt: str, extra_body: Extra | None = None, **options: Any) -> Generated:
        """As `Client.generate`."""
        return await self._client.generate(prompt, **_with_extra(options, extra_body))

    async def edit(
        self,
        *,
        image: ImageInput | Sequence[ImageInput] | Iterable[ImageInput],
        prompt: str,
        extra_body: Extra | None = None,
        **options: Any,
    ) -> Generated:
        """As `Client.edit`."""
        return await self._client.edit(prompt, image=image, **_with_extra(options, extra_body))
