"""The conversions that generated code calls: between values of an event and values of its JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TypeVar
from uuid import UUID

from psycopg import adapters
from psycopg.adapt import Transformer
from psycopg.pq import Format

T = TypeVar("T")


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC; raises ValueError when it has no zone and so names no moment."""
    if moment.tzinfo is None:
        message = f"{moment.isoformat()} has no time zone"
        raise ValueError(message)
    return moment.astimezone(UTC)


def finite(number: float) -> float:
    """The number itself; raises ValueError for those that JSON cannot hold."""
    if not isfinite(number):
        message = f"{number} cannot be stored"
        raise ValueError(message)
    return number


# Several times as fast as UUID's own constructor, and projectors make millions.
_load_uuid = Transformer().get_loader(adapters.types["uuid"].oid, Format.TEXT).load


def to_uuid(text: str) -> UUID:
    """The UUID of its text; raises ValueError when it is none."""
    result: UUID = _load_uuid(text.encode())
    return result


def to_instance(cls: type[T], state: dict[str, Any]) -> T:
    """An instance with these attributes, made without running the class's checks again."""
    instance = object.__new__(cls)
    object.__setattr__(instance, "__dict__", state)
    return instance


def to_subset(
    values: Mapping[str, Any], converters: Mapping[str, Callable[[Any], Any]]
) -> dict[str, Any]:
    """Some of a dataclass's fields, each through its converter; KeyError for any other name."""
    return {name: converters[name](value) for name, value in values.items()}
