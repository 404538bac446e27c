"""How far each read table is in the log, and the proof of it.

A table takes in the log's events one after the other, whether they concern it or
not. It keeps how many there were, and a rolling digest of their positions that
depends on each of them and on their order, and not on how they were cut into
batches: `digest = (digest * 1099511628211 + position) mod (2^61 - 1)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from psycopg.sql import SQL, Identifier

from eventlog.pool import Connection
from projections.names import LIVE
from projections.table import ReadTable

MODULUS = 2**61 - 1
MULTIPLIER = 1_099_511_628_211

# Fields that change with every batch are in no index, and there is room for new versions of them.
_TABLE = """
CREATE TABLE IF NOT EXISTS {} (
    table_name text PRIMARY KEY,
    definition bigint NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    events bigint NOT NULL DEFAULT 0,
    digest bigint NOT NULL DEFAULT 0,
    lease uuid,
    leased_until timestamptz
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0)
"""

_COLUMNS = """
SELECT column_name::text FROM information_schema.columns
WHERE table_schema = %s AND table_name = 'progress'
"""
_ADDED_COLUMNS: Mapping[str, LiteralString] = {
    # Drawn when a table begins, and when one is put in the place of another.
    "built": "ALTER TABLE {} ADD COLUMN built bigint NOT NULL DEFAULT txid_current()",
    "filled": "ALTER TABLE {} ADD COLUMN filled boolean NOT NULL DEFAULT true",
    "adds_up": "ALTER TABLE {} ADD COLUMN adds_up boolean NOT NULL DEFAULT true",
}

_BEGIN = """
INSERT INTO {} (table_name, definition, filled, adds_up) VALUES (%s, %s, %s, %s)
ON CONFLICT (table_name) DO NOTHING
"""

_RESTART = """
UPDATE {} SET position = 0, events = 0, digest = 0, filled = false, adds_up = %s
WHERE table_name = %s
"""

_READ = "SELECT table_name, position, events, digest, definition, filled, adds_up FROM {}"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a read table has taken in.

    Attributes:
        position: of the last event it took in; 0 before the first.
        events: how many events it took in.
        digest: of all their positions.
        definition: the table's definition when it began.
        filled: whether it may be read. A table that begins far behind the log is filled first.
        adds_up: whether it adds to its summaries with every event. While a table is filled they
            are empty, and are added up at once at the end.
    """

    position: int
    events: int
    digest: int
    definition: int
    filled: bool
    adds_up: bool

    def after(self, run: Run) -> Progress:
        """Return the progress after a run of events."""
        digest = (self.digest * pow(MULTIPLIER, run.events, MODULUS) + run.digest) % MODULUS
        events = self.events + run.events
        return replace(self, position=run.position, events=events, digest=digest)


@dataclass(frozen=True, slots=True)
class Run:
    """Events that follow each other: the last position, how many, and the digest of them alone."""

    position: int
    events: int
    digest: int

    @classmethod
    def of(cls, positions: Sequence[int]) -> Run:
        """Return the run of the events at `positions`, of which there is one at least."""
        digest = 0
        for position in positions:
            digest = (digest * MULTIPLIER + position) % MODULUS
        return cls(positions[-1], len(positions), digest)


def create(conn: Connection, schema: str) -> None:
    """Create the table of the schema's progress where it is missing."""
    conn.execute(SQL(_TABLE).format(Identifier(schema, "progress")))
    there = {name for (name,) in conn.execute(_COLUMNS, (schema,))}
    for name in _ADDED_COLUMNS.keys() - there:
        conn.execute(SQL(_ADDED_COLUMNS[name]).format(Identifier(schema, "progress")))


def begin(conn: Connection, schema: str, table: ReadTable[Any], *, filled: bool) -> None:
    """Let a new table start from the beginning of the log; it counts as `filled`, or is first."""
    values = table.name, table.definition, filled, filled
    conn.execute(SQL(_BEGIN).format(Identifier(schema, "progress")), values)


def restart(conn: Connection, schema: str, table: str, *, adds_up: bool) -> None:
    """Let a table be filled from the beginning of the log again."""
    conn.execute(SQL(_RESTART).format(Identifier(schema, "progress")), (adds_up, table))


def read(conn: Connection, schema: str = LIVE) -> dict[str, Progress]:
    """Return the progress of every table in `schema`, by its name."""
    rows = conn.execute(SQL(_READ).format(Identifier(schema, "progress")))
    return {name: Progress(*values) for name, *values in rows}
