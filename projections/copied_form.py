"""Rows in the binary form of COPY, for which the database parses nothing.

What writes a row of a table is generated as source, once: to look up for each value how its type is
written would take most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from struct import Struct
from typing import Any

import msgspec
from psycopg.types.numeric import DecimalBinaryDumper

from eventlog.source import Source
from projections.columns import DOCUMENTS, TEXTS, Column

_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_MOST_REMEMBERED = 100_000

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXT_OID = 25

_count_of_fields = Struct(">h").pack
_length = Struct(">i").pack
_whole_number = Struct(">iq").pack
_float = Struct(">id").pack
_day = Struct(">ii").pack
_yes_or_no = Struct(">i?").pack
_list_of_texts = Struct(">5i").pack
_empty_list = Struct(">3i").pack
_to_numeric = DecimalBinaryDumper(Decimal).dump


class UnwritableRowError(ValueError):
    """A row has a value that its column cannot take."""


class _Remembered(dict[Any, bytes]):
    """The forms of values that come again and again, each made once; bounded."""

    def __init__(self, form: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, value: Any) -> bytes:
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        made = self[value] = _NULL if value is None else self._form(value)
        return made


def _of_text(text: str) -> bytes:
    return _with_length(text.encode())


def _of_moment(moment: datetime) -> bytes:
    return _whole_number(8, (moment - _EPOCH) // _MICROSECOND)


def _of_day(day: date) -> bytes:
    return _day(4, day.toordinal() - _EPOCH.toordinal())


def _of_documents(documents: Sequence[Any]) -> bytes:
    return _with_length(b"\1" + msgspec.json.encode(documents)) if documents else _NO_DOCUMENTS


def _of_texts(texts: Sequence[str]) -> bytes:
    if not texts:
        return _with_length(_empty_list(0, 0, _TEXT_OID))
    head = _list_of_texts(1, 0, _TEXT_OID, len(texts), 1)
    return _with_length(head + b"".join(map(_of_text, texts)))


def _of_numeric(number: Decimal) -> bytes:
    return _with_length(bytes(_to_numeric(number) or b""))


def _with_length(form: bytes) -> bytes:
    return _length(len(form)) + form


_NO_DOCUMENTS = _with_length(b"\1[]")

# Values that are equal have the same form there, which is not so of -0.0 and 0.0, or 1.0 and 1.00.
_REMEMBERED = {
    "text": _Remembered(_of_text),
    "bigint": _Remembered(lambda number: _whole_number(8, number)),
    "boolean": _Remembered(lambda is_so: _yes_or_no(1, is_so)),
    "date": _Remembered(_of_day),
    "timestamp with time zone": _Remembered(_of_moment),
}
_MADE = {
    "numeric": _of_numeric,
    DOCUMENTS: _of_documents,
    TEXTS: _of_texts,
}
_EXPRESSIONS = {
    "uuid": (_length(16), "{constant} + {value}.int.to_bytes(16)"),
    "double precision": (_float, "{constant}(8, {value})"),
}


def row_writer(columns: Mapping[str, Column]) -> Callable[[Any], bytes]:
    """Return what writes one item as a row; `columns` has the expressions for them, in order.

    An expression tells a value of `item`, such as `item.name`.
    """
    source = Source()
    fields = [source.name_of(_count_of_fields(len(columns)))]
    fields += [_field(source, column, value) for value, column in columns.items()]
    return source.function("item", f"return {source.name_of(b''.join)}(({', '.join(fields)}))")


def _field(source: Source, column: Column, value: str) -> str:
    kind = column.sql_type
    if kind in _REMEMBERED:
        return f"{source.name_of(_REMEMBERED[kind])}[{value}]"
    local = source.new_local() if column.nullable else value
    if kind in _MADE:
        present = f"{source.name_of(_MADE[kind])}({local})"
    else:
        constant, expression = _EXPRESSIONS[kind]
        present = expression.format(constant=source.name_of(constant), value=local)
    if not column.nullable:
        return present
    return f"({source.name_of(_NULL)} if ({local} := {value}) is None else {present})"


def copied_form(write: Callable[[Any], bytes], items: Iterable[Any]) -> bytes:
    """Return what COPY takes for the rows of these items. Raises `UnwritableRowError`."""
    try:
        return b"".join([_BEGIN, *map(write, items), _END])
    except Exception as error:  # whatever it is, the row cannot be stored
        raise UnwritableRowError(f"{type(error).__name__}: {error}") from error
