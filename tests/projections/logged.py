"""A log that holds what a test says, whatever was in it before."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from domain.aggregate import Event
from eventlog.pool import Connection
from rollbook.assembly import event_codec

CODEC = event_codec()

_EMPTY = """
ALTER TABLE rollbook.events DISABLE TRIGGER events_append_only;
DELETE FROM rollbook.events;
ALTER TABLE rollbook.events ENABLE ALWAYS TRIGGER events_append_only
"""
_ADD = """
INSERT INTO rollbook.events (position, stream_id, version, topic, state)
OVERRIDING SYSTEM VALUE VALUES (%s, %s, %s, %s, %s)
"""


def logged(conn: Connection, events: Sequence[Event]) -> None:
    """Let the log hold these events alone, at the positions from 1 on."""
    keys = CODEC.keys_to_store(conn, events)
    stored = [CODEC.to_stored_event(event, keys) for event in events]
    with psycopg.connect(conn.info.dsn) as owner, owner.cursor() as cursor:
        cursor.execute(_EMPTY)
        cursor.executemany(
            _ADD,
            [
                (position, one.originator_id, one.originator_version, one.topic, one.state.decode())
                for position, one in enumerate(stored, start=1)
            ],
        )
