"""What a call yields."""

from __future__ import annotations

from gptimage.records import Attempt, Cost, Record, Warning, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from gptimage._core import Image


class Generated(Record):
    """The pictures of one call, what they cost, and how they came. Frozen and picklable.

    As the last line of a notebook's cell it is the picture, or a small gallery, with its size and price.

    >>> generated = client.generate("A T-Rex relaxing on a beach")
    >>> generated.image.save("t-rex.png")
    >>> print(generated.cost)
    """

    def __init__(self, facts: Mapping[str, Any]) -> None:
        cost = facts["cost"]
        super().__init__(
            {
                "images": tuple(facts["images"]),
                "cost": Cost(cost) if isinstance(cost, dict) else cost,
                "created": facts["created"],
                "usage": facts["usage"],
                "client_request_id": facts["client_request_id"],
                "inference_id": facts["inference_id"],
                "request_id": facts["request_id"],
                "warnings": _restored(Warning, facts["warnings"]),
                "attempts": _restored(Attempt, facts["attempts"]),
                "response": facts["response"],
            }
        )

    images: tuple[Image, ...]
    """The pictures, in the server's order."""
    cost: Cost | None
    """The exact price, where the server states it."""
    created: int | None
    """When the pictures were made, in seconds since 1970, where the server says so."""
    usage: dict[str, Any] | None
    """Token counts, where the server states them."""
    client_request_id: str | None
    """The id that we gave the successful attempt."""
    inference_id: str | None
    """The vendor's id of the work, where stated."""
    request_id: str | None
    """The vendor's id of the HTTP request, where stated."""
    warnings: tuple[Warning, ...]
    """What is odd about this success."""
    attempts: tuple[Attempt, ...]
    """Every attempt, the successful one last."""
    response: dict[str, Any] | None
    """The server's answer with every key it had; `None` stands where a picture's base64 was."""

    @property
    def image(self) -> Image:
        """The first picture."""
        return self.images[0]

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
        from gptimage._notebook import generated_bundle

        return generated_bundle(self)

    # What openai-python's results have.

    @property
    def data(self) -> list[ImageData]:
        """The pictures as openai-python has them: `.data[0].url`, `.data[0].b64_json`."""
        return [ImageData({"image": image}) for image in self.images]

    def to_dict(self) -> dict[str, Any]:
        """The server's answer, with the base64 of pictures that came so."""
        response = dict(self.response or {})
        response["data"] = [
            {**(item if isinstance(item, dict) else {}), **picture.to_dict()}
            for item, picture in zip(self._items(response), self.data, strict=True)
        ]
        return response

    def _items(self, response: dict[str, Any]) -> list[Any]:
        items = response.get("data")
        items = items if isinstance(items, list) else []
        return (items + [None] * len(self.images))[: len(self.images)]

    def to_json(self, *, indent: int | None = 2) -> str:
        """`to_dict` as JSON."""
        import json

        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def model_dump(self, *, mode: str = "python") -> dict[str, Any]:
        """As `to_dict`."""
        return self.to_dict()

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """As `to_json`."""
        return self.to_json(indent=indent)


class ImageData(Record):
    """A picture as openai-python has it."""

    image: Image
    """The picture itself."""

    @property
    def url(self) -> str | None:
        """The link that the server gave."""
        return self.image.url

    @property
    def b64_json(self) -> str | None:
        """The bytes as base64, of a picture that came so and is in memory."""
        if self.image.url is not None or self.image.location != "memory":
            return None
        from base64 import b64encode

        return b64encode(self.image).decode("ascii")

    @property
    def revised_prompt(self) -> str | None:
        """The prompt as the model rewrote it, where the server says so."""
        return self.image.revised_prompt

    def to_dict(self) -> dict[str, Any]:
        """As in the server's answer."""
        return {"b64_json": self.b64_json, "revised_prompt": self.revised_prompt, "url": self.url}


def _restored(kind: type[Any], items: Any) -> tuple[Any, ...]:
    """Core's facts, or what `pickle` has kept of them."""
    return items if isinstance(items, tuple) else records(kind, items)
