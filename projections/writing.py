"""What is to be written of one batch, made ahead of its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from psycopg.sql import SQL, Identifier
from psycopg.types.json import set_json_dumps

from eventlog.pool import Connection
from projections.columns import TEXTS, Column

COPIED_ROWS = 500
"""From how many new rows on they are copied, which takes a round trip of its own."""


@dataclass(frozen=True, slots=True)
class Writing:
    """The rows to be copied into a table, and the statements that come behind, with their values.

    A transaction that has begun must not wait until these are made.
    """

    statements: list[tuple[bytes, Sequence[Any]]] = field(default_factory=list)
    copied: list[tuple[Copying, Sequence[Any]]] = field(default_factory=list)

    def copy(self, conn: Connection) -> None:
        """Copy the rows; that cannot be done in a pipeline."""
        for copying, rows in self.copied:
            copying.copy(conn, rows)

    def execute(self, conn: Connection) -> None:
        """Run the statements."""
        for statement, values in self.statements:
            conn.execute(statement, values, prepare=True)


class Copying:
    """Writes new rows by COPY, for which the database parses nothing.

    It refuses rows of which there is one already. Where that can come, let the batch be
    divided: a small one is not copied.
    """

    def __init__(self, schema: str, name: str, columns: Sequence[Column]) -> None:
        names = SQL(", ").join(Identifier(column.name) for column in columns)
        self._types = [column.sql_type for column in columns]
        self._lists = [i for i, column in enumerate(columns) if column.sql_type == TEXTS]
        self._statement = (
            SQL("COPY {} ({}) FROM STDIN (FORMAT binary)")
            .format(Identifier(schema, name), names)
            .as_bytes()
        )

    def copy(self, conn: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows, each given as the values of all columns."""
        with conn.cursor() as cursor:
            set_json_dumps(msgspec.json.encode, cursor)
            with cursor.copy(self._statement) as copy:
                copy.set_types(self._types)
                for values in rows:
                    copy.write_row(self._driven(values) if self._lists else values)

    def _driven(self, values: Sequence[Any]) -> list[Any]:
        """Return the values as the driver takes them: it takes no tuple for an array."""
        driven = list(values)
        for index in self._lists:
            texts = values[index]
            driven[index] = None if texts is None else list(texts)
        return driven
