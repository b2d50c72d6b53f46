"""The types of the public API. Nothing here runs: `mypy --strict` checks it as it would check a user's program."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, assert_type

import numpy
from numpy.typing import NDArray
from PIL.Image import Image as PilImage

import gptimage
from gptimage import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncClient,
    Attempt,
    Balance,
    Client,
    ConfigError,
    Cost,
    DownloadError,
    Emulator,
    Generated,
    GptImageError,
    Image,
    InternalServerError,
    InvalidRequestError,
    LocalIOError,
    Mask,
    OutcomeUnknownError,
    Progress,
    RateLimitError,
    Violation,
)
from gptimage.generated import ImageData
from gptimage.records import LedgerEntry, RecordedRequest, Warning

Charge = Literal["not_charged", "unknown", "charged"]
Phase = Literal["planned", "connecting", "sending", "sent", "head_received", "body_complete", "stored"]


def clients(client: Client) -> None:
    assert_type(client.generate("A T-Rex"), Generated)
    assert_type(client.edit("A crown", image="t-rex.png"), Generated)
    assert_type(client.fetch("https://example.org/picture.png"), Image)
    assert_type(client.fetch(Image.from_url("https://example.org/picture.png"), save_to="picture.png"), Image)
    assert_type(client.balance(), Balance)
    assert_type(client.collect(), list[Generated | GptImageError])
    assert_type(client.with_options(deadline=300, max_attempts=1), Client)
    assert_type(client.base_url, str)
    assert_type(client.images.generate(prompt="A T-Rex", model="openai/gpt-image-2"), Generated)
    assert_type(client.images.edit(prompt="A crown", image=open("t-rex.png", "rb")), Generated)
    client.drain(timeout=10)
    with Client(api_key="key", timers={"response_header": 900, "tcp_keepalive_probes": 8}, proxy=False, on_cancel="abort") as opened:
        assert_type(opened, Client)


async def async_clients(client: AsyncClient) -> None:
    assert_type(await client.generate("A T-Rex", n=1), Generated)
    assert_type(await client.edit("A crown", image=[b"", Path("crown.png")]), Generated)
    assert_type(await client.fetch("https://example.org/picture.png"), Image)
    assert_type(await client.balance(), Balance)
    assert_type(client.collect(), list[Generated | GptImageError])
    assert_type(client.with_options(fetch=False), AsyncClient)
    assert_type(await client.images.generate(prompt="A T-Rex"), Generated)
    assert_type(await client.images.edit(prompt="A crown", image="t-rex.png"), Generated)
    await client.drain()
    async with AsyncClient() as opened:
        assert_type(opened, AsyncClient)


def parameters(client: Client, told: list[Progress]) -> None:
    client.generate(
        "A T-Rex",
        model="openai/gpt-image-2",
        size="1536x1024",
        quality="high",
        output_format="webp",
        background="transparent",
        moderation="low",
        n=1,
        output_compression=80,
        response_format="b64_json",
        extra={"user": "reader"},
        structural_rules=True,
        save_to=Path("t-rex"),
        overwrite=True,
        deadline=300.0,
        max_attempts=2,
        fetch=True,
        progress=told.append,
    )
    # Values that the known model does not have are for other models, and for core's rules to check.
    client.generate("A T-Rex", model="another", size="2048x2048", quality="ultra", progress=True)


def inputs(client: Client, result: Generated, pil: PilImage, pixels: NDArray[numpy.uint8], mask: Mask) -> None:
    client.edit("A crown", image="t-rex.png")
    client.edit("A crown", image=Path("t-rex.png"))
    client.edit("A crown", image=b"")
    client.edit("A crown", image=bytearray())
    client.edit("A crown", image=memoryview(b""))
    client.edit("A crown", image=io.BytesIO())
    client.edit("A crown", image=("t-rex.png", b""))
    client.edit("A crown", image=("t-rex.png", io.BytesIO(), "image/png"))
    client.edit("A crown", image=pil)
    client.edit("A crown", image=pixels)
    client.edit("A crown", image=result.image)
    client.edit("A crown", image=result.images)
    client.edit("A crown", image=result)
    client.edit("A crown", image=Path("pictures").glob("*.png"))
    client.edit("A crown", image=(path.read_bytes() for path in [Path("t-rex.png")]))
    client.edit("A crown", image=["t-rex.png", Path("crown.png"), b"", pil, pixels, result.image], mask=mask)
    client.edit("A crown", image="t-rex.png", mask="mask.png")


def refused(client: Client) -> None:
    """What mypy finds before core does. A line that were none would have a comment too many, which is an error too."""
    client.generate("A T-Rex", "1024x1024")  # type: ignore[call-arg]
    client.generate(17)  # type: ignore[arg-type]
    client.generate("A T-Rex", timeout=60)  # type: ignore[arg-type]
    client.generate("A T-Rex", n="1")  # type: ignore[arg-type]
    client.generate("A T-Rex", progress="yes")  # type: ignore[arg-type]
    client.edit("A crown")  # type: ignore[call-arg]
    client.edit("A crown", image=17)  # type: ignore[arg-type]
    Client("key")  # type: ignore[call-arg]
    Client(max_retries=3)  # type: ignore[arg-type]
    Client(timers={"heed": 3})  # type: ignore[arg-type]
    Client(on_cancel="forget")  # type: ignore[arg-type]
    Emulator(billing="free")  # type: ignore[arg-type]


def results(generated: Generated) -> None:
    assert_type(generated.images, tuple[Image, ...])
    assert_type(generated.image, Image)
    assert_type(generated[0], Image)
    assert_type(iter(generated), Iterator[Image])
    assert_type(len(generated), int)
    assert_type(generated.cost, Cost | None)
    assert_type(generated.created, int | None)
    assert_type(generated.usage, dict[str, Any] | None)
    assert_type(generated.client_request_id, str | None)
    assert_type(generated.inference_id, str | None)
    assert_type(generated.request_id, str | None)
    assert_type(generated.warnings, tuple[Warning, ...])
    assert_type(generated.attempts, tuple[Attempt, ...])
    assert_type(generated.response, dict[str, Any] | None)
    assert_type(generated.data, list[ImageData])
    assert_type(generated.data[0].url, str | None)
    assert_type(generated.data[0].b64_json, str | None)
    assert_type(generated.image.inline, bool)
    assert_type(generated.to_dict(), dict[str, Any])
    assert_type(generated.model_dump(), dict[str, Any])
    assert_type(generated.to_json(), str)
    assert_type(generated.model_dump_json(indent=2), str)


def images(image: Image) -> None:
    assert_type(image.format, Literal["png", "jpeg", "webp"] | None)
    assert_type(image.width, int | None)
    assert_type(image.height, int | None)
    assert_type(image.location, Literal["memory", "file", "url"])
    assert_type(image.path, Path | None)
    assert_type(image.url, str | None)
    assert_type(image.revised_prompt, str | None)
    assert_type(image.nbytes, int | None)
    assert_type(image.read(), bytes)
    assert_type(bytes(image), bytes)
    assert_type(memoryview(image), memoryview)
    assert_type(image.__array__(), NDArray[Any])
    assert_type(image.save("t-rex.png", overwrite=True), Path)
    assert_type(image.to_pil(), PilImage)
    assert_type(image.to_numpy(), NDArray[numpy.uint8])
    assert_type(Image.from_bytes(b""), Image)
    assert_type(Image.from_file(Path("t-rex.png")), Image)
    assert_type(hash(image), int)


def records(cost: Cost, balance: Balance, attempt: Attempt, progress: Progress, violation: Violation) -> None:
    assert_type(cost.usd, Decimal | None)
    assert_type(cost.credits, Decimal | None)
    assert_type(balance.current_balance, Decimal)
    assert_type(balance.currency, str | None)
    assert_type(attempt.number, int)
    assert_type(attempt.client_request_id, str)
    assert_type(attempt.phase, Phase)
    assert_type(attempt.charge, Charge)
    assert_type(attempt.cost, Cost | None)
    assert_type(attempt.http_status, int | None)
    assert_type(attempt.elapsed_seconds, float)
    assert_type(attempt.error, str | None)
    assert_type(progress.phase, Phase)
    assert_type(progress.client_request_id, str)
    assert_type(progress.bytes_sent, int)
    assert_type(progress.pause_seconds, float | None)
    assert_type(violation.param, str)
    assert_type(violation.rule, str)


def errors(client: Client) -> None:
    try:
        client.generate("A T-Rex")
    except InvalidRequestError as error:
        as_value: ValueError = error
        assert_type(error.violations, tuple[Violation, ...])
        print(as_value)
    except ConfigError as error:
        as_value = error
    except LocalIOError as error:
        as_os: OSError = error
        assert_type(error.errno, int | None)
        print(as_os)
    except APITimeoutError as error:
        as_timeout: TimeoutError = error
        as_connection: APIConnectionError = error
        print(as_timeout, as_connection)
    except OutcomeUnknownError as error:
        assert_type(error.client_request_id, str | None)
        assert_type(error.inference_id, str | None)
    except DownloadError as error:
        assert_type(error.generated, Generated | None)
    except (RateLimitError, InternalServerError) as error:
        as_status: APIStatusError = error
        assert_type(error.status_code, int)
        assert_type(error.retry_after, float | None)
        print(as_status)
    except GptImageError as error:
        assert_type(error.kind, str)
        assert_type(error.number, int)
        assert_type(error.charge, Charge)
        assert_type(error.http_status, int | None)
        assert_type(error.vendor_says_free, bool)
        assert_type(error.timed_out, bool)
        assert_type(error.attempts, tuple[Attempt, ...])
        assert_type(error.cost, Cost | None)
        assert_type(error.message, str)
        assert_type(error.response_body, str | None)
        assert_type(error.response_file, str | None)
        assert_type(error.response_bytes, bytes | None)
        assert_type(error.task_id, str | None)


def masks(image: Image, drawing: PilImage, editable: NDArray[numpy.bool_]) -> None:
    assert_type(Mask.from_boxes(image, [(0, 0, 10, 10)]), Mask)
    assert_type(Mask.from_boxes((1024, 1024), [[0, 0, 10, 10]]), Mask)
    assert_type(Mask.from_array(editable), Mask)
    assert_type(Mask.from_array([[True, False]]), Mask)
    mask = Mask.from_pil(drawing)
    assert_type(mask, Mask)
    assert_type(mask.png, bytes)
    assert_type(mask.width, int)
    assert_type(mask.editable_share, float)
    assert_type(mask.save("mask.png"), Path)


def emulators() -> None:
    with Emulator(billing="pessimistic", balance="10.5", latency="2s", key=["one", "two"]) as emulator:
        assert_type(emulator, Emulator)
        assert_type(emulator.client(), Client)
        assert_type(emulator.async_client(max_attempts=1), AsyncClient)
        assert_type(emulator.url, str)
        assert_type(emulator.key, str)
        assert_type(emulator.charges, int)
        assert_type(emulator.connections, int)
        assert_type(emulator.balance, Decimal)
        assert_type(emulator.ledger, tuple[LedgerEntry, ...])
        assert_type(emulator.requests, tuple[RecordedRequest, ...])
        assert_type(emulator.requests[0].header("authorization"), str | None)
        emulator.fault(answer={"status": 503})
        emulator.set(latency=0.5)


assert_type(gptimage.__version__, str)
