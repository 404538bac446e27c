"""Stores events, and finds out what became of them when the connection breaks meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, sleep

import psycopg
from eventsourcing.persistence import StoredEvent

from eventlog.errors import OutcomeUnknownError
from eventlog.insertion import insert
from eventlog.pool import STATEMENT_TIMEOUT_MS, Pool, borrowed, is_lost
from eventlog.silence import at_most
from eventlog.statements import positions_of

# Longer than the server lets a statement run or a transaction idle: by then it has decided.
RESOLVE_SECONDS = STATEMENT_TIMEOUT_MS / 1000 + 5

_PAUSE_SECONDS = 0.05


def append(
    pool: Pool, events: Sequence[StoredEvent], resolve_seconds: float = RESOLVE_SECONDS
) -> list[int]:
    """Stores all the events or none, durably, in one round trip; returns their positions.

    Raises psycopg's errors when nothing was stored, OutcomeUnknownError when the connection was
    lost and the database cannot be asked within ``resolve_seconds``.
    """
    deadline = monotonic() + resolve_seconds
    # Spelled out instead of ``borrowed``: this is what most commands spend their time on.
    conn = pool.getconn()
    try:
        return insert(conn, events)
    except psycopg.Error as error:
        if not is_lost(conn, error):
            raise
        conn.close()
        lost = error
    finally:
        pool.putconn(conn)
    return _append_again(pool, events, lost, deadline)


def _append_again(
    pool: Pool, events: Sequence[StoredEvent], lost: psycopg.Error, deadline: float
) -> list[int]:
    while monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            return _insert_or_find(pool, events, deadline)
        sleep(_PAUSE_SECONDS)
    raise OutcomeUnknownError from lost


def _insert_or_find(pool: Pool, events: Sequence[StoredEvent], deadline: float) -> list[int]:
    # A version can be taken only once, so to insert again is to ask: either the first try came to
    # nothing and this one stores the events, or it waits for the first one's commit and then finds
    # the very same events in their place.
    with borrowed(pool) as conn, at_most(conn, deadline - monotonic()):
        try:
            return insert(conn, events)
        except psycopg.errors.UniqueViolation:
            positions = positions_of(conn, events)
            if positions is None:
                raise
            return positions
