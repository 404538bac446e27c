"""A sign of life of each process, for `rollbook status`."""

from __future__ import annotations

import socket
from os import getpid
from time import monotonic

from eventlog.pool import Connection

INTERVAL_SECONDS = 1.0

TABLE = """
CREATE TABLE IF NOT EXISTS rollbook.processes (
    name text NOT NULL,
    host text NOT NULL,
    pid bigint NOT NULL,
    position bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, host, pid)
)
"""

_BEAT = """
INSERT INTO rollbook.processes (name, host, pid, position) VALUES (%s, %s, %s, %s)
ON CONFLICT (name, host, pid) DO UPDATE SET position = excluded.position, seen_at = now()
"""

_FORGET_OLD = "DELETE FROM rollbook.processes WHERE seen_at < now() - interval '1 hour'"


class Heartbeat:
    """Tells at most once a second that the process `name` lives, and how far it is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next = 0.0

    def beat(self, conn: Connection, position: int) -> None:
        """Tell it, when it is time again."""
        now = monotonic()
        if now < self._next:
            return
        if self._next == 0.0:
            conn.execute(_FORGET_OLD)
        self._next = now + INTERVAL_SECONDS
        conn.execute(_BEAT, (self._name, socket.gethostname(), getpid(), position))
