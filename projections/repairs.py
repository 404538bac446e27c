"""What was done about parked events, by whom and why. Only ever added to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.rows import class_row

from eventlog.pool import Connection

_TABLE: LiteralString = """
CREATE TABLE IF NOT EXISTS rollbook.repairs (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repaired_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    table_name text NOT NULL,
    key text NOT NULL,
    position bigint NOT NULL,
    reason text,
    applied bigint NOT NULL,
    still_parked bigint NOT NULL
);
CREATE OR REPLACE TRIGGER repairs_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON rollbook.repairs
    FOR EACH STATEMENT EXECUTE FUNCTION rollbook.refuse_change()
"""

_ADD: LiteralString = """
INSERT INTO rollbook.repairs
    (actor, action, table_name, key, position, reason, applied, still_parked)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""

_SKIPPED: LiteralString = """
SELECT position FROM rollbook.repairs WHERE action = 'skip' AND table_name = %s
"""

_LIST: LiteralString = """
SELECT repaired_at, actor, action, table_name, key, position, reason, applied, still_parked
FROM rollbook.repairs ORDER BY number DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One repair of one row of a read table.

    Attributes:
        actor: who did it.
        action: `retry`, or `skip` when the event was given up.
        key: of the row, or of the stream where the event could not be read.
        position: of the event that was in the way.
        reason: why it was given up.
        applied: how many parked events could be applied then.
        still_parked: how many could not.
        repaired_at: when it was done; None before it is.
    """

    actor: str
    action: str
    table_name: str
    key: str
    position: int
    reason: str | None
    applied: int
    still_parked: int
    repaired_at: datetime | None = None


def create(conn: Connection) -> None:
    """Create the table where it is missing; the log's own tables must be there."""
    conn.execute(_TABLE)


def add(conn: Connection, done: Repair) -> None:
    """Record a repair."""
    conn.execute(
        _ADD,
        (
            done.actor,
            done.action,
            done.table_name,
            done.key,
            done.position,
            done.reason,
            done.applied,
            done.still_parked,
        ),
    )


def skipped(conn: Connection, table: str) -> frozenset[int]:
    """Return the positions of the events that the table is to leave out, now and in a rebuild."""
    return frozenset(position for (position,) in conn.execute(_SKIPPED, (table,)))


def latest(conn: Connection, limit: int) -> list[Repair]:
    """Return the latest repairs, the last one first."""
    with conn.cursor(row_factory=class_row(Repair)) as cursor:
        return cursor.execute(_LIST, (limit,)).fetchall()
