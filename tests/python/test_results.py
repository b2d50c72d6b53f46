"""The results of a call: images, facts and errors that are immutable and can be shown, kept and sent elsewhere."""

from __future__ import annotations

import base64
import copy
import ctypes
import decimal
import errno
import gc
import hashlib
import io
import json
import pickle
import re
import shutil
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import gptimage
import numpy
import pytest
from cases_facts import assert_as_annotated
from cases_shared import FIXTURES, KEY, assert_one_printable_line, canned_emulator, fixture, noise_png
from gptimage import Client, Emulator, Generated, GptImageError, Image, LocalIOError, Mask, Progress, exceptions
from gptimage.generated import ImageData
from gptimage.records import (
    Attempt,
    Balance,
    BudgetStatus,
    Cost,
    LedgerEntry,
    Pending,
    Reconciled,
    Record,
    RecordedRequest,
    Violation,
    Warning,
)
from PIL import Image as Pil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PNG = fixture("rgb-4x4.png")
BLACK = fixture("black-1024x1024.png")

# Longer than any trace of an image or a prompt may be in a text.
SHORT = 600


@dataclass(frozen=True)
class Made:
    """One of everything, as calls give it."""

    generated: Generated
    pictures: Generated
    at_url: Generated
    progress: Progress
    pending: Pending
    reconciled: Reconciled
    budget: BudgetStatus
    balance: Balance
    violation: Violation
    warning: Warning
    ledger: tuple[LedgerEntry, ...]
    requests: tuple[RecordedRequest, ...]
    failure: GptImageError


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    with Emulator(billing="pessimistic", key=KEY) as emulator:
        budget = gptimage.Budget(9)
        client = emulator.client(max_attempts=1, budget=budget)
        seen: list[Progress] = []
        generated = client.generate("A hat", progress=seen.append)
        pictures = client.edit("A crown", image=PNG, n=3, response_format="b64_json", output_format="webp")
        at_url = client.generate("A hat", fetch=False)
        balance = client.balance()
        emulator.fault(answer={"status": 503, "headers": {"retry-after": "2"}})
        with pytest.raises(GptImageError) as failed:
            client.generate("A hat")
        with pytest.raises(gptimage.InvalidRequestError) as refused:
            client.generate("")
        [reconciled] = client.reconcile(failed.value)
        ledger, requests = emulator.ledger, emulator.requests
        emulator.fault(delay="500ms")
        with pytest.raises(GptImageError):
            client.generate("A hat", deadline=0.2)
        [pending] = client.pending()
    with canned_emulator() as emulator:
        [warning] = emulator.client().generate("A hat").warnings
    [violation] = refused.value.violations
    yield Made(
        generated,
        pictures,
        at_url,
        seen[-1],
        pending,
        reconciled,
        budget.status,
        balance,
        violation,
        warning,
        ledger,
        requests,
        failed.value,
    )


def records_of(made: Made) -> dict[str, Record]:
    """One of every class, and more where they differ."""
    cost = made.generated.cost
    assert cost is not None
    return {
        "Generated": made.generated,
        "Generated of several": made.pictures,
        "Generated at a url": made.at_url,
        "ImageData": made.generated.data[0],
        "Cost": cost,
        "Cost in credits": Cost({"usd": None, "credits": "107341"}),
        "Attempt": made.generated.attempts[0],
        "Attempt that failed": made.failure.attempts[0],
        "Violation": made.violation,
        "Warning": made.warning,
        "Balance": made.balance,
        "Balance without currency": Balance({"current_balance": "-0.5", "currency": None}),
        "Progress": made.progress,
        "Pending": made.pending,
        "Reconciled": made.reconciled,
        "BudgetStatus": made.budget,
        "LedgerEntry": made.ledger[0],
        "LedgerEntry of a failure": made.ledger[-1],
        "RecordedRequest": made.requests[0],
        "RecordedRequest of a download": next(request for request in made.requests if request.side == "cdn"),
        "Mask": Mask.from_boxes((4, 4), [(0, 0, 2, 4)]),
    }


RECORDS = [
    "Generated",
    "Generated of several",
    "Generated at a url",
    "ImageData",
    "Cost",
    "Cost in credits",
    "Attempt",
    "Attempt that failed",
    "Violation",
    "Warning",
    "Balance",
    "Balance without currency",
    "Progress",
    "Pending",
    "Reconciled",
    "BudgetStatus",
    "LedgerEntry",
    "LedgerEntry of a failure",
    "RecordedRequest",
    "RecordedRequest of a download",
    "Mask",
]


@pytest.fixture(params=RECORDS)
def record(made: Made, request: pytest.FixtureRequest) -> Record:
    return records_of(made)[request.param]


# --- Records ----------------------------------------------------------------------------------------------------------


def test_no_record_is_left_out(made: Made) -> None:
    every = records_of(made)
    assert list(every) == RECORDS
    assert {type(record) for record in every.values()} == set(Record.__subclasses__())


def test_a_record_has_what_its_class_says(record: Record) -> None:
    assert_as_annotated(record)


def test_a_record_is_frozen(record: Record) -> None:
    before = dict(record.__dict__)
    for name in (*before, "something_new"):
        with pytest.raises(AttributeError, match=f"{type(record).__name__} is frozen"):
            setattr(record, name, 1)
        with pytest.raises(AttributeError, match="frozen"):
            delattr(record, name)
    assert record.__dict__ == before


def test_a_record_survives_a_copy_and_a_pickle(record: Record) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(record, protocol))
        assert type(again) is type(record)
        assert again == record
        assert again.__dict__ == record.__dict__
        assert repr(again) == repr(record)
        assert hash(again) == hash(record)
        assert_as_annotated(again)
    assert copy.copy(record) == record
    assert copy.deepcopy(record) == record


