"""CSV (RFC 4180) that spreadsheets take for what it is: text is never run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from marshmallow import Schema, fields
from msgspec.structs import asdict

from api.selection import Document, Selection

# What makes spreadsheets take a cell for a formula (OWASP, CSV injection).
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_SEPARATOR = "; "

Line = Document | Mapping[str, Any]


def columns_of(shape: type[Schema], selection: Selection) -> list[str]:
    """Return the columns of the selected fields; parts of an object are named as `part.field`."""
    declared = shape().fields
    names: list[str] = []
    for name in (*selection.fields, *selection.includes):
        field = declared[name]
        parts = field.schema.fields if isinstance(field, fields.Nested) else None
        names += [name] if parts is None else [f"{name}.{part}" for part in _plain(parts)]
    return names


def csv_lines(batches: Iterator[Sequence[Line]], columns: Sequence[str]) -> Iterator[bytes]:
    """Yield a line with the names of the columns, and one for each document."""
    buffer = io.StringIO()
    # Text is quoted and numbers are not, so that a separator of another country's is safe too.
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(columns)
    for batch in batches:
        for document in batch:
            flat = dict(_flat(document))
            writer.writerow([_cell(flat.get(name)) for name in columns])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _plain(parts: Mapping[str, Any]) -> list[str]:
    return [name for name, field in parts.items() if not isinstance(field, fields.Nested)]


def _flat(line: Line) -> Iterator[tuple[str, Any]]:
    for name, given in _parts(line).items():
        value = msgspec.json.decode(given) if isinstance(given, msgspec.Raw) else given
        if isinstance(value, Document):
            value = asdict(value)
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        else:
            yield name, value


def _parts(line: Line) -> Mapping[str, Any]:
    return asdict(line) if isinstance(line, Document) else line


def _cell(value: object) -> object:  # noqa: PLR0911  # one case a kind
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return value
        case str():
            return _harmless(value)
        case list() | tuple():
            return _harmless(_SEPARATOR.join(str(part) for part in value))
        case date():
            return msgspec.json.encode(value).decode().strip('"')
    return str(value)


def _harmless(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(_RISKY) else text
