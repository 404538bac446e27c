"""How answers are described. They are never dumped through these: a test holds them together."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any, TypeVar

from marshmallow import RAISE, Schema, fields, validate

Field = TypeVar("Field", bound="fields.Field[Any]")


class Shape(Schema):
    """An object in an answer, with these fields and no others."""

    class Meta:  # noqa: D106  # marshmallow's place for options
        unknown = RAISE


def given(kind: type[Field], note: str | None = None, **options: Any) -> Field:
    """Return a field that is always there and never null."""
    return kind(required=True, metadata=_note(note), **options)


def nullable(kind: type[Field], note: str | None = None, **options: Any) -> Field:
    """Return a field that is always there and may be null."""
    return kind(required=True, allow_none=True, metadata=_note(note), **options)


def looked_up(kind: type[Field], note: str | None = None) -> Field:
    """Return a field that belongs to another resource: in reads alone, null when that is gone."""
    return kind(allow_none=True, metadata=_note(note))


def word(words: Iterable[str]) -> fields.String:
    """Return a field that is one of `words`."""
    return fields.String(required=True, validate=validate.OneOf([str(w) for w in words]))


def word_or_null(words: Iterable[str]) -> fields.String:
    """Return a field that is one of `words`, or null."""
    choice = validate.OneOf([str(w) for w in words])
    return fields.String(required=True, allow_none=True, validate=choice)


def part(shape: type[Schema]) -> fields.Nested:
    """Return a field that is an object of `shape`."""
    return fields.Nested(shape, required=True)


def shown(shape: type[Schema], name: str, **beside: type[Schema]) -> type[Schema]:
    """Return the shape of what a read shows: some fields of `shape`, and what is `beside` it."""
    some = {key: copy(field) for key, field in shape().declared_fields.items()}
    for field in some.values():
        field.required = False
    included = {key: fields.Nested(one, allow_none=True) for key, one in beside.items()}
    return Shape.from_dict({**some, **included}, name=name)


def listed(shape: type[Schema], name: str) -> type[Schema]:
    """Return the shape of a list of `shape`."""
    return Shape.from_dict(
        {
            "items": fields.List(fields.Nested(shape), required=True),
            "total": nullable(
                fields.Integer,
                "How many there are on all pages; null where they were too many to count unasked.",
            ),
            "next": nullable(fields.String, "Path and query of the next page, null on the last."),
        },
        name=name,
    )


def _note(note: str | None) -> dict[str, str]:
    return {} if note is None else {"description": note}
