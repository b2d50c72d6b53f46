"""The result of a call."""

from __future__ import annotations

from gptimage.records import Attempt, Cost, Record, Warning, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from gptimage._core import Image


class Generated(Record):
    """The result of a call: the images, their cost and the attempts. Immutable and picklable.

    A notebook shows it as a preview of the image, or as a small gallery, with size and price.

    >>> generated = client.generate("A T-Rex relaxing on a beach")
    >>> generated.image.save("t-rex.png")
    >>> print(generated.cost)
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        cost = fields["cost"]
        super().__init__(
            {
                "images": tuple(fields["images"]),
                "cost": Cost(cost) if isinstance(cost, dict) else cost,
                "created": fields["created"],
                "usage": fields["usage"],
                "client_request_id": fields["client_request_id"],
                "inference_id": fields["inference_id"],
                "request_id": fields["request_id"],
                "warnings": _restored(Warning, fields["warnings"]),
                "attempts": _restored(Attempt, fields["attempts"]),
                "response": fields["response"],
            }
        )

    images: tuple[Image, ...]
    """The images, in the server's order."""
    cost: Cost | None
    """The exact price, if the server stated it."""
    created: int | None
    """The creation time in seconds since 1970, if the server stated it."""
    usage: dict[str, Any] | None
    """Token counts, if the server stated them."""
    client_request_id: str | None
    """The client request id of the successful attempt."""
    inference_id: str | None
    """The vendor's id of the inference, if stated."""
    request_id: str | None
    """The vendor's id of the HTTP request, if stated."""
    warnings: tuple[Warning, ...]
    """Warnings about the result."""
    attempts: tuple[Attempt, ...]
    """All attempts, the successful one last."""
    response: dict[str, Any] | None
    """The server's response with all keys. Base64 of images is replaced by `None`."""

    @property
    def image(self) -> Image:
        """The first image. Raises IndexError if there is none, as in some errors' `generated`."""
        if not self.images:
            raise IndexError("no picture came with this answer")
        return self.images[0]

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Image]:
        return iter(self.images)

    def __getitem__(self, index: int) -> Image:
        return self.images[index]

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self.images))
        return f"Generated([{shown}], cost={self.cost}, client_request_id={self.client_request_id!r})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from gptimage import _notebook

        notes = "" if self.cost is None else f" · {self.cost}"
        notes += "".join(f"\n{warning}" for warning in self.warnings)
        return _notebook.images_bundle(self.images, repr(self), notes)

    def _as_input(self) -> Image:
        return self.image

    # The methods of openai-python's results.

    @property
    def data(self) -> list[ImageData]:
        """The images as in openai-python: `.data[0].url`, `.data[0].b64_json`."""
        return [ImageData({"image": image}) for image in self.images]

    def to_dict(self) -> dict[str, Any]:
        """Returns the server's response, with the base64 of images that came as base64."""
        response = dict(self.response or {})
        items = response.get("data")
        # Further fields of each image, if the response's items can be matched with the images.
        said = items if isinstance(items, list) and len(items) == len(self.images) else [{}] * len(self.images)
        response["data"] = [
            {**(item if isinstance(item, dict) else {}), **picture.to_dict()}
            for item, picture in zip(said, self.data, strict=True)
        ]
        return response

    def to_json(self, *, indent: int | None = 2) -> str:
        """Returns `to_dict` as JSON."""
        return _json(self.to_dict(), indent)

    def model_dump(self, *, mode: str = "python", exclude_none: bool = False) -> dict[str, Any]:
        """Like `to_dict`."""
        dumped: dict[str, Any] = _without_none(self.to_dict()) if exclude_none else self.to_dict()
        return dumped

    def model_dump_json(self, *, indent: int | None = None, exclude_none: bool = False) -> str:
        """Like `to_json`."""
        return _json(self.model_dump(exclude_none=exclude_none), indent)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


def _json(value: object, indent: int | None) -> str:
    import json

    return json.dumps(value, indent=indent, ensure_ascii=False)


class ImageData(Record):
    """An image as in openai-python."""

    image: Image
    """The image itself."""

    @property
    def url(self) -> str | None:
        """The URL that the server gave."""
        return self.image.url

    @property
    def b64_json(self) -> str | None:
        """The bytes as base64, if the image came as base64 and is in memory."""
        if not self.image.inline or self.image.location != "memory":
            return None
        from base64 import b64encode

        return b64encode(self.image).decode("ascii")

    @property
    def revised_prompt(self) -> str | None:
        """The prompt as rewritten by the model, if the server stated it."""
        return self.image.revised_prompt

    def to_dict(self) -> dict[str, Any]:
        """Returns the image as in the server's response."""
        return {"b64_json": self.b64_json, "revised_prompt": self.revised_prompt, "url": self.url}


def _restored(kind: type[Any], items: Any) -> tuple[Any, ...]:
    """Creates records from core's fields; restored objects are returned as they are."""
    return items if isinstance(items, tuple) else records(kind, items)
