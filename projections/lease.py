"""Who may write a read table: one projector at a time, and never one that lost its turn.

The lease stands in the table's row of the progress. A token is drawn each time
that tables are taken, every batch renews its lease where the token is still there,
and that comes first in the batch's transaction: it locks the row, so nobody can
take the table until the transaction ended; and one whose tables were taken finds
its token gone and writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from psycopg.sql import SQL, Identifier

from eventlog.pool import Connection
from projections.progress import Progress
from projections.table import ReadTable

LEASE_SECONDS = 3.0

_TAKE = """
UPDATE {progress} AS held
SET lease = %(lease)s, leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE table_name IN (
    SELECT table_name FROM {progress}
    WHERE (table_name, definition) IN (
            SELECT * FROM unnest(%(names)s::text[], %(definitions)s::bigint[])
        )
        AND (lease IS NULL OR leased_until < clock_timestamp())
    FOR UPDATE SKIP LOCKED
)
RETURNING table_name, position, events, digest, definition, filled, adds_up
"""

_ADVANCE = """
UPDATE {progress} AS held
SET position = new.position, events = new.events, digest = new.digest,
    leased_until = clock_timestamp() + make_interval(secs => %s)
FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS new (table_name, position, events, digest)
WHERE held.table_name = new.table_name AND held.lease = %s
"""

_RENEW = """
UPDATE {progress} SET leased_until = clock_timestamp() + make_interval(secs => %s) WHERE lease = %s
"""

_MARK_FILLED = """
UPDATE {progress} SET filled = true, adds_up = true WHERE table_name = %s AND lease = %s
"""

_GIVE_BACK = "UPDATE {progress} SET lease = NULL, leased_until = NULL WHERE lease = %s"


class LeaseLost(Exception):
    """Another process has taken one of the tables."""


class Lease:
    """The read tables of one schema that this process alone may write."""

    def __init__(self, schema: str) -> None:
        self._token: UUID = uuid4()
        self._count = 0
        name = Identifier(schema, "progress")
        self._take, self._advance, self._renew, self._mark_filled, self._give_back = (
            SQL(statement).format(progress=name).as_bytes()
            for statement in (_TAKE, _ADVANCE, _RENEW, _MARK_FILLED, _GIVE_BACK)
        )

    def take(self, conn: Connection, tables: Collection[ReadTable[Any]]) -> dict[str, Progress]:
        """Take those of `tables` that are free; return how far they are.

        A table that was built by another definition is never taken.
        """
        arguments = {
            "lease": self._token,
            "seconds": LEASE_SECONDS,
            "names": [table.name for table in tables],
            "definitions": [table.definition for table in tables],
        }
        taken = {name: Progress(*rest) for name, *rest in conn.execute(self._take, arguments)}
        self._count += len(taken)
        return taken

    def advance(self, conn: Connection, reached: Mapping[str, Progress]) -> None:
        """Store the progress of some of the tables, and keep them. First of its transaction.

        Raises `LeaseLost`; the transaction must then end without a commit.
        """
        columns: Sequence[Sequence[Any]] = [
            list(values)
            for values in zip(
                *((n, p.position, p.events, p.digest) for n, p in reached.items()), strict=True
            )
        ]
        cursor = conn.execute(self._advance, (LEASE_SECONDS, *columns, self._token), prepare=True)
        if cursor.rowcount != len(reached):
            raise LeaseLost

    def renew(self, conn: Connection) -> None:
        """Keep all of the tables. Raises `LeaseLost`."""
        if conn.execute(self._renew, (LEASE_SECONDS, self._token)).rowcount != self._count:
            raise LeaseLost

    def mark_filled(self, conn: Connection, table: str) -> None:
        """Say that a table is filled, with its summaries. Raises `LeaseLost`, as `advance` does."""
        if conn.execute(self._mark_filled, (table, self._token)).rowcount != 1:
            raise LeaseLost

    def give_back(self, conn: Connection) -> None:
        """Let others take the tables at once."""
        conn.execute(self._give_back, (self._token,))
        self._count = 0
