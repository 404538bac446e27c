"""Input values, strictly: each field takes one JSON type and says its rule in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, fields, validate

UUID_PATTERN = "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
DAY_PATTERN = r"\d{4}-\d{2}-\d{2}"
MONEY_PATTERN = r"\d{1,12}(\.\d{1,4})?"

_UUID = re.compile(UUID_PATTERN, re.ASCII)
_DAY = re.compile(DAY_PATTERN, re.ASCII)
_MONEY = re.compile(MONEY_PATTERN, re.ASCII)
_MOMENT = re.compile(
    DAY_PATTERN + r"[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)

_RULES: dict[str, Any] = {"required": "is required", "null": "must not be null"}


class Body(Schema):
    """What a request says; fields that are not known are refused by name."""

    class Meta:  # noqa: D106  # marshmallow's place for options
        unknown = RAISE

    error_messages = {  # noqa: RUF012  # marshmallow reads it from the class
        "unknown": "is not known here",
        "type": "must be a JSON object",
    }


class Text(fields.String):
    """Text of `most` characters at most, that is not blank."""

    default_error_messages = _RULES | {
        "invalid": "must be text",
        "blank": "must not be empty",
        "nul": "must not contain the NUL character",
    }

    def __init__(self, most: int, **options: Any) -> None:
        """Take text of `most` characters at most."""
        rule = validate.Length(min=1, max=most, error=f"must be at most {most} characters long")
        super().__init__(validate=rule, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if not value.strip():
            raise self.make_error("blank")
        if "\x00" in value:
            raise self.make_error("nul")
        return value


class Choice(fields.String):
    """One of a few words."""

    default_error_messages = _RULES | {"invalid": "must be one of {words}"}

    def __init__(self, words: Iterable[str], **options: Any) -> None:
        """Take one of `words`, and return it as it stands there."""
        self.words = {str(word): word for word in words}
        super().__init__(validate=validate.OneOf(list(self.words)), **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise self.make_error("invalid", words=", ".join(self.words))
        return self.words[value]


class Whole(fields.Integer):
    """A whole number within bounds."""

    default_error_messages = _RULES | {"invalid": "must be a whole number"}

    def __init__(self, least: int, most: int, **options: Any) -> None:
        """Take a whole number from `least` to `most`."""
        error = f"must be a whole number from {least} to {most}"
        super().__init__(validate=validate.Range(min=least, max=most, error=error), **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid")
        return value


class Number(fields.Float):
    """A number within bounds."""

    default_error_messages = _RULES | {"invalid": "must be a number"}

    def __init__(self, least: float, most: float, **options: Any) -> None:
        """Take a number from `least` to `most`."""
        error = f"must be {least} to {most}"
        super().__init__(validate=validate.Range(min=least, max=most, error=error), **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        try:
            return float(value)
        except OverflowError:
            raise self.make_error("invalid") from None


class Percent(Number):
    """0 to 100, with two decimals at most."""

    def __init__(self, **options: Any) -> None:
        """Take a percentage."""
        super().__init__(0, 100, **options)


class Flag(fields.Boolean):
    """`true` or `false`, and nothing that merely looks like it."""

    default_error_messages = _RULES | {"invalid": "must be true or false"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Identifier(fields.UUID):
    """A UUID in its usual form."""

    default_error_messages = _RULES | {"invalid": "must be a UUID"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> UUID:
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise self.make_error("invalid")
        return UUID(value)


class Day(fields.Date):
    """A date as `2026-11-23`."""

    default_error_messages = _RULES | {"invalid": "must be a date as YYYY-MM-DD"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise self.make_error("invalid")
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise self.make_error("invalid") from None


class Moment(fields.DateTime):
    """A time with its zone (RFC 3339), returned in UTC."""

    default_error_messages = _RULES | {
        "invalid": "must be a time with its zone as 2026-11-23T09:00:00Z (RFC 3339)"
    }

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise self.make_error("invalid")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None


class Money(fields.String):
    """An amount as a decimal string."""

    default_error_messages = _RULES | {
        "invalid": 'must be a decimal string as "1250.00", with four decimals at most'
    }

    def __init__(self, **options: Any) -> None:
        """Take an amount, and return it as a `Decimal`."""
        described = {"pattern": f"^{MONEY_PATTERN}$"} | options.pop("metadata", {})
        super().__init__(metadata=described, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if not isinstance(value, str) or not _MONEY.fullmatch(value):
            raise self.make_error("invalid")
        return Decimal(value)


class Texts(fields.List[str]):
    """A list of texts."""

    default_error_messages = _RULES | {"invalid": "must be a list"}

    def __init__(self, each: Text, most: int, **options: Any) -> None:
        """Take `most` texts at most, each as `each` says."""
        rule = validate.Length(max=most, error=f"must be at most {most}")
        super().__init__(each, validate=rule, **options)


class Part(fields.Nested):
    """An object within the body."""

    default_error_messages = _RULES | {"type": "must be a JSON object"}
