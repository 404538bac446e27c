"""The snapshotter: keeps the state of programs with many seats, so that they are loaded fast.

What it takes is a cache. It may be late, stop, run twice or be wiped out: commands
decide the same, and only take longer.
"""

from __future__ import annotations

import logging
from threading import Event as Signal
from uuid import UUID

import psycopg
from eventsourcing.persistence import MapperDeserialisationError, PersistenceError

from domain.events import PROGRAM_TOPICS
from domain.loading import Loader
from domain.program_snapshot import ProgramSnapshot
from domain.training_program import TrainingProgram
from eventlog.codec import EventCodec
from eventlog.event_store import SealingEventStore
from eventlog.pool import Pool, open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.snapshots import Snapshots
from workers.heartbeat import Heartbeat

POLL_SECONDS = 2.0
PAGE_STREAMS = 100

logger = logging.getLogger(__name__)


def run(conninfo: str, codec: EventCodec, snapshot_codec: EventCodec, stop: Signal) -> None:
    """Take snapshots until `stop` is set; a database that goes away is waited for."""
    heartbeat = Heartbeat("snapshotter")
    with open_pool(conninfo, 1) as pool:
        snapshotter = Snapshotter(pool, codec, snapshot_codec)
        while not stop.is_set():
            try:
                while snapshotter.take_page() == PAGE_STREAMS and not stop.is_set():
                    pass
                with pool.connection() as conn:
                    heartbeat.beat(conn, snapshotter.position)
            except (psycopg.Error, PersistenceError) as error:
                logger.warning("cannot take snapshots, trying again: %s", error)
            stop.wait(POLL_SECONDS)


class Snapshotter:
    """Takes a snapshot of each program whose stream has grown by 25 events.

    Attributes:
        position: where the last stream had grown so far; those before are done.
    """

    def __init__(self, pool: Pool, codec: EventCodec, snapshot_codec: EventCodec) -> None:
        """Read the log by `codec`, from its beginning; write by `snapshot_codec`."""
        recorder = PostgresRecorder(pool)
        self._snapshots = Snapshots(recorder, snapshot_codec)
        self._loader = Loader(recorder, SealingEventStore(codec, recorder), self._snapshots)
        self.position = 0

    def take_page(self) -> int:
        """Take the snapshots that are wanted, at most a page; return how many those were.

        Raises the errors of the log.
        """
        wanted = self._snapshots.wanted(
            PROGRAM_TOPICS, ProgramSnapshot.TOPIC, self.position, PAGE_STREAMS
        )
        for stream_id, position in wanted:
            self._take(stream_id)
            self.position = position
        return len(wanted)

    def _take(self, stream_id: UUID) -> None:
        try:
            program = self._loader.load(TrainingProgram, stream_id)
        except MapperDeserialisationError as error:
            logger.warning("no snapshot of program %s, which cannot be read: %s", stream_id, error)
        else:
            self._snapshots.put(ProgramSnapshot.of(program))
