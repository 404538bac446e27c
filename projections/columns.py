"""The SQL columns of a row class."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from projections.row import Row
from projections.table import SumTable

DOCUMENTS = "jsonb"
TEXTS = "text[]"

_SQL_TYPES: dict[object, str] = {
    UUID: "uuid",
    str: "text",
    int: "bigint",
    float: "double precision",
    bool: "boolean",
    date: "date",
    datetime: "timestamp with time zone",
    Decimal: "numeric",
    tuple[str, ...]: TEXTS,
}


class UnsupportedColumnError(TypeError):
    """A field's type has no column type."""

    def __init__(self, name: str, hint: object) -> None:
        super().__init__(f"{name}: {hint!r} has no column type")
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its SQL type, and whether it may be null."""

    name: str
    sql_type: str
    nullable: bool = False

    @property
    def shown_type(self) -> str:
        """The type as PostgreSQL's own catalog shows it."""
        return "ARRAY" if self.sql_type == TEXTS else self.sql_type


def columns_of(row: type[Row]) -> tuple[Column, ...]:
    """Return the columns of a row class, in order. Raises `UnsupportedColumnError`."""
    hints = get_type_hints(row)
    return tuple(column(name, hints[name]) for name in row.__struct_fields__)


def summary_columns(summary: SumTable) -> tuple[Column, ...]:
    """Return the columns of a summary, in order. Raises `UnsupportedColumnError`."""
    keys = (column(name, kind) for name, kind in summary.key.items())
    return (*keys, *(column(name, int) for name in summary.amounts))


def column(name: str, hint: object) -> Column:
    """Return the column for a field of this type. Raises `UnsupportedColumnError`."""
    kinds: tuple[object, ...] = (hint,)
    if get_origin(hint) in {Union, types.UnionType}:
        kinds = tuple(kind for kind in get_args(hint) if kind is not types.NoneType)
    sql_type = _sql_type(kinds[0]) if len(kinds) == 1 else None
    if sql_type is None:
        raise UnsupportedColumnError(name, hint)
    return Column(name, sql_type, nullable=kinds[0] is not hint)


def _sql_type(kind: object) -> str | None:
    match get_args(kind):
        case (part, more) if get_origin(kind) is tuple and more is ... and _is_row(part):
            return DOCUMENTS
    return _SQL_TYPES.get(kind)


def _is_row(part: object) -> bool:
    return isinstance(part, type) and issubclass(part, Row)


def row_maker(row: type[Row]) -> Callable[..., Any]:
    """Return a function from the values of the columns, as the driver gives them, to a row."""
    readers = dict(_readers(row))
    if not readers:
        return row

    def make(*values: Any) -> Any:
        converted = list(values)
        for index, read in readers.items():
            converted[index] = read(values[index])
        return row(*converted)

    return make


def partial_row_maker(row: type[Row], names: Sequence[str]) -> Callable[..., Any]:
    """Return the same for some of the columns, in this order; the others are none or empty."""
    make, columns = row_maker(row), columns_of(row)
    places = [row.__struct_fields__.index(name) for name in names]
    blank: list[Any] = [[] if column.sql_type in {DOCUMENTS, TEXTS} else None for column in columns]

    def make_some(*values: Any) -> Any:
        whole: list[Any] = blank.copy()
        for place, value in zip(places, values, strict=True):
            whole[place] = value
        return make(*whole)

    return make_some


def _readers(row: type[Row]) -> Iterator[tuple[int, Callable[[Any], Any]]]:
    hints = get_type_hints(row)
    for index, found in enumerate(columns_of(row)):
        if found.sql_type == TEXTS:
            yield index, lambda texts: None if texts is None else tuple(texts)
        elif found.sql_type == DOCUMENTS:
            yield index, partial(msgspec.convert, type=hints[found.name])
