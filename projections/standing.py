"""Where the log, each read table and the Redis Stream stand, without scanning a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eventlog.pool import Connection
from projections.names import LIVE
from projections.progress import read

_LOG = "SELECT coalesce(max(position), 0) FROM rollbook.events"
_PARKED = f"SELECT table_name, count(*) FROM {LIVE}.parked GROUP BY table_name".encode()  # noqa: S608  # a constant
_PUBLISHED = """
SELECT max(position) FROM rollbook.processes
WHERE name = 'publisher' AND seen_at > now() - interval '10 seconds'
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Positions, as of one look.

    Attributes:
        log_position: of the last event.
        tables: what each read table has reached.
        parked: how many events each read table could not take; those without are left out.
        published: what the Redis Stream has reached, or None when no publisher lives.
    """

    log_position: int
    tables: Mapping[str, int]
    parked: Mapping[str, int]
    published: int | None

    def lag(self, position: int) -> int:
        """Return by how many positions the log is ahead of `position`."""
        return max(0, self.log_position - position)

    def lowest(self, tables: Iterable[str]) -> int | None:
        """Return the position that all of `tables` have reached; None when one is missing."""
        found = [self.tables.get(table) for table in tables]
        known = [position for position in found if position is not None]
        return min(known) if known and len(known) == len(found) else None


def standing(conn: Connection) -> Standing:
    """Return where everything stands. Raises psycopg.Error where there are no tables yet."""
    # The tables first: a table that looks further than the log would be behind by nothing.
    tables = {name: found.position for name, found in read(conn).items()}
    parked: dict[str, int] = dict(conn.execute(_PARKED).fetchall())
    published = conn.execute(_PUBLISHED).fetchone()
    log = conn.execute(_LOG).fetchone()
    return Standing(log[0] if log else 0, tables, parked, published[0] if published else None)