def test_records_are_equal_by_what_they_say(record: Record) -> None:
    other = type(record).__new__(type(record))
    other.__dict__.update(record.__dict__)
    assert record == other
    assert len({record, other}) == 1
    name = next(iter(record.__dict__))
    other.__dict__[name] = "something else"
    assert record != other
    assert record != record.__dict__
    assert record is not None


@pytest.mark.parametrize(("one", "other"), [("0.10", "0.1"), ("10", "10.00"), ("100", "1E+2"), ("0", "0.00")])
def test_equal_amounts_have_equal_hashes(one: str, other: str) -> None:
    """0.10 is 0.1, so both are one element of a set."""
    costs = {Cost({"usd": amount, "credits": None}) for amount in (one, other)}
    balances = {Balance({"current_balance": amount, "currency": "USD"}) for amount in (one, other)}
    assert (len(costs), len(balances)) == (1, 1)


def test_amounts_are_exact_whatever_the_context() -> None:
    """Programs that count money set it, and it is not for us."""
    long = "0.123456789012345678901234567890123456789"
    with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact, decimal.Rounded])):
        cost = Cost({"usd": long, "credits": "107341"})
        balance = Balance({"current_balance": "999.0032015", "currency": "USD"})
    assert (cost.usd, cost.credits) == (Decimal(long), Decimal("107341"))
    assert balance.current_balance == Decimal("999.0032015")


def test_no_context_loses_what_was_paid_for() -> None:
    with canned_emulator("black-1024x1024.png") as emulator:
        with decimal.localcontext(decimal.Context(prec=3, traps=[decimal.Inexact])):
            generated = emulator.client().generate("A hat")
        assert bytes(generated.image) == BLACK
        [entry] = emulator.ledger
        assert entry.charge is not None
        assert str(generated.cost) == f"${entry.charge['usd']}"


def test_a_records_repr_is_short(record: Record) -> None:
    text = repr(record)
    assert text == repr(record)
    assert text.startswith(f"{type(record).__name__}(")
    assert_one_printable_line(text)
    assert len(text) < SHORT
    assert KEY not in text
    assert not re.search(r"[A-Za-z0-9+/]{80}", text), "it shows base64"


def test_a_recorded_request_does_not_show_its_body() -> None:
    """An edit's is megabytes of pixels, which a failing test would print."""
    with canned_emulator() as emulator:
        emulator.client().edit("A hat", image=noise_png(200, 200))
        request = next(request for request in emulator.requests if request.side == "api")
    assert request.body_len > 100_000
    assert len(repr(request)) < 2 * SHORT


def test_texts_of_records(made: Made) -> None:
    assert str(made.violation) == f"{made.violation.param}: {made.violation.message}"
    assert str(made.warning) == made.warning.message
    assert str(Cost({"usd": "0.0536705", "credits": "107341"})) == "$0.0536705"
    assert str(Cost({"usd": None, "credits": "107341"})) == "107341 credits"
    assert repr(Cost({"usd": "0.050", "credits": "100000"})) == "Cost($0.05)"
    assert repr(Cost({"usd": None, "credits": "107341"})) == "Cost(107341 credits)"
    assert repr(Balance({"current_balance": "999.0", "currency": "USD"})) == "Balance(999 USD)"
    assert repr(Balance({"current_balance": "-0.50", "currency": None})) == "Balance(-0.5)"


@pytest.mark.parametrize("amount", ["0.0000005", "10", "2000000", "0"])
def test_amounts_are_written_out(amount: str) -> None:
    """Nobody reads $5E-7, nor $1E+1."""
    assert str(Cost({"usd": amount, "credits": "1"})) == f"${amount}"
    assert str(Cost({"usd": None, "credits": amount})) == f"{amount} credits"
    balance = Balance({"current_balance": amount, "currency": "USD"})
    assert str(balance) == f"{amount} USD"
    # The number itself, too, because docs/python.md prints it.
    assert f"{balance.current_balance}" == f"{balance.current_balance:f}" == amount or amount == "0.0000005"
    assert f"{Cost({'usd': '1', 'credits': amount}).credits}" == amount or amount == "0.0000005"


# --- Generated --------------------------------------------------------------------------------------------------------


def test_generated(made: Made) -> None:
    generated = made.generated
    assert generated.image is generated.images[0] is generated[0] is next(iter(generated))
    assert len(generated) == len(generated.images) == 1
    assert generated.cost is not None
    assert isinstance(generated.cost.usd, Decimal)
    charge = made.ledger[0].charge
    assert charge is not None
    assert generated.cost.usd == Decimal(charge["usd"])
    [attempt] = generated.attempts
    assert (attempt.number, attempt.phase, attempt.charge, attempt.http_status) == (1, "stored", "charged", 200)
    assert attempt.elapsed_seconds > 0
    assert generated.client_request_id == attempt.client_request_id == made.ledger[0].client_request_id
    assert generated.inference_id == attempt.inference_id == made.ledger[0].inference_id
    assert generated.request_id == attempt.request_id
    assert generated.warnings == ()
    assert generated.response is not None
    assert generated.response["data"][0]["url"] == generated.image.url
    assert generated.created == generated.response["created"]


def test_several_pictures(made: Made) -> None:
    assert len(made.pictures) == 3
    assert list(made.pictures) == list(made.pictures.images)
    assert len({image.read() for image in made.pictures}) == 3
    assert made.pictures[-1] == made.pictures.images[2]


def test_the_kept_response_has_no_base64(made: Made) -> None:
    assert made.pictures.response is not None
    assert [item["b64_json"] for item in made.pictures.response["data"]] == [None] * 3
    assert len(json.dumps(made.pictures.response)) < 2000


