"""Compiles, for an event class, the function that turns its events into JSON-ready dicts.

The functions are generated as source, once per class, the way ``dataclasses`` writes ``__init__``:
walking over the hints for each field of each event would cost more than all the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from eventlog.hints import (
    PERSONAL,
    UnsupportedHintError,
    hints_of,
    is_personal,
    naming,
    parts_of,
    stored_fields,
    subset_of,
    tuple_item,
    without_none,
)
from eventlog.source import Source
from eventlog.values import finite, to_subset, to_utc

# Types whose values msgspec itself writes in the form that is stored.
_NATIVE = (str, int, bool, date, UUID, StrEnum)

Encode = Callable[[Any], dict[str, Any]]


def compile_encoder(cls: type[Any]) -> Encode:
    """A function from an event of this class to the dict that is stored as JSON.

    Raises UnsupportedHintError when a field's hint has no stored form. The function raises
    ValueError or TypeError for values that cannot be stored.
    """
    source = Source()
    facts, personal = [], []
    for name, stored, hint in stored_fields(cls):
        if is_personal(hint):
            personal.append(f"{stored!r}: event.{name}")
            continue
        with naming(cls, name):
            facts.append(f"{stored!r}: {_encoded(source, hint, f'event.{name}')}")
    body = f"state = {{{', '.join(facts)}}}\n{_encode_personal(personal)}return state\n"
    return source.function("event", body)


def _encode_personal(items: list[str]) -> str:
    if not items:
        return ""
    return (
        f"personal = {{k: v for k, v in {{{', '.join(items)}}}.items() if v is not None}}\n"
        f"if personal:\n    state[{PERSONAL!r}] = personal\n"
    )


def _encoded(source: Source, hint: object, value: str) -> str:
    present, optional = without_none(hint)
    if _is_native(present):
        return value
    expression = _encoded_present(source, present, value)
    return f"(None if {value} is None else {expression})" if optional else expression


def _encoded_present(source: Source, hint: object, value: str) -> str:
    if hint is float:
        return f"{source.name_of(finite)}({value})"
    if hint is Decimal:
        return f"str({value})"
    if hint is datetime:
        in_utc = f"{value}.tzinfo is {source.name_of(UTC)}"
        return f"({value} if {in_utc} else {source.name_of(to_utc)}({value}))"
    if (item := tuple_item(hint)) is not None:
        return f"list(map({source.name_of(_converter(item))}, {value}))"
    if (whole := subset_of(hint)) is not None:
        converters = {name: _converter(part) for name, part in hints_of(whole).items()}
        return f"{source.name_of(to_subset)}({value}, {source.name_of(converters)})"
    parts = parts_of(hint).items()
    items = [f"{n!r}: {_encoded(source, part, f'{value}.{n}')}" for n, part in parts]
    return f"{{{', '.join(items)}}}"


def _converter(hint: object) -> Callable[[Any], Any]:
    source = Source()
    return source.function("value", f"return {_encoded(source, hint, 'value')}")


def _is_native(hint: object) -> bool:
    if is_personal(hint):
        # Inside a nested value it would be stored among the facts and could not be erased.
        raise UnsupportedHintError(hint)
    present, _ = without_none(hint)
    if (item := tuple_item(present)) is not None:
        return _is_native(item)
    return isinstance(present, type) and present is not datetime and issubclass(present, _NATIVE)
