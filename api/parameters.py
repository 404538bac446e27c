"""Query parameters: text in the URL, and the values they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from marshmallow import fields, validate

from api.fields import Body, Choice, Identifier, Percent, Text, Whole
from projections.keyset import Order

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
MAX_CURSOR_LENGTH = 2_000
MAX_SEARCH_LENGTH = 200
MAX_VALUES = 50
MAX_ORDERS = 4

# A parameter that is not there is None; one that is there never is.
ABSENT: dict[str, Any] = {"load_default": lambda: None, "allow_none": False}

_DIGITS = re.compile(r"-?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,3}(\.\d{1,2})?", re.ASCII)
_NO_WORD = re.compile(r"[\W_]+")


class WholeParameter(Whole):
    """A whole number, written in digits."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not isinstance(value, str) or not _DIGITS.fullmatch(value):
            raise self.make_error("invalid")
        return int(value)


class FlagParameter(fields.Boolean):
    """`true` or `false`, written out."""

    default_error_messages = {"invalid": "must be true or false"}  # noqa: RUF012  # as marshmallow has it

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value not in {"true", "false"}:
            raise self.make_error("invalid")
        return bool(value == "true")


class PercentParameter(Percent):
    """0 to 100, written with two decimals at most."""

    default_error_messages = Percent.default_error_messages | {
        "invalid": "must be a number with two decimals at most"
    }

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise self.make_error("invalid")
        return float(value)


class SeveralParameter(fields.List[str]):
    """Several of a few words: the parameter repeated, or its values separated by commas."""

    has_commas = True

    def __init__(self, words: Iterable[str], **options: Any) -> None:
        """Take any of `words`."""
        super().__init__(Choice(words), **options)


class IdsParameter(fields.List[Any]):
    """Several UUIDs: the parameter repeated, or its values separated by commas."""

    has_commas = True

    def __init__(self, **options: Any) -> None:
        """Take a few."""
        super().__init__(Identifier(), validate=_FEW, **options)


class TextsParameter(fields.List[str]):
    """Several texts: the parameter repeated. A comma is part of a text."""

    has_commas = False

    def __init__(self, most: int, **options: Any) -> None:
        """Take a few, of `most` characters each at most."""
        super().__init__(Text(most), validate=_FEW, **options)


_FEW = validate.Length(max=MAX_VALUES, error=f"must be at most {MAX_VALUES} values")


class SearchParameter(Text):
    """Words, each of which must begin a word of what is searched; returned as a tsquery."""

    default_error_messages = {"wordless": "must contain a letter or a digit"}  # noqa: RUF012  # as marshmallow has it

    def __init__(self, about: str) -> None:
        """Take words to look for in `about`."""
        note = f"Words that must all be found in {about}, or the beginnings of such words."
        super().__init__(MAX_SEARCH_LENGTH, **ABSENT, metadata={"description": note})

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        words = _NO_WORD.sub(" ", super()._deserialize(value)).lower().split()
        if not words:
            raise self.make_error("wordless")
        return " & ".join(f"'{word}':*" for word in words)


class SeparatedParameter(SeveralParameter):
    """Several of a few words, each of which counts once, described as separated by commas."""

    is_separated = True

    def __init__(self, words: Iterable[str], description: str, **options: Any) -> None:
        """Take any of `words`, one at least."""
        metadata = {"description": description, "minItems": 1, **options.pop("metadata", {})}
        super().__init__(words, **ABSENT, metadata=metadata, **options)

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> Any:
        return list(dict.fromkeys(super()._deserialize(value, *rest, **options)))


class SortParameter(SeparatedParameter):
    """Several orders; with `-` in front one is descending."""

    def __init__(self, names: Iterable[str], default: str) -> None:
        """Take some of `names`; `default` stands for none in the description."""
        super().__init__(
            [sign + name for name in names for sign in ("", "-")],
            "The orders, the first one first; with `-` in front it is descending.",
            metadata={"example": [default]},
            validate=validate.Length(max=MAX_ORDERS, error=f"must be at most {MAX_ORDERS} orders"),
        )

    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> Any:
        orders: dict[str, Order] = {}
        for word in super()._deserialize(value, *rest, **options):
            name = word.removeprefix("-")
            orders.setdefault(name, Order(name, descending=word.startswith("-")))
        return list(orders.values())


class NoParameters(Body):
    """An endpoint that takes none."""


class ListParameters(Body):
    """What every list takes."""

    limit = WholeParameter(
        1,
        MAX_LIMIT,
        **ABSENT,
        metadata={
            "description": (
                f"The most items to answer with, {DEFAULT_LIMIT} where nothing is said; as CSV or"
                " NDJSON all of them."
            )
        },
    )
    cursor = Text(
        MAX_CURSOR_LENGTH,
        **ABSENT,
        metadata={"description": "Where to go on, taken from `next` of the page before."},
    )
    format = Choice(
        ("json", "csv", "ndjson"),
        **ABSENT,
        metadata={"description": "How to write it down, whatever `Accept` says."},
    )
    total = Choice(
        ("exact",),
        **ABSENT,
        metadata={
            "description": "Count what no table of counts knows, however many there are: that"
            " takes the longer the more match."
        },
    )


def sorting(names: Iterable[str], default: str) -> Choice:
    """Return the parameter `sort` over the orders `names`, each also descending."""
    words = [sign + name for name in names for sign in ("", "-")]
    described = {"description": "The order; with `-` in front it is descending."}
    return Choice(words, load_default=default, metadata=described)