# --- What openai-python has -------------------------------------------------------------------------------------------


def test_as_openai_has_it_with_links(made: Made) -> None:
    generated = made.generated
    [data] = generated.data
    assert data.url == generated.image.url
    assert data.url is not None
    assert data.url.startswith("http")
    # The bytes are here because they were fetched; the server's own response holds only a link.
    assert generated.image.location == "memory"
    assert not data.image.inline
    assert data.b64_json is None
    assert data.revised_prompt is None
    assert generated.usage is None
    assert isinstance(generated.created, int)
    expected = {"url": data.url, "b64_json": None, "revised_prompt": None}
    assert generated.to_dict()["data"] == [expected]
    assert generated.data[0].to_dict() == expected


def test_as_openai_has_it_with_base64(made: Made) -> None:
    dumped = made.pictures.model_dump()
    for image, data, item in zip(made.pictures, made.pictures.data, dumped["data"], strict=True):
        assert data.url is None
        assert data.image.inline
        assert data.b64_json is not None
        assert base64.b64decode(data.b64_json, validate=True) == image.read()
        assert item["b64_json"] == data.b64_json
    # The result itself has not grown.
    assert made.pictures.response is not None
    assert made.pictures.response["data"][0]["b64_json"] is None


def test_dumps_are_the_servers_answer(made: Made) -> None:
    generated = made.generated
    assert generated.response is not None
    assert generated.to_dict() == generated.model_dump() == generated.response
    assert generated.to_dict() is not generated.response
    assert json.loads(generated.to_json()) == json.loads(generated.model_dump_json()) == generated.response
    assert generated.to_json() == generated.model_dump_json(indent=2) == generated.to_json(indent=2)
    assert "\n" not in generated.model_dump_json()
    assert generated.model_dump_json(indent=2).startswith("{\n  ")


def answered(body: str, **options: Any) -> Generated:
    """What becomes of this answer."""
    with Emulator() as emulator:
        raw_body = {"content_type": "application/json", "content": body}
        emulator.fault(answer={"status": 200, "raw_body": raw_body})
        return emulator.client(fetch=False).generate("A hat", **options)


def encoded(picture: bytes = BLACK) -> str:
    return base64.b64encode(picture).decode("ascii")


def test_what_the_server_says_beside_the_pictures() -> None:
    generated = answered(
        '{"created": 1777474782, "usage": {"input_tokens": 10, "total_tokens": 1066}, "data": [{"b64_json": "'
        + encoded()
        + '", "revised_prompt": "Ein Hut für \\"Ada\\" 🦖", "seed": 7}], "meta": {"usage": {"usd_spent": 0.1}}}'
    )
    assert generated.created == 1777474782
    assert generated.usage == {"input_tokens": 10, "total_tokens": 1066}
    assert generated.image.revised_prompt == generated.data[0].revised_prompt == 'Ein Hut für "Ada" 🦖'
    [item] = generated.to_dict()["data"]
    assert item == {"b64_json": encoded(), "revised_prompt": 'Ein Hut für "Ada" 🦖', "seed": 7, "url": None}
    assert 'für \\"Ada\\" 🦖' in generated.to_json()
    # Everything about an image is pickled, not only its bytes.
    assert pickle.loads(pickle.dumps(generated)).image.revised_prompt == generated.image.revised_prompt


def test_a_picture_that_came_as_base64_and_as_a_link() -> None:
    generated = answered(f'{{"data": [{{"b64_json": "{encoded()}", "url": "https://example.org/a.png"}}]}}')
    assert (generated.image.location, generated.image.url) == ("memory", "https://example.org/a.png")
    assert generated.data[0].url == "https://example.org/a.png"
    assert generated.data[0].b64_json == encoded()
    assert generated.image.inline
    again = pickle.loads(pickle.dumps(generated))
    assert again.image == generated.image
    assert again.data == generated.data
    assert again.to_dict() == generated.to_dict()


def test_a_picture_in_a_file_is_not_dumped(tmp_path: Path) -> None:
    generated = answered(f'{{"data": [{{"b64_json": "{encoded()}"}}]}}', save_to=tmp_path / "hat.png")
    assert generated.image.location == "file"
    assert generated.image.inline
    assert generated.data[0].b64_json is None


@pytest.mark.parametrize(
    "nothing",
    ['{"seed": 1}', '"text"', "null", '{"b64_json": null, "url": null, "seed": 1}', '{"url": "", "seed": 1}'],
)
def test_an_entry_without_a_picture_is_left_out(nothing: str) -> None:
    """And lends its facts to no other: where there are more entries than pictures, nobody knows whose they are."""
    picture = f'{{"b64_json": "{encoded()}", "seed": 2}}'
    generated = answered(f'{{"data": [{nothing}, {picture}, {nothing}]}}')
    assert len(generated) == 1
    assert [set(item) for item in generated.to_dict()["data"]] == [{"b64_json", "revised_prompt", "url"}]
    assert generated.response is not None
    assert len(generated.response["data"]) == 3


# --- Image: facts -----------------------------------------------------------------------------------------------------


def in_memory() -> Image:
    return Image.from_bytes(BLACK)


def in_a_file() -> Image:
    return Image.from_file(FIXTURES / "black-1536x1024.png")


def at_a_url() -> Image:
    return Image.from_url("https://example.org/signed/a.png?signature=0123456789abcdef")


IMAGES: dict[str, Callable[[], Image]] = {"memory": in_memory, "file": in_a_file, "url": at_a_url}


