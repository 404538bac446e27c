"""What is to be written of one batch, made ahead of its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier

from eventlog.pool import Connection
from projections.columns import Column
from projections.copied_form import copied_form

COPIED_ROWS = 500
"""From how many rows on they are copied, which takes a round trip of its own."""


Values = Callable[[Any], Sequence[Any]]
"""What gives the values of a row's columns, in order."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows to be copied, as the statement takes them.

    Attributes:
        making: what makes the table that they are copied into, if that is a passing one.
    """

    statement: bytes
    rows: bytes
    making: bytes | None = None

    def copy(self, conn: Connection) -> None:
        """Copy the rows."""
        with conn.cursor() as cursor:
            if self.making is not None:
                cursor.execute(self.making)
            with cursor.copy(self.statement) as copy:
                copy.write(self.rows)


@dataclass(frozen=True, slots=True)
class Writing:
    """The rows to be copied into a table, and the statements that come behind, with their values.

    A transaction that has begun must not wait until these are made.

    Attributes:
        conn: any connection to the database, which tells how values are written.
    """

    conn: Connection
    statements: list[tuple[bytes, Sequence[Any]]] = field(default_factory=list)
    copied: list[Copied] = field(default_factory=list)

    def copy(self, conn: Connection) -> None:
        """Copy the rows; that cannot be done in a pipeline."""
        for copied in self.copied:
            copied.copy(conn)

    def execute(self, conn: Connection) -> None:
        """Run the statements."""
        for statement, values in self.statements:
            conn.execute(statement, values, prepare=True)


class Copying:
    """Makes of items what writes them as new rows of a table by COPY.

    It refuses rows of which there is one already. Where that can come, let the batch be
    divided: a small one is not copied.
    """

    def __init__(self, schema: str, name: str, columns: Sequence[Column], values: Values) -> None:
        """Copy into the columns the `values` of an item."""
        self._columns = columns
        self._values = values
        self._statement = (
            SQL("COPY {} ({}) FROM STDIN (FORMAT binary)")
            .format(
                Identifier(schema, name),
                SQL(", ").join(Identifier(column.name) for column in columns),
            )
            .as_bytes()
        )

    def write(self, items: Iterable[Any], writing: Writing, making: bytes | None = None) -> None:
        """Let `writing` copy the items' rows. Raises `UnwritableRowError`."""
        rows = copied_form(writing.conn, self._columns, map(self._values, items))
        writing.copied.append(Copied(self._statement, rows, making))


class Staging:
    """Makes of items what changes rows of a table, many at once.

    What is to be changed is copied beside the table, and applied from there by one statement. The
    place is emptied at the end of each transaction, and gone with the connection.
    """

    def __init__(
        self,
        name: str,
        columns: Sequence[Column],
        values: Values,
        statement: Callable[[Composable], Composed],
    ) -> None:
        """Copy into the columns of a place of this name, which the `statement` then reads."""
        self._copying = Copying("pg_temp", name, columns, values)
        self._statement = statement(Identifier("pg_temp", name)).as_bytes()
        kinds = [SQL("{} {}").format(Identifier(c.name), SQL(c.sql_type)) for c in columns]
        self._making = (
            SQL("CREATE TEMP TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS")
            .format(Identifier(name), SQL(", ").join(kinds))
            .as_bytes()
        )

    def write(self, items: Iterable[Any], writing: Writing) -> None:
        """Let `writing` change what the items tell. Raises `UnwritableRowError`."""
        self._copying.write(items, writing, self._making)
        writing.statements.append((self._statement, ()))
