"""The rows of a table that has one per event, written once and never loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import astuple

from eventlog.pool import Connection
from projections.columns import columns_of
from projections.fold import Entry, Folded, Key
from projections.rows import as_json, upsert
from projections.table import EventTable
from projections.writing import COPIED_ROWS, Copying, Writing


class EventRows:
    """Rows of a table in one schema; they are written once, each with its event."""

    def __init__(self, table: EventTable[Any], schema: str) -> None:
        self._copying = Copying(schema, table.name, columns_of(table.row), astuple)
        self._upsert = upsert(table, schema)

    def load(
        self,
        conn: Connection,  # noqa: ARG002
        by_key: Mapping[Key, Sequence[Entry]],  # noqa: ARG002
        settle: Callable[[], None],  # noqa: ARG002
    ) -> list[Any]:
        """Return none: no row was there before its event."""
        return []

    def writing(self, conn: Connection, folded: Folded) -> Writing:
        """Return what writes the rows of a batch."""
        writing = Writing(conn)
        if len(folded.added) >= COPIED_ROWS:
            self._copying.write(folded.added, writing)
        elif folded.added:
            writing.statements.append((self._upsert, (as_json(folded.added),)))
        return writing

    def remember(self, rows: Mapping[Key, Any]) -> None:
        """Keep none: no row is changed again."""