@pytest.mark.parametrize(
    ("location", "facts"),
    [
        ("memory", ("png", 1024, 1024, None, None, len(BLACK))),
        (
            "file",
            ("png", 1536, 1024, FIXTURES / "black-1536x1024.png", None, len(fixture("black-1536x1024.png"))),
        ),
        ("url", (None, None, None, None, "https://example.org/signed/a.png?signature=0123456789abcdef", None)),
    ],
    ids=["memory", "file", "url"],
)
def test_image(location: str, facts: tuple[Any, ...]) -> None:
    image = IMAGES[location]()
    assert image.location == location
    assert (image.format, image.width, image.height, image.path, image.url, image.nbytes) == facts
    assert image.revised_prompt is None


@pytest.mark.parametrize("name", ["rgb-4x4.png", "rgb-4x4.jpg", "rgb-4x4.webp"])
def test_an_images_format_comes_from_its_bytes(name: str, tmp_path: Path) -> None:
    format = {"png": "png", "jpg": "jpeg", "webp": "webp"}[name.rpartition(".")[2]]
    lying = tmp_path / "a.gif"
    shutil.copy(FIXTURES / name, lying)
    for image in (Image.from_bytes(fixture(name)), Image.from_bytes(bytearray(fixture(name))), Image.from_file(lying)):
        assert (image.format, image.width, image.height) == (format, 4, 4)
        assert image.read() == bytes(image) == fixture(name)


def test_what_is_no_picture_is_kept_all_the_same() -> None:
    """It may have been paid for."""
    image = Image.from_bytes(b"no picture")
    assert (image.format, image.width, image.height, image.nbytes) == (None, None, None, 10)
    assert bytes(image) == b"no picture"
    assert "unknown format" in repr(image)


@pytest.mark.parametrize("location", IMAGES)
def test_an_image_is_frozen(location: str) -> None:
    image = IMAGES[location]()
    for name in ("url", "format", "path", "something_new"):
        with pytest.raises(AttributeError):
            setattr(image, name, None)
        with pytest.raises(AttributeError):
            delattr(image, name)


@pytest.mark.parametrize("location", IMAGES)
def test_an_image_survives_a_copy_and_a_pickle(location: str) -> None:
    image = IMAGES[location]()
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(image, protocol))
        assert type(again) is Image
        assert again == image
        assert hash(again) == hash(image)
        assert repr(again) == repr(image)
        for name in ("format", "width", "height", "location", "path", "url", "revised_prompt", "nbytes"):
            assert getattr(again, name) == getattr(image, name)
    assert copy.copy(image) == copy.deepcopy(image) == image


def test_images_are_equal_by_what_they_are() -> None:
    for make in IMAGES.values():
        assert make() == make()
        assert len({make(), make()}) == 1
    assert len({make() for make in IMAGES.values()}) == 3
    assert in_memory() != Image.from_bytes(PNG)
    assert in_memory() != BLACK
    assert in_memory() is not None
    # The same bytes in a file are not an equal image, because a file can change.
    assert Image.from_file(FIXTURES / "black-1024x1024.png") != in_memory()


def test_reprs_of_images() -> None:
    assert repr(in_memory()) == f"Image(png 1024x1024, {len(BLACK)} bytes in memory)"
    assert repr(in_a_file()) == f"Image(png 1536x1024, {FIXTURES / 'black-1536x1024.png'})"
    assert repr(at_a_url()) == "Image(not fetched, at example.org)"
    # A signed link gives access to the image, and a password to even more.
    assert "secret" not in repr(Image.from_url("https://user:secret@example.org/a.png"))
    assert_one_printable_line(repr(Image.from_url("https://example.org\x1b[31m\n/a.png")))
    assert len(repr(Image.from_url("https://" + "a" * 10_000))) < SHORT


def test_an_image_is_made_by_its_functions() -> None:
    with pytest.raises(TypeError):
        Image()


@pytest.mark.parametrize(
    "use",
    [bytes, memoryview, Image.read, Image.to_pil, Image.to_numpy],
    ids=["bytes", "memoryview", "read", "to_pil", "to_numpy"],
)
def test_a_picture_at_its_url_is_to_be_fetched_first(use: Callable[[Image], object]) -> None:
    with pytest.raises(gptimage.DownloadError, match="fetch it first with `client.fetch`"):
        use(at_a_url())


def test_fetching_a_picture(tmp_path: Path) -> None:
    with canned_emulator("black-1024x1024.png") as emulator:
        client = emulator.client()
        left = client.generate("A hat", fetch=False).image
        assert left.location == "url"
        fetched = client.fetch(left)
        again = client.fetch(pickle.loads(pickle.dumps(left)))
        assert left.url is not None
        by_link = client.fetch(left.url, save_to=tmp_path / "hat.png")
        assert emulator.charges == 1
    assert (fetched.location, by_link.location, by_link.path) == ("memory", "file", tmp_path / "hat.png")
    assert fetched == again
    assert fetched.url == by_link.url == left.url
    assert bytes(fetched) == bytes(by_link) == (tmp_path / "hat.png").read_bytes() == BLACK


# --- Image: bytes without a copy --------------------------------------------------------------------------------------


def address(buffer: Any) -> int:
    """Where a buffer's bytes are. NumPy takes every buffer; its types do not know."""
    where: int = numpy.frombuffer(buffer, "uint8").__array_interface__["data"][0]
    return where


def test_the_buffer_is_where_the_bytes_are() -> None:
    """Twice the same address: neither view is a copy."""
    image = in_memory()
    first, second = memoryview(image), memoryview(image)
    assert (first.format, first.itemsize, first.ndim, first.nbytes) == ("B", 1, 1, image.nbytes)
    assert first.contiguous
    assert address(image) == address(image)
    both = numpy.frombuffer(first, "uint8"), numpy.frombuffer(second, "uint8")
    assert numpy.shares_memory(*both)
    assert first == second == BLACK


