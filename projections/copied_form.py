"""Rows in the binary form of COPY, for which the database parses nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

import msgspec
import psycopg
from psycopg.copy import FileWriter
from psycopg.types.json import set_json_dumps

from eventlog.pool import Connection
from projections.columns import TEXTS, Column


class UnwritableRowError(ValueError):
    """A row has a value that its column cannot take."""


def copied_form(
    conn: Connection, columns: Sequence[Column], rows: Iterable[Sequence[Any]]
) -> bytes:
    """Return what COPY takes for the rows, each given as the values of the columns.

    The connection tells how values are written, and is not asked for anything. Raises
    `UnwritableRowError`.
    """
    file = BytesIO()
    lists = [index for index, column in enumerate(columns) if column.sql_type == TEXTS]
    try:
        with conn.cursor() as cursor:
            set_json_dumps(msgspec.json.encode, cursor)
            with psycopg.Copy(cursor, binary=True, writer=FileWriter(file)) as copy:
                copy.set_types([column.sql_type for column in columns])
                for values in rows:
                    copy.write_row(_driven(values, lists) if lists else values)
    except Exception as error:  # whatever it is, the row cannot be stored
        raise UnwritableRowError(f"{type(error).__name__}: {error}") from error
    return file.getvalue()


def _driven(values: Sequence[Any], lists: Sequence[int]) -> list[Any]:
    """Return the values as the driver takes them: it takes no tuple for an array."""
    driven = list(values)
    for index in lists:
        texts = values[index]
        driven[index] = None if texts is None else list(texts)
    return driven
