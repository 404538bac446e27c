"""Repairing a row of a read table that an event holds up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg.sql import SQL, Identifier

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from eventlog.reader import RowReader
from eventlog.statements import LogRow
from projections import parked, progress, repairs
from projections.batch import Stored
from projections.decoding import decoded
from projections.fold import Folded
from projections.names import LIVE
from projections.repairs import Repair
from projections.sorting import Sorting
from projections.table import ReadTable

# It also takes the table from its projector, which then begins again from what is stored.
_LOCK = SQL("UPDATE {} SET lease = NULL WHERE table_name = %s").format(Identifier(LIVE, "progress"))


class NothingParkedError(LookupError):
    """No event is parked there."""

    def __init__(self, table: str, key: str) -> None:
        super().__init__(f"Nothing is parked for {key} in {table}.")
        self.table = table
        self.key = key


def retry(
    conn: Connection, codec: EventCodec, table: ReadTable[Any], key: str, actor: str
) -> Repair:
    """Apply what is parked under `key`, as far as that can be done now, and record it.

    Raises `NothingParkedError`, and psycopg.DataError when the row cannot be stored.
    """
    return _repair(conn, codec, table, key, actor, None)


def skip(
    conn: Connection, codec: EventCodec, table: ReadTable[Any], key: str, actor: str, reason: str
) -> Repair:
    """Give up the first event that is parked under `key`, apply the others, and record it.

    The table leaves that event out from now on, in a rebuild too. Raises as `retry` does,
    and ValueError without a reason.
    """
    if not reason.strip():
        raise ValueError("A reason is required to give up an event.")
    return _repair(conn, codec, table, key, actor, reason)


def _repair(
    conn: Connection,
    codec: EventCodec,
    table: ReadTable[Any],
    key: str,
    actor: str,
    reason: str | None,
) -> Repair:
    with conn.transaction():
        conn.execute(_LOCK, (table.name,))
        held = parked.positions(conn, LIVE, table.name, key)
        if not held:
            raise NothingParkedError(table.name, key)
        parked.release(conn, LIVE, table.name, key)
        positions = held if reason is None else held[1:]
        folded = _apply(conn, codec, table, positions)
        repair = Repair(
            actor=actor,
            action="retry" if reason is None else "skip",
            table_name=table.name,
            key=key,
            position=held[0],
            reason=reason,
            applied=len(positions) - len(folded.held),
            still_parked=len(folded.held),
        )
        repairs.add(conn, repair)
    return repair


def _apply(
    conn: Connection, codec: EventCodec, table: ReadTable[Any], positions: Sequence[int]
) -> Folded:
    stored = Stored(conn, table, LIVE, progress.read(conn)[table.name])
    entries = decoded(codec, conn, list(_events_at(conn, positions)))
    [batch] = Sorting([table]).sort(entries, [stored.stops])
    folded = stored.fold(conn, batch)
    writing = stored.rows.writing(conn, folded)
    writing.copy(conn)
    writing.execute(conn)
    stored.park(conn, folded.held)
    return folded


def _events_at(conn: Connection, positions: Sequence[int]) -> Iterator[LogRow]:
    for position in positions:
        yield from RowReader(conn, position - 1).read(1)
