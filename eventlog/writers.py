"""Which transactions may still commit an event with a number that was drawn already."""

from __future__ import annotations

from typing import LiteralString

from eventlog.errors import NotPrimaryError
from eventlog.order import Observation
from eventlog.pool import Cursor

# One statement: the snapshot that decides the maximum is taken before it looks at the locks.
_OBSERVE: LiteralString = """
select pg_is_in_recovery(), (select coalesce(max(position), 0) from rollbook.events), array(
    select virtualtransaction from pg_locks
    where locktype = 'relation' and mode = 'RowExclusiveLock' and granted
        and database = (select oid from pg_database where datname = current_database())
        and relation = 'rollbook.events'::regclass
)
"""


def observe(cursor: Cursor) -> Observation:
    """The highest position that can be seen, and who holds the writers' lock just after that.

    Raises NotPrimaryError on a standby.
    """
    row = cursor.execute(_OBSERVE, prepare=True).fetchone()
    if row is None or row[0]:
        # A standby shows the primary's events, but not the transactions that still write there.
        raise NotPrimaryError("The order of the log is known on the primary only")
    return Observation(row[1], frozenset(row[2]))
