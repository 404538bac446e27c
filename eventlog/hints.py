"""What the type hints of an event class say about its stored form."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

PERSONAL = "personal"

_COLUMNS = frozenset({"originator_id", "originator_version"})
_STORED_NAMES = {"timestamp": "recorded_at"}


class UnsupportedHintError(TypeError):
    """A field's type hint has no stored form."""

    def __init__(self, hint: object) -> None:
        super().__init__(f"{hint!r} has no stored form")
        self.hint = hint


@contextmanager
def naming(cls: type[Any], field: str) -> Iterator[None]:
    """Adds the field's name to an UnsupportedHintError that passes through."""
    try:
        yield
    except UnsupportedHintError as error:
        error.add_note(f"in field {field} of {cls.__qualname__}")
        raise


def hints_of(cls: type[Any]) -> dict[str, object]:
    """The dataclass's fields and their hints, in order."""
    hints = get_type_hints(cls, include_extras=True)
    return {field.name: hints[field.name] for field in fields(cls)}


def stored_fields(cls: type[Any]) -> list[tuple[str, str, object]]:
    """Name, stored name and hint of each field of an event that is in its stored JSON."""
    hints = hints_of(cls).items()
    return [(n, _STORED_NAMES.get(n, n), hint) for n, hint in hints if n not in _COLUMNS]


def without_none(hint: object) -> tuple[object, bool]:
    """The hint without its ``| None``, and whether it had one."""
    if get_origin(hint) not in {Union, types.UnionType}:
        return hint, False
    members = [member for member in get_args(hint) if member is not types.NoneType]
    if len(members) != 1:
        raise UnsupportedHintError(hint)
    return members[0], True


def is_personal(hint: object) -> bool:
    """Whether a field of this hint holds text about a person, stored apart from the facts."""
    hint, _ = without_none(hint)
    return get_origin(hint) is Annotated and PERSONAL in get_args(hint)[1:]


@cache
def personal_fields(cls: type[Any]) -> tuple[str, ...]:
    """The names of an event's fields that hold text about a person."""
    return tuple(name for name, hint in hints_of(cls).items() if is_personal(hint))


def tuple_item(hint: object) -> object | None:
    """The T of ``tuple[T, ...]``; None for any other hint."""
    match get_origin(hint), get_args(hint):
        case origin, (item, end) if origin is tuple and end is Ellipsis:
            found: object = item
            return found
    return None


def subset_of(hint: object) -> type[Any] | None:
    """The D of ``Annotated[dict[str, object], D]``: some of D's fields; None for other hints."""
    if get_origin(hint) is not Annotated:
        return None
    values, *rest = get_args(hint)
    if get_origin(values) is dict and rest and is_dataclass(rest[0]) and isinstance(rest[0], type):
        return rest[0]
    return None


def plain_defaults(cls: Any) -> dict[str, object]:
    """The defaults of a dataclass's fields that are stored as they are."""
    return {f.name: f.default for f in fields(cls) if type(f.default) in {bool, int, str}}


def parts_of(hint: object) -> dict[str, object]:
    """Fields and hints of a nested dataclass; UnsupportedHintError when the hint is none."""
    if not (isinstance(hint, type) and is_dataclass(hint)):
        raise UnsupportedHintError(hint)
    return hints_of(hint)
