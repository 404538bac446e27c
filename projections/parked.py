"""Events that could not be applied to a read table, and those that wait behind them.

A parked event holds up its own row alone. The row stays as it was before, and is
marked by standing here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import args_row
from psycopg.sql import SQL, Identifier

from eventlog.pool import Connection
from projections.fold import Held
from projections.names import LIVE

_TABLE = """
CREATE TABLE IF NOT EXISTS {} (
    table_name text NOT NULL,
    key text NOT NULL,
    position bigint NOT NULL,
    error text,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (table_name, key, position)
)
"""

_PARK = """
INSERT INTO {} (table_name, key, position, error)
SELECT %s, * FROM unnest(%s::text[], %s::bigint[], %s::text[])
ON CONFLICT (table_name, key, position) DO UPDATE SET error = excluded.error
"""

_LIST = """
SELECT table_name, key, min(position), (array_agg(error ORDER BY position))[1],
    min(parked_at), count(*)
FROM {} GROUP BY table_name, key ORDER BY min(position), table_name, key LIMIT %s
"""

_COUNT = "SELECT table_name, count(DISTINCT key) FROM {} GROUP BY table_name"

_SHOWN = """
SELECT DISTINCT key FROM {} WHERE table_name = ANY(%s) AND strpos(%s, key) > 0 ORDER BY key
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parked:
    """One row of a read table that is held up.

    Attributes:
        key: of the row, as text; of a stream where the event could not be read.
        position: of the event that could not be applied.
        error: why not; None when it only waited behind one that was repaired since.
        parked_at: since when.
        events: how many events are parked, with those that wait.
    """

    table_name: str
    key: str
    position: int
    error: str | None
    parked_at: datetime
    events: int


def create(conn: Connection, schema: str) -> None:
    """Create the table of the schema's parked events where it is missing."""
    conn.execute(SQL(_TABLE).format(Identifier(schema, "parked")))


def listed(conn: Connection, limit: int = 100) -> list[Parked]:
    """Return the first live rows that are held up, in the order of the events that did it."""
    with conn.cursor(row_factory=args_row(Parked)) as cursor:
        return cursor.execute(SQL(_LIST).format(Identifier(LIVE, "parked")), (limit,)).fetchall()


def row_counts(conn: Connection, schema: str = LIVE) -> dict[str, int]:
    """Return how many rows of each table are held up; tables without any are left out."""
    query = SQL(_COUNT).format(Identifier(schema, "parked"))
    return dict(conn.execute(query))


def shown(conn: Connection, tables: Sequence[str], text: str) -> list[str]:
    """Return the keys in `text` of rows of the live `tables` that are held up.

    What the text says of these may be out of date.
    """
    query = SQL(_SHOWN).format(Identifier(LIVE, "parked"))
    return [key for (key,) in conn.execute(query, (list(tables), text))]


def park(conn: Connection, schema: str, table: str, held: Sequence[Held]) -> None:
    """Keep the `held` events of a table until somebody repairs them."""
    errors = [None if h.error is None else _in_words(h.error) for h in held]
    conn.execute(
        SQL(_PARK).format(Identifier(schema, "parked")),
        (table, [h.key for h in held], [h.position for h in held], errors),
    )


def log(table: str, held: Sequence[Held]) -> None:
    """Say in the log which rows stopped, and why."""
    for one in held:
        if one.error is not None:
            logger.error(
                "parked event %d, which %s cannot take; its row %s stays as it was: %s",
                one.position,
                table,
                one.key,
                _in_words(one.error),
            )


def keys(conn: Connection, schema: str, table: str) -> set[str]:
    """Return the keys under which events of the table are parked, as text."""
    query = SQL("SELECT DISTINCT key FROM {} WHERE table_name = %s").format(
        Identifier(schema, "parked")
    )
    return {key for (key,) in conn.execute(query, (table,))}


def positions(conn: Connection, schema: str, table: str, key: str) -> list[int]:
    """Return where the events are that are parked under the key, in order."""
    query = SQL(
        "SELECT position FROM {} WHERE table_name = %s AND key = %s ORDER BY position"
    ).format(Identifier(schema, "parked"))
    return [position for (position,) in conn.execute(query, (table, key))]


def release(conn: Connection, schema: str, table: str, key: str) -> None:
    """Park nothing under the key any more."""
    statement = SQL("DELETE FROM {} WHERE table_name = %s AND key = %s")
    conn.execute(statement.format(Identifier(schema, "parked")), (table, key))


def release_all(conn: Connection, schema: str, table: str) -> None:
    """Park nothing of the table any more."""
    statement = SQL("DELETE FROM {} WHERE table_name = %s")
    conn.execute(statement.format(Identifier(schema, "parked")), (table,))


def _in_words(error: Exception) -> str:
    # PostgreSQL cannot store the character NUL, which may be the very reason.
    return f"{type(error).__name__}: {error}".replace("\0", "\\0")
