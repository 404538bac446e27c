"""Compiles, for an event class, what turns its stored JSON back into attributes.

msgspec reads the JSON into a struct of the class's stored fields, each of its type. What is left
to do is generated as source for the reason given in ``encoding``: a projector decodes every event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any, Union
from uuid import UUID

import msgspec

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
from eventlog.sealing import SEALED
from eventlog.source import Source
from eventlog.values import to_instance, to_subset

_AS_STORED = (str, int, bool, float)
_READ_BY_MSGSPEC = (UUID, datetime, date, Decimal)

MakeEvent = Callable[[UUID, int, Any, Mapping[str, str]], Any]
Make = Callable[[Any], Any]
Field = tuple[str, Any] | tuple[str, Any, Any]
"""Name, type and default of a field of a stored form."""


def stored_form(cls: type[Any]) -> type[msgspec.Struct]:
    """The struct that the stored JSON of an event of this class is read into.

    Raises UnsupportedHintError when a field's hint has no stored form. A field that is missing from
    the JSON is None where its hint allows None; in a nested value it has its default, where that
    is a plain one, so that a value may gain such fields.
    """
    fields: list[Field] = [
        (PERSONAL, dict[str, Any], msgspec.field(default_factory=dict)),
        (SEALED, dict[str, Any] | None, None),
    ]
    for name, stored, hint in stored_fields(cls):
        with naming(cls, name):
            if not is_personal(hint):
                fields.append(_field(stored, hint, {}))
    return _struct(cls, fields)


def compile_event(cls: type[Any]) -> MakeEvent:
    """A function from stream id, version, stored form and personal text to an event.

    The checks of the class are not run. It raises KeyError, TypeError, ValueError or AttributeError
    where the values are not of the class.
    """
    source = Source()
    items = ["'originator_id': stream_id", "'originator_version': version"]
    for name, stored, hint in stored_fields(cls):
        with naming(cls, name):
            items.append(f"{name!r}: {_attribute(source, hint, stored)}")
    # What a frozen class refuses to an assignment, the descriptor of its attributes takes.
    holder = next(base for base in cls.__mro__ if "__dict__" in vars(base))
    assign = source.name_of(vars(holder)["__dict__"].__set__)
    new, made = source.name_of(object.__new__), source.name_of(cls)
    body = f"made = {new}({made})\n{assign}(made, {{{', '.join(items)}}})\nreturn made"
    return source.function("stream_id, version, stored, personal", body)


def _attribute(source: Source, hint: object, stored: str) -> str:
    if not is_personal(hint):
        return _finished(source, hint, f"stored.{stored}")
    _, optional = without_none(hint)
    return f"personal.get({stored!r})" if optional else f"personal[{stored!r}]"


def _field(name: str, hint: object, defaults: Mapping[str, object]) -> Field:
    kind, (_, optional) = _kind(hint), without_none(hint)
    if name in defaults:
        return name, kind, defaults[name]
    return (name, kind, None) if optional else (name, kind)


def _struct(cls: type[Any], fields: list[Field]) -> type[msgspec.Struct]:
    return msgspec.defstruct(cls.__name__, fields, kw_only=True, gc=False)


def _kind(hint: object) -> Any:
    """The type as which msgspec reads the stored form of a value."""
    present, optional = without_none(hint)
    kind = _kind_of_present(present)
    return Union[kind, None] if optional else kind  # noqa: UP007  # of types known only here


def _kind_of_present(hint: object) -> Any:
    if hint in _AS_STORED or is_personal(hint):
        return Any
    if _is_read_by_msgspec(hint) or _is_plain(hint):
        return hint
    if (item := tuple_item(hint)) is not None:
        return tuple[_kind(item), ...]  # type: ignore[misc]  # of a type known only here
    if subset_of(hint) is not None:
        return dict[str, Any]
    parts, defaults = parts_of(hint), plain_defaults(hint)
    fields = [_field(name, part, defaults) for name, part in parts.items()]
    return _struct(hint, fields)  # type: ignore[arg-type]  # it has parts, so it is a dataclass


def _finished(source: Source, hint: object, value: str) -> str:
    """An expression that makes of what msgspec read what the event holds."""
    present, optional = without_none(hint)
    make = _maker(present)
    if make is None:
        return value
    if not optional:
        return f"{source.name_of(make)}({value})"
    local = source.new_local()
    return f"(None if ({local} := {value}) is None else {source.name_of(make)}({local}))"


def _maker(hint: object) -> Make | None:
    """What makes a value of what msgspec read; None where that is the value."""
    if hint in _AS_STORED or is_personal(hint) or _is_read_by_msgspec(hint) or _is_plain(hint):
        return None
    if (item := tuple_item(hint)) is not None:
        of_item = _converter(item)
        return None if of_item is None else lambda items: tuple(map(of_item, items))
    if (whole := subset_of(hint)) is not None:
        readers = {name: _reader(part) for name, part in hints_of(whole).items()}
        return lambda values: to_subset(values, readers)
    return _instance_maker(hint)


def _is_read_by_msgspec(hint: object) -> bool:
    return hint in _READ_BY_MSGSPEC or (isinstance(hint, type) and issubclass(hint, StrEnum))


def _is_plain(hint: object) -> bool:
    """Whether msgspec itself makes the dataclass that is stored: texts and no checks."""
    if not is_dataclass(hint) or hasattr(hint, "__post_init__"):
        return False
    defaults = {field.name: field.default for field in fields(hint)}
    return all(
        part is str or (without_none(part) == (str, True) and defaults[name] is None)
        for name, part in parts_of(hint).items()
    )


def _converter(hint: object) -> Make | None:
    source = Source()
    expression = _finished(source, hint, "value")
    return None if expression == "value" else source.function("value", f"return {expression}")


def _reader(hint: object) -> Make:
    """What makes a value of its JSON."""
    convert, finish = partial(msgspec.convert, type=_kind(hint)), _converter(hint)
    return convert if finish is None else lambda value: finish(convert(value))


def _instance_maker(hint: object) -> Make:
    """What makes a dataclass of its stored form, without running the class's checks again."""
    source = Source()
    made = source.name_of(hint)
    parts = {
        name: _finished(source, part, f"stored.{name}") for name, part in parts_of(hint).items()
    }
    if getattr(hint, "__dictoffset__", 0):
        items = ", ".join(f"{name!r}: {value}" for name, value in parts.items())
        return source.function(
            "stored", f"return {source.name_of(to_instance)}({made}, {{{items}}})"
        )
    assigned = "".join(
        f"{source.name_of(getattr(hint, name).__set__)}(made, {value})\n"
        for name, value in parts.items()
    )
    new = f"{source.name_of(object.__new__)}({made})"
    return source.function("stored", f"made = {new}\n{assigned}return made")
