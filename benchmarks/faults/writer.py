"""A process that appends until it is told to stop: `python -m benchmarks.faults.writer`."""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from time import sleep
from types import FrameType
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import PersistenceError, StoredEvent
from psycopg.conninfo import make_conninfo

from benchmarks.faults.journal import WriterJournal
from eventlog.errors import OutcomeUnknownError
from eventlog.pool import Pool, open_pool
from eventlog.recorder import PostgresRecorder

# Not seeded: which process comes first is left to the operating system anyway.
chance = random.SystemRandom()

APPLICATION = "rollbook fault writer"

_STREAMS = 8
_LONGEST_DELAY_SECONDS = 0.02
_LONGEST_BATCH = 20


class _RolledBack(Exception):
    """The writer changed its mind."""


class Writer:
    """Appends to streams that are its own, in ways chosen at random."""

    def __init__(self, pool: Pool, journal: WriterJournal) -> None:
        self._pool = pool
        self._recorder = PostgresRecorder(pool)
        self._journal = journal
        self._versions = {uuid4(): 0 for _ in range(_STREAMS)}

    def act(self) -> None:
        """One attempt; afterwards it knows what came of it."""
        ways = (self._append, self._commit_late, self._roll_back, self._conflict, self._be_cut_off)
        (way,) = chance.choices(ways, (68, 15, 8, 8, 1))
        stream = chance.choice(list(self._versions))
        way(stream, chance.choice((1, 1, 1, chance.randint(2, _LONGEST_BATCH))))

    def _append(self, stream: UUID, count: int) -> None:
        with self._journaled(stream, count) as (events, positions):
            positions.extend(self._recorder.insert_events(events))

    def _commit_late(self, stream: UUID, count: int) -> None:
        with self._journaled(stream, count) as (events, positions):
            kept: list[int] = []
            with self._recorder.transaction():
                for event in events:
                    kept += self._recorder.insert_events([event])
                sleep(chance.uniform(0, _LONGEST_DELAY_SECONDS))
            positions.extend(kept)

    def _roll_back(self, stream: UUID, count: int) -> None:
        with (
            suppress(_RolledBack),
            self._journaled(stream, count) as (events, _),
            self._recorder.transaction(),
        ):
            self._recorder.insert_events(events)
            sleep(chance.uniform(0, _LONGEST_DELAY_SECONDS))
            raise _RolledBack

    def _conflict(self, stream: UUID, count: int) -> None:
        if self._versions[stream]:
            with suppress(PersistenceError):
                self._recorder.insert_events(
                    made_up(stream, self._versions[stream], count, uuid4())
                )

    def _be_cut_off(self, stream: UUID, count: int) -> None:
        conn = self._pool.getconn()
        line = socket.socket(fileno=os.dup(conn.pgconn.socket))
        self._pool.putconn(conn)
        cut = Timer(chance.uniform(0, 0.003), _shut, (line,))
        cut.start()
        chance.choice((self._append, self._commit_late))(stream, count)
        cut.join()
        line.close()

    @contextmanager
    def _journaled(self, stream: UUID, count: int) -> Iterator[tuple[list[StoredEvent], list[int]]]:
        first = self._versions[stream] + 1
        attempt, positions = uuid4(), list[int]()
        self._journal.tries(attempt, count)
        try:
            yield made_up(stream, first, count, attempt), positions
        except OutcomeUnknownError:
            # The stream is left alone, for nobody knows where it ends.
            del self._versions[stream]
            self._versions[uuid4()] = 0
        except (PersistenceError, _RolledBack):
            self._journal.refused()
        else:
            self._journal.stored(positions)
            self._versions[stream] += count


def made_up(stream: UUID, first: int, count: int, attempt: UUID) -> list[StoredEvent]:
    """The events of one attempt, which carry its number."""
    state = f'{{"attempt": "{attempt.hex}"}}'.encode()
    versions = range(first, first + count)
    return [StoredEvent(stream, version, "fault.tried.v1", state) for version in versions]


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def main(url: str, path: str) -> None:
    """Appends to the log at this URL and keeps its journal at this path, until SIGTERM."""
    stopping = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    logging.getLogger("psycopg.pool").disabled = True
    with open_pool(make_conninfo(url, application_name=APPLICATION), 1) as pool:
        writer = Writer(pool, WriterJournal(Path(path)))
        while not stopping:
            # While the server recovers from a crash, there are no connections either.
            with suppress(PersistenceError, psycopg.OperationalError):
                writer.act()


if __name__ == "__main__":
    main(*sys.argv[1:])
