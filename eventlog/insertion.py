"""Stores events in one statement, with as little of the client's time as possible.

It speaks to libpq itself: every type is known here, there is nothing to convert but text, and a
cursor would take three to six times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain

from eventsourcing.persistence import ProgrammingError, StoredEvent
from psycopg.pq import DiagnosticField, TransactionStatus
from psycopg.pq.abc import PGresult

from eventlog.pool import Connection
from eventlog.results import checked
from eventlog.silence import result_of

# PostgreSQL takes at most 65,535 parameters in one statement, and each event brings four.
MAX_EVENTS = 16_000

# Each number of events is a statement of its own, which the server keeps for the connection.
_MAX_PREPARED_EVENTS = 100

_PREPARED = "rollbook_inserts"
_NOT_PREPARED = b"26000"


def insert(conn: Connection, events: Sequence[StoredEvent]) -> list[int]:
    """Stores all the events or none; returns their positions, which rise in the given order.

    Raises psycopg's errors, and ProgrammingError for more than MAX_EVENTS.
    """
    count = len(events)
    if count > MAX_EVENTS:
        raise ProgrammingError(f"{count} events at once, of at most {MAX_EVENTS}")
    values = list(chain.from_iterable(map(_row_of, events)))
    in_transaction = conn.pgconn.transaction_status != TransactionStatus.IDLE
    if in_transaction or count > _MAX_PREPARED_EVENTS:
        conn.pgconn.send_query_params(_statement(count), values)
        result = result_of(conn)
    else:
        result = _execute_prepared(conn, count, values)
    checked(result)
    return [int(result.get_value(row, 0) or 0) for row in range(result.ntuples)]


def _row_of(event: StoredEvent) -> tuple[bytes, bytes, bytes, bytes]:
    stream, version = str(event.originator_id), event.originator_version
    return stream.encode(), b"%d" % version, event.topic.encode(), event.state


def _execute_prepared(conn: Connection, count: int, values: list[bytes]) -> PGresult:
    name = b"rollbook_insert_%d" % count
    prepared: set[int] = vars(conn).setdefault(_PREPARED, set())
    if count in prepared:
        result = _run(conn, name, values)
        if result.error_field(DiagnosticField.SQLSTATE) != _NOT_PREPARED:
            return result
        # After a rollback psycopg lets go of all prepared statements, these included. Others may
        # have been prepared since, so that only this one is known to be gone. Within a
        # transaction that would be an error which ends it.
        prepared.discard(count)
    conn.pgconn.send_prepare(name, _statement(count))
    checked(result_of(conn))
    prepared.add(count)
    return _run(conn, name, values)


def _run(conn: Connection, name: bytes, values: list[bytes]) -> PGresult:
    conn.pgconn.send_query_prepared(name, values)
    return result_of(conn)


@lru_cache
def _statement(count: int) -> bytes:
    # The rows draw their numbers one after the other, in the order in which they are listed.
    rows = (f"(${n}, ${n + 1}, ${n + 2}, ${n + 3})" for n in range(1, 4 * count, 4))
    into = "insert into rollbook.events (stream_id, version, topic, state) values "
    return f"{into}{', '.join(rows)} returning position".encode()