def test_the_buffer_is_read_only() -> None:
    view = memoryview(in_memory())
    assert view.readonly
    with pytest.raises(TypeError):
        view[0] = 0
    assert not numpy.frombuffer(view, "uint8").flags.writeable
    with pytest.raises((TypeError, BufferError)):
        (ctypes.c_char * 8).from_buffer(in_memory())


def test_the_buffer_keeps_the_picture_alive() -> None:
    content = noise_png(400, 400)
    image = Image.from_bytes(content)
    where, view = address(image), memoryview(image)
    del image
    gc.collect()
    # If the memory had been freed, these new objects would take its place.
    others = [Image.from_bytes(bytes(len(content))) for _ in range(20)]
    assert view == content
    assert ctypes.string_at(where, 8) == content[:8]
    assert all(address(other) != where for other in others)


def test_a_view_of_a_file_is_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    view = memoryview(Image.from_file(path))
    path.unlink()
    gc.collect()
    assert view == PNG
    assert view.readonly


def test_whatever_takes_bytes_takes_an_image() -> None:
    image = in_memory()
    assert hashlib.sha256(image).digest() == hashlib.sha256(BLACK).digest()
    assert io.BytesIO(image).getvalue() == b"".join([image]) == bytearray(image) == BLACK
    assert base64.b64decode(base64.b64encode(image)) == BLACK
    out = io.BytesIO()
    assert out.write(image) == len(BLACK)


def test_bytes_of_an_image(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    image = Image.from_file(path)
    assert bytes(image) == image.read() == PNG
    path.unlink()
    with pytest.raises(LocalIOError, match="no such file") as missing:
        image.read()
    assert missing.value.errno == errno.ENOENT
    assert isinstance(missing.value.__cause__, FileNotFoundError)


# --- Image: pixels ----------------------------------------------------------------------------------------------------


def written(picture: Pil.Image, format: str = "PNG") -> Image:
    out = io.BytesIO()
    picture.save(out, format)
    return Image.from_bytes(out.getvalue())


def levels(*shape: int) -> numpy.ndarray[Any, numpy.dtype[numpy.uint8]]:
    count = int(numpy.prod(shape))
    return (numpy.arange(count) * 37 % 256).astype(numpy.uint8).reshape(shape)


PIXELS = {"gray": levels(5, 7), "RGB": levels(5, 7, 3), "RGBA": levels(5, 7, 4)}


@pytest.mark.parametrize("kind", PIXELS)
def test_to_pil(kind: str) -> None:
    picture = written(Pil.fromarray(PIXELS[kind])).to_pil()
    assert isinstance(picture, Pil.Image)
    assert (picture.format, picture.size) == ("PNG", (7, 5))
    assert numpy.array_equal(numpy.asarray(picture), PIXELS[kind])


def test_to_pil_has_the_pixels_already() -> None:
    """Pillow reads them when they are first asked for; a picture that is cut is to be told of here."""
    picture = written(Pil.fromarray(PIXELS["RGB"])).to_pil()
    assert picture.getpixel((1, 2)) == tuple(PIXELS["RGB"][2, 1])
    with pytest.raises(OSError, match="truncated"):
        Image.from_bytes(noise_png(50, 50)[:1000]).to_pil()


@pytest.mark.parametrize("kind", PIXELS)
def test_to_numpy(kind: str) -> None:
    pixels = written(Pil.fromarray(PIXELS[kind])).to_numpy()
    assert pixels.dtype == numpy.uint8
    assert numpy.array_equal(pixels, PIXELS[kind])
    assert not pixels.flags.writeable
    assert pixels.copy().flags.writeable


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("black-1024x1024.png", (1024, 1024)),
        ("rgb-4x4.jpg", (4, 4, 3)),
        ("rgb-4x4.webp", (4, 4, 3)),
        ("palette-4x4.png", (4, 4, 3)),
        ("palette-trns-4x4.png", (4, 4, 4)),
        ("gray-alpha-4x4.png", (4, 4, 4)),
        ("rgba16-4x4.png", (4, 4, 4)),
        ("rgb-trns-4x4.png", (4, 4, 4)),
        ("gray-trns-4x4.png", (4, 4, 4)),
        ("interlaced-4x4.png", (4, 4, 4)),
    ],
)
def test_to_numpy_of_every_kind_of_file(name: str, shape: tuple[int, ...]) -> None:
    """Gray, RGB or RGBA, nothing else; what is transparent in the file is so in the array."""
    pixels = Image.from_bytes(fixture(name)).to_numpy()
    assert pixels.dtype == numpy.uint8
    mode = "L" if len(shape) == 2 else {3: "RGB", 4: "RGBA"}[shape[2]]
    assert pixels.shape == shape
    assert numpy.array_equal(pixels, numpy.asarray(Pil.open(io.BytesIO(fixture(name))).convert(mode)))


def test_to_numpy_of_16_bits_of_gray() -> None:
    """To 8 bits, not cut off at 255."""
    sixteen = numpy.array([[0, 300, 32768, 65535]], dtype="uint16")
    pixels = written(Pil.fromarray(sixteen)).to_numpy()
    brightness = pixels[..., 0] if pixels.ndim == 3 else pixels
    assert numpy.abs(brightness.astype(float) - sixteen / 257).max() <= 1


def test_what_is_no_picture_has_no_pixels() -> None:
    for use in (Image.to_pil, Image.to_numpy):
        with pytest.raises(OSError, match="cannot identify"):
            use(Image.from_bytes(b"no picture"))


