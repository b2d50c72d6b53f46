"""Checks a record against its class: every annotated name exists, with a value of the annotated type."""

from __future__ import annotations

import collections.abc
import types
import typing
from decimal import Decimal
from typing import Any, Literal, Union

import gptimage._types
from gptimage import Image
from gptimage.generated import Generated
from gptimage.records import Record

# Names that the modules import for type checkers only.
_NAMES: dict[str, Any] = {
    **vars(gptimage._types),
    "Any": Any,
    "Literal": Literal,
    "Decimal": Decimal,
    "Image": Image,
    "Generated": Generated,
}


def annotated(cls: type) -> dict[str, Any]:
    """The names that a class's body annotates, with their types."""
    hints = typing.get_type_hints(cls, localns=_NAMES)
    return {name: hint for name, hint in hints.items() if name in cls.__dict__.get("__annotations__", {})}


def assert_as_annotated(record: Record) -> None:
    """Both ways: what is there is annotated, and what is annotated is there."""
    hints = annotated(type(record))
    assert hints, f"{type(record).__name__} says nothing of what it has"
    assert record.__dict__.keys() == hints.keys()
    for name, hint in hints.items():
        value = record.__dict__[name]
        assert fits(value, hint), f"{type(record).__name__}.{name} is {value!r}, annotated is {hint}"


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type, as far as records use types."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if hint is None or hint is type(None):
        return value is None
    if origin in (Union, types.UnionType):
        return any(fits(value, arg) for arg in args)
    if origin is Literal:
        return value in args
    if origin is tuple and args[-1] is Ellipsis:
        return isinstance(value, tuple) and all(fits(item, args[0]) for item in value)
    if origin is tuple:
        pairs = zip(value, args, strict=True) if isinstance(value, tuple) else ()
        return isinstance(value, tuple) and all(fits(item, arg) for item, arg in pairs)
    if origin is list:
        return isinstance(value, list) and all(fits(item, args[0]) for item in value)
    if origin in (dict, collections.abc.Mapping):
        return isinstance(value, dict) and all(fits(key, args[0]) for key in value)
    # In Python every bool is an int; here it is not.
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
