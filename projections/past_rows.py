"""Rows as they would have been at a moment, each folded from its own stream in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from domain.aggregate import Event
from eventlog.codec import EventCodec
from projections.history import History
from projections.names import LIVE

# What the history has not applied, or never will, is no part of the row.
_EVENTS = f"""
SELECT e.position, e.stream_id, e.version, e.topic, e.state
FROM rollbook.events e
WHERE e.stream_id = ANY(%(ids)s)
  AND e.position <= (SELECT position FROM {LIVE}.progress WHERE table_name = %(table)s)
  AND NOT EXISTS (SELECT FROM {LIVE}.parked p WHERE p.table_name = %(table)s
      AND p.key = e.stream_id::text AND p.position <= e.position)
  AND NOT EXISTS (SELECT FROM rollbook.repairs r WHERE r.table_name = %(table)s
      AND r.action = 'skip' AND r.position = e.position)
ORDER BY e.stream_id, e.version
"""  # noqa: S608  # made of constants


def past_rows(
    conn: psycopg.Connection[Any],
    codec: EventCodec,
    history: History,
    counts: Callable[[Event], bool],
    ids: Sequence[Any],
) -> list[Any]:
    """Return the rows of the streams with these ids as the events that count make them.

    They are those of the table that the history follows, as far as that has come.
    """
    with conn.cursor(binary=True) as cursor:
        cursor.execute(_EVENTS, {"ids": list(ids), "table": history.name})
        stored = cursor.fetchall()
    keys = codec.keys_to_read(conn, [row[4] for row in stored])
    evolve, concern = history.of.evolve, history.keys
    rows: dict[Any, Any] = {}
    for row in stored:
        event: Any = codec.decode(row, keys)
        if type(event) in concern and counts(event):
            rows[row[1]] = evolve(rows.get(row[1]), event)
    return [row for row in rows.values() if row is not None]