def test_numpy_asarray_gives_the_files_bytes() -> None:
    """NumPy prefers the buffer protocol to any other, and the buffer is the file; pixels have names of their own."""
    image = written(Pil.fromarray(PIXELS["RGB"]))
    for seen in (numpy.asarray(image), numpy.array(image)):
        assert seen.dtype == numpy.uint8
        assert seen.shape == (image.nbytes,)
        assert seen.tobytes() == bytes(image)
    assert numpy.shares_memory(numpy.asarray(image), numpy.frombuffer(memoryview(image), "uint8"))
    for pixels in (image.to_numpy(), image.__array__()):
        assert numpy.array_equal(pixels, PIXELS["RGB"])


def test_the_array_protocol() -> None:
    image = written(Pil.fromarray(PIXELS["RGB"]))
    assert numpy.array_equal(image.__array__(), PIXELS["RGB"])
    assert image.__array__(numpy.dtype("float32")).dtype == numpy.float32
    assert image.__array__(dtype="uint16", copy=True).dtype == numpy.uint16
    with pytest.raises(ValueError, match="copy"):
        image.__array__(copy=False)


def test_a_copy_that_was_asked_for_is_the_callers() -> None:
    """`numpy.array(…)` asks with copy=True, and hands out what it gets."""
    copied = written(Pil.fromarray(PIXELS["RGB"])).__array__(copy=True)
    assert copied.flags.writeable
    copied[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("hidden", "use", "advice"),
    [
        ("PIL", Image.to_pil, "pip install pillow"),
        ("PIL", Image.to_numpy, "pip install pillow"),
        ("numpy", Image.to_numpy, "pip install numpy"),
    ],
)
def test_without_pillow_or_numpy(
    hidden: str, use: Callable[[Image], object], advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, hidden, None)
    with pytest.raises(ImportError, match=advice):
        use(in_memory())


# --- Image: save ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("location", ["memory", "file"])
@pytest.mark.parametrize("kind", ["Path", "str"])
def test_save(location: str, kind: str, tmp_path: Path) -> None:
    image = IMAGES[location]()
    target = tmp_path / "hat.png"
    path = image.save(target if kind == "Path" else str(target))
    assert path == target
    assert isinstance(path, type(target))
    assert path.read_bytes() == image.read()
    assert list(tmp_path.iterdir()) == [target]


def test_save_to_a_folder(tmp_path: Path) -> None:
    """It takes a name of our making, and another one each time."""
    paths = [in_memory().save(tmp_path), in_memory().save(f"{tmp_path}/"), in_memory().save(tmp_path)]
    assert len(set(paths)) == 3
    assert {path.parent for path in paths} == {tmp_path}
    assert {path.suffix for path in paths} == {".png"}
    assert all(path.read_bytes() == BLACK for path in paths)


@pytest.mark.parametrize("name", ["rgb-4x4.png", "rgb-4x4.jpg", "rgb-4x4.webp"])
def test_a_missing_extension_is_added(name: str, tmp_path: Path) -> None:
    saved = Image.from_bytes(fixture(name)).save(tmp_path / "hat")
    assert saved == tmp_path / name.replace("rgb-4x4", "hat")


