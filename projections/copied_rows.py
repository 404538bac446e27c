"""The rows of a table that has one per event, copied by a statement of the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from psycopg.sql import SQL, Identifier

from eventlog.pool import Connection
from projections.columns import columns_of
from projections.fold import Folded, Key
from projections.table import CopiedTable
from projections.writing import Writing


class CopiedRows:
    """Rows of a table in one schema; they are written once, each with its event."""

    def __init__(self, table: CopiedTable[Any], schema: str) -> None:
        self._copy = (
            SQL("INSERT INTO {} ({}) {} WHERE e.position = ANY(%s)")
            .format(
                Identifier(schema, table.name),
                SQL(", ").join(Identifier(column.name) for column in columns_of(table.row)),
                SQL(table.select),
            )
            .as_bytes()
        )

    def load(
        self,
        conn: Connection,  # noqa: ARG002
        keys: Collection[Key],  # noqa: ARG002
        settle: Callable[[], None],  # noqa: ARG002
    ) -> dict[Key, Any]:
        """Return none: no row was there before its event."""
        return {}

    def writing(self, folded: Folded) -> Writing:
        """Return what makes the rows of a batch, whose keys are positions."""
        return Writing([(self._copy, (list(folded.rows),))] if folded.rows else [])

    def remember(self, rows: Mapping[Key, Any]) -> None:
        """Keep none: no row is changed again."""
