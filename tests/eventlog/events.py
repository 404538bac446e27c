"""Stored events and the means to see what other connections are doing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent

from eventlog.facts import Fact
from eventlog.pool import Connection, open_connection

NUMBER = Fact("coin.minted.v1", "number", unique=True)
CODE = Fact("coin.named.v1", "code", unique=False)
FACTS = (NUMBER, CODE)

INSERT = "insert into rollbook.events (stream_id, version, topic, state) values (%s, %s, %s, '{}')"


def stored(
    stream: UUID, version: int, topic: str = "coin.tossed.v1", state: str = "{}"
) -> StoredEvent:
    return StoredEvent(stream, version, topic, state.encode())


def a_stream(length: int, start: int = 1) -> list[StoredEvent]:
    stream = uuid4()
    return [stored(stream, version) for version in range(start, start + length)]


@contextmanager
def open_writer(url: str) -> Iterator[Connection]:
    """A connection in a transaction that has inserted one event and has not ended yet."""
    with open_connection(url) as conn:
        conn.execute("begin")
        conn.execute(INSERT, (uuid4(), 1, "coin.tossed.v1"))
        yield conn


def count(conn: Connection) -> int:
    row = conn.execute("select count(*) from rollbook.events").fetchone()
    return row[0] if row else 0


def waiting_backends(observer: psycopg.Connection[Any]) -> set[int]:
    """The process numbers of the database's connections that wait for a lock."""
    # Within a transaction, the server would show the same state again and again.
    observer.execute("select pg_stat_clear_snapshot()")
    rows = observer.execute(
        "select pid from pg_stat_activity"
        " where datname = current_database() and wait_event_type = 'Lock'"
    )
    return {pid for (pid,) in rows}


def is_waiting_for_a_lock(observer: psycopg.Connection[Any]) -> bool:
    return bool(waiting_backends(observer))