def test_what_exists_is_not_overwritten_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "hat.png"
    path.write_bytes(b"precious")
    for target in (path, tmp_path / "hat"):
        with pytest.raises(LocalIOError, match="exists; choose another name or allow overwriting") as refused:
            in_memory().save(target)
        assert isinstance(refused.value, OSError)
        assert (refused.value.kind, refused.value.charge) == ("io", "not_charged")
    assert path.read_bytes() == b"precious"
    assert in_memory().save(path, overwrite=True) == path
    assert path.read_bytes() == BLACK
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("target", ["missing/hat.png", "missing/"])
def test_a_missing_folder_is_named(target: str, tmp_path: Path) -> None:
    with pytest.raises(LocalIOError, match="missing") as refused:
        in_memory().save(f"{tmp_path}/{target}")
    assert "create it first" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_overwrite_is_a_keyword(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        in_memory().save(tmp_path / "hat.png", True)  # type: ignore[call-arg]


def test_save_to_beside_a_request(tmp_path: Path) -> None:
    with canned_emulator("black-1024x1024.png") as emulator:
        client = emulator.client()
        one = client.generate("A hat", save_to=tmp_path / "hat.png")
        several = client.edit("A hat", image=PNG, n=3, save_to=tmp_path / "hats")
        existing = tmp_path / "hat.png"
        with pytest.raises(LocalIOError, match="exists") as refused:
            client.generate("A hat", save_to=existing)
        assert refused.value.charge == "not_charged"
        assert emulator.charges == 2, "what exists is refused before anything is sent"
        again = client.generate("A hat", save_to=existing, overwrite=True)
    assert one.image.path == again.image.path == existing
    assert {image.path for image in several} == {tmp_path / f"hats-{index}.png" for index in (1, 2, 3)}
    for generated in (one, several, again):
        assert all(image.location == "file" and image.read() == BLACK for image in generated)
        assert pickle.loads(pickle.dumps(generated)) == generated


# --- Notebooks --------------------------------------------------------------------------------------------------------

# The size that a cell adds to a notebook's file: two previews in base64, and text.
MOST = 2 * 4 * (160 << 10) // 3 + 4000


def shown(bundle: dict[str, Any]) -> Pil.Image:
    """The preview, after a look at what stands around it."""
    assert bundle.keys() == {"text/plain", "text/html", "image/png"}
    assert sum(len(value) for value in bundle.values()) <= MOST
    preview = Pil.open(io.BytesIO(base64.b64decode(bundle["image/png"], validate=True)))
    preview.load()
    assert preview.format == "PNG"
    # The HTML holds the same image, in the same size.
    assert bundle["image/png"] in bundle["text/html"]
    assert f'width="{preview.width}" height="{preview.height}"' in bundle["text/html"]
    assert len(bundle["text/plain"]) < SHORT
    return preview


def test_one_picture_in_a_notebook(made: Made) -> None:
    bundle = made.generated._repr_mimebundle_()
    preview = shown(bundle)
    assert max(preview.size) <= 512
    assert preview.width == preview.height
    assert bundle["text/plain"] == repr(made.generated)
    assert made.generated.cost is not None
    caption = f"1024×1024 png · {made.generated.cost}"
    assert "<figcaption" in bundle["text/html"]
    assert f">{caption}</figcaption>" in bundle["text/html"]
    assert f'alt="{caption}"' in bundle["text/html"]


def test_a_gallery_in_a_notebook(made: Made) -> None:
    bundle = made.pictures._repr_mimebundle_()
    preview = shown(bundle)
    assert preview.width > 3 * preview.height * 0.9
    assert f"3 pictures · 1024×1024 webp each · {made.pictures.cost}" in bundle["text/html"]


def test_the_preview_shows_the_picture() -> None:
    """Small pictures as they are, large ones smaller, and the right way up."""
    small = levels(5, 7, 4)
    small[..., 3] = 255
    preview = shown(written(Pil.fromarray(small))._repr_mimebundle_())
    assert numpy.array_equal(numpy.asarray(preview.convert("RGBA")), small)
    large = numpy.zeros((1000, 2000, 3), "uint8")
    large[:500, :1000] = (255, 0, 0)
    preview = shown(written(Pil.fromarray(large))._repr_mimebundle_()).convert("RGB")
    assert preview.size == (512, 256)
    assert preview.getpixel((10, 10)) == (255, 0, 0)
    assert preview.getpixel((500, 250)) == (0, 0, 0)


@pytest.mark.parametrize("count", [1, 3, 10])
def test_noise_does_not_swell_a_notebook(count: int) -> None:
    """What cannot be compressed is shown smaller instead."""
    with Emulator(canned=noise_png(600, 600), keep_bodies=0) as emulator:
        generated = emulator.client().edit("A hat", image=PNG, n=count)
    preview = shown(generated._repr_mimebundle_())
    assert min(preview.size) >= 100
    shown(generated.image._repr_mimebundle_())


@pytest.mark.parametrize("location", ["memory", "file"])
def test_an_image_in_a_notebook(location: str) -> None:
    image = IMAGES[location]()
    bundle = image._repr_mimebundle_()
    shown(bundle)
    assert bundle["text/plain"] == repr(image)
    assert f">{image.width}×{image.height} png</figcaption>" in bundle["text/html"]


def test_a_mask_in_a_notebook() -> None:
    mask = Mask.from_boxes((1024, 1024), [(0, 0, 1024, 300)])
    bundle = mask._repr_mimebundle_()
    preview = shown(bundle)
    assert repr(mask) == bundle["text/plain"] == "Mask(1024x1024, 29.3 % editable)"
    assert "29.3 % editable</figcaption>" in bundle["text/html"]
    drawn = numpy.asarray(preview.convert("RGBA"))
    edge = round(preview.height * 300 / 1024)
    # Squares of two grays, each half of the area, as drawing programs show transparency.
    squares, counts = numpy.unique(drawn[: edge - 1].reshape(-1, 4), axis=0, return_counts=True)
    assert len(squares) == 2
    assert all(red == green == blue > 100 and alpha == 255 for red, green, blue, alpha in squares)
    assert counts.max() < 0.6 * counts.sum()
    assert numpy.array_equal(numpy.unique(drawn[edge + 1 :].reshape(-1, 4), axis=0), [[0, 0, 0, 255]])


def test_what_cannot_be_shown_is_said(made: Made) -> None:
    """A picture at its url, a picture that is none, a file that is gone: words in place of a picture, and no error."""
    bundles = [
        made.at_url._repr_mimebundle_(),
        at_a_url()._repr_mimebundle_(),
        Image.from_bytes(b"no picture")._repr_mimebundle_(),
        Image.from_file("nowhere.png")._repr_mimebundle_(),
    ]
    for bundle in bundles:
        assert bundle.keys() == {"text/plain", "text/html"}
    assert "client.fetch(image)" in bundles[0]["text/html"]
    assert str(made.at_url.cost) in bundles[0]["text/html"]
    assert "client.fetch(image)" in bundles[1]["text/html"]
    assert "unknown" in bundles[2]["text/html"]


def test_a_gallery_leaves_out_what_it_does_not_have() -> None:
    with canned_emulator("black-1024x1024.png") as emulator:
        emulator.fault(cdn={"status": 404})
        with pytest.raises(gptimage.DownloadError) as failed:
            emulator.client(timers={"url_not_found": 0}).edit("A hat", image=PNG, n=2)
    generated = failed.value.generated
    assert generated is not None
    assert {image.location for image in generated} == {"url", "memory"}
    bundle = generated._repr_mimebundle_()
    shown(bundle)
    assert "2 pictures" in bundle["text/html"]


def test_warnings_are_shown_as_text() -> None:
    """Whatever the server wrote into them."""
    body = f'{{"data": [{{"b64_json": "{encoded()}"}}], "meta": {{"usage": {{"usd_spent": "<script>x</script>"}}}}}}'
    bundle = answered(body)._repr_mimebundle_()
    assert "<script>" not in bundle["text/html"]
    assert "&lt;script&gt;" in bundle["text/html"]
    shown(bundle)


def test_a_notebook_may_ask_for_less(made: Made) -> None:
    """IPython calls it so."""
    for thing in (made.generated, made.generated.image, Mask.from_boxes((4, 4), [(0, 0, 1, 1)])):
        assert "image/png" in thing._repr_mimebundle_(include=None, exclude=None)


# --- Errors -----------------------------------------------------------------------------------------------------------

CLASSES = {
    name: cls
    for name, cls in vars(exceptions).items()
    if isinstance(cls, type) and issubclass(cls, GptImageError)
}
FIELDS = {
    "kind",
    "number",
    "charge",
    "http_status",
    "violations",
    "retry_after",
    "vendor_says_free",
    "timed_out",
    "attempts",
    "generated",
    "response_body",
    "response_file",
    "response_bytes",
    "task_id",
}


def of_class(cls: type[GptImageError], made: Made) -> GptImageError:
    """An error of this class with every field set."""
    error = cls("What to do next")
    error.__dict__.update(
        kind="rate_limited",
        number=26,
        charge="charged",
        http_status=429,
        violations=(made.violation,),
        retry_after=1.5,
        vendor_says_free=True,
        timed_out=True,
        attempts=(*made.generated.attempts, *made.failure.attempts),
        generated=made.generated,
        response_body="{}",
        response_file="/pictures/hat.answer.json",
        response_bytes=b"{}",
        task_id="task-1",
    )
    return error


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_survives_a_pickle(name: str, made: Made) -> None:
    error = of_class(CLASSES[name], made)
    error.add_note("gptimage: a note")
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is CLASSES[name]
        assert (str(again), again.args, again.message) == (str(error), error.args, error.message)
        for field in FIELDS:
            assert getattr(again, field) == getattr(error, field), field
        assert again.__notes__ == ["gptimage: a note"]
        assert (again.client_request_id, again.inference_id, again.cost) == (
            error.client_request_id,
            error.inference_id,
            error.cost,
        )
    shallow = copy.copy(error)
    assert (type(shallow), vars(shallow)) == (type(error), vars(error))


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_is_documented_and_says_what_it_has(name: str) -> None:
    """What core gives is what the base annotates, and classes of a caller's own making have sane defaults."""
    assert CLASSES[name].__doc__
    hand_made = CLASSES[name]("text")
    assert (str(hand_made), hand_made.message) == ("text", "text")
    for field in FIELDS:
        assert hasattr(hand_made, field)
    assert (hand_made.client_request_id, hand_made.inference_id, hand_made.cost) == (None, None, None)
    assert CLASSES[name]().message == ""


def test_an_errors_fields_are_those_of_the_base(made: Made) -> None:
    assert vars(made.failure).keys() == FIELDS == GptImageError.__annotations__.keys()


def test_a_failure(made: Made) -> None:
    error = made.failure
    assert (error.kind, error.http_status, error.retry_after) == ("server", 503, 2.0)
    assert isinstance(error, gptimage.InternalServerError)
    assert error.status_code == 503
    assert (error.charge, error.vendor_says_free, error.timed_out) == ("unknown", True, False)
    [attempt] = error.attempts
    assert error.client_request_id == attempt.client_request_id == made.ledger[-1].client_request_id
    assert error.inference_id == attempt.inference_id
    assert KEY not in repr(error) + str(error) + repr(vars(error))


def test_a_picture_that_was_paid_for_comes_with_its_error() -> None:
    with canned_emulator("black-1024x1024.png") as emulator:
        client = emulator.client(timers={"url_not_found": 0})
        emulator.fault(cdn={"status": 404})
        with pytest.raises(gptimage.DownloadError) as failed:
            client.generate("A hat")
        error = pickle.loads(pickle.dumps(failed.value))
        assert error.generated == failed.value.generated
        assert error.charge == "charged"
        assert error.cost == error.generated.cost
        # Another process can fetch it.
        assert bytes(client.fetch(error.generated.image)) == BLACK
        assert emulator.charges == 1


def test_an_errno_survives_a_pickle(tmp_path: Path) -> None:
    """It is how an `except OSError` tells what happened, in another process too."""
    with pytest.raises(LocalIOError) as missing:
        Image.from_file(tmp_path / "nowhere.png").read()
    taken = tmp_path / "hat.png"
    taken.touch()
    with pytest.raises(LocalIOError) as existing:
        in_memory().save(taken)
    for error, number in ((missing.value, errno.ENOENT), (existing.value, errno.EEXIST)):
        assert error.errno == number
        again = pickle.loads(pickle.dumps(error))
        assert (again.errno, str(again), vars(again)) == (number, str(error), vars(error))
        assert copy.copy(error).errno == number


def test_what_lies_underneath_is_the_cause(tmp_path: Path) -> None:
    with pytest.raises(LocalIOError) as missing:
        Image.from_file(tmp_path / "nowhere.png").read()
    cause = missing.value.__cause__
    assert isinstance(cause, FileNotFoundError)
    assert cause.errno == errno.ENOENT
    # Python itself adds the number.
    assert "os error" not in str(cause)


def test_what_lies_underneath_a_lost_connection_is_the_cause() -> None:
    with Emulator() as emulator:
        gone = emulator.client(max_attempts=1)
    with pytest.raises(gptimage.APIConnectionError) as refused:
        gone.generate("A hat")
    cause = refused.value.__cause__
    assert isinstance(cause, ConnectionRefusedError)
    assert cause.errno == errno.ECONNREFUSED
    assert "os error" not in str(cause)
    # Whether to retry is decided by the error's own class, not by its cause.
    assert not isinstance(refused.value, ConnectionError)


def test_a_client_is_not_kept_by_its_results() -> None:
    """Results outlive the client, and the emulator."""
    with canned_emulator("black-1024x1024.png") as emulator:
        client: Client | None = emulator.client()
        assert client is not None
        generated = client.generate("A hat")
        client.close()
    client = None
    gc.collect()
    assert bytes(generated.image) == BLACK


def test_image_data_shows_its_picture_shortly(made: Made) -> None:
    for generated in (made.generated, made.pictures):
        for image, data in zip(generated, generated.data, strict=True):
            assert isinstance(data, ImageData)
            assert repr(data) == f"ImageData(image={image!r})"
