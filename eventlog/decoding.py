"""Compiles, for an event class, the function that turns stored dicts back into attributes.

Generated as source for the reason given in ``encoding``: a projector decodes every event.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, get_args
from uuid import UUID

from eventlog.hints import (
    PERSONAL,
    hints_of,
    is_personal,
    naming,
    parts_of,
    plain_defaults,
    stored_fields,
    subset_of,
    tuple_item,
    without_none,
)
from eventlog.source import Source
from eventlog.values import to_instance, to_subset, to_uuid

_AS_STORED = (str, int, bool, float)
_CONVERTERS: dict[object, Callable[[Any], Any]] = {
    UUID: to_uuid,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Decimal: Decimal,
}

Decode = Callable[[UUID, int, dict[str, Any]], dict[str, Any]]


def compile_decoder(cls: type[Any]) -> Decode:
    """A function from (stream id, version, stored dict) to the attributes of an event.

    Raises UnsupportedHintError when a field's hint has no stored form. The function raises
    KeyError, TypeError, ValueError or AttributeError when the dict is no stored form of the class.
    A field that is missing from the dict is None where its hint allows None; in a nested value it
    has its default, where that is a plain one, so that a value may gain such fields.
    """
    source = Source()
    items = ["'originator_id': stream_id", "'originator_version': version"]
    for name, stored, hint in stored_fields(cls):
        holder = "personal" if is_personal(hint) else "state"
        with naming(cls, name):
            items.append(f"{name!r}: {_decoded_item(source, hint, holder, stored)}")
    body = f"personal = state.get({PERSONAL!r}, {{}})\nreturn {{{', '.join(items)}}}\n"
    return source.function("stream_id, version, state", body)


def _decoded_item(source: Source, hint: object, holder: str, key: str) -> str:
    _, optional = without_none(hint)
    return _decoded(source, hint, f"{holder}.get({key!r})" if optional else f"{holder}[{key!r}]")


def _decoded(source: Source, hint: object, value: str) -> str:
    present, optional = without_none(hint)
    if is_personal(present):
        present = get_args(present)[0]
    if present in _AS_STORED:
        return value
    if not optional:
        return _decoded_present(source, present, value)
    local = source.new_local()
    expression = _decoded_present(source, present, local)
    return f"(None if ({local} := {value}) is None else {expression})"


def _decoded_present(source: Source, hint: object, value: str) -> str:
    if hint in _CONVERTERS:
        return f"{source.name_of(_CONVERTERS[hint])}({value})"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return f"{source.name_of({str(member): member for member in hint})}[{value}]"
    if (item := tuple_item(hint)) is not None:
        return f"tuple(map({source.name_of(_converter(item))}, {value}))"
    if (whole := subset_of(hint)) is not None:
        converters = {name: _converter(part) for name, part in hints_of(whole).items()}
        return f"{source.name_of(to_subset)}({value}, {source.name_of(converters)})"
    return _decoded_instance(source, hint, value)


def _decoded_instance(source: Source, hint: object, value: str) -> str:
    holder = source.new_local()
    parts = parts_of(hint)
    defaults = plain_defaults(hint)
    items = [
        f"{name!r}: {holder}.get({name!r}, {source.name_of(defaults[name])})"
        if name in defaults
        else f"{name!r}: {_decoded_item(source, part, holder, name)}"
        for name, part in parts.items()
    ]
    state, made = f"{{{', '.join(items)}}}", source.name_of(hint)
    if getattr(hint, "__dictoffset__", 0):
        made = f"{source.name_of(to_instance)}({made}, {state})"
    else:
        made = f"{made}(**{state})"
    # The holder is evaluated once, for all items, before any of them.
    return f"(({holder} := {value}), {made})[1]"


def _converter(hint: object) -> Callable[[Any], Any]:
    source = Source()
    expression = _decoded(source, hint, "value")
    return source.function("value", f"return {expression}\n")
