"""The publisher: the whole log, event for event, in a Redis Stream.

What holds at every moment, whatever dies: the stream is the log from its first
event to some position, without a gap, a double or another order.

- It begins with what the stream holds and reads the log from there on. The
  reader gives settled events in order, so each batch is exactly what follows.
- A batch is appended by one script, which first makes sure that the stream still
  reaches the position that the batch follows. If Redis was restarted and lost
  the end of its file, the batch is refused instead of leaving a gap, and the
  publisher looks again where the stream ends.
- An entry that cannot be stored (memory is full) ends the script there, and what
  was stored is again a beginning of the log.
- When the publisher is killed, or an answer gets lost, the stream itself tells the
  next attempt how far the last one came. Nothing is remembered anywhere else.
- Two publishers at once send the same events under the same ids. The script leaves
  out what the stream holds; as Redis runs one script at a time, they only share
  the work.

A stream that does not belong to this log, because it is of another database or
one of the two was restored from a backup, is never written to.
"""

from __future__ import annotations

import logging
from contextlib import closing
from threading import Event as Signal

import psycopg
import redis
from eventsourcing.persistence import PersistenceError

from eventlog.pool import Connection, open_connection
from eventlog.reader import LogReader
from eventlog.wakeup import Ear
from workers.event_stream import STREAM, EventStream, StreamFellBack, Top, fields_of
from workers.heartbeat import Heartbeat
from workers.retry import Retry

BATCH_EVENTS = 500
POLL_SECONDS = 0.5
REDIS_TIMEOUT_SECONDS = 10.0

logger = logging.getLogger(__name__)


class ForeignStream(Exception):
    """The Redis Stream holds events that the log does not: nothing was published.

    Attributes:
        position: where the two differ.

    """

    def __init__(self, position: int) -> None:
        super().__init__(
            f"The Redis Stream {STREAM} ends with an event at position {position} that is not in"
            " the log of this database. It belongs to another database, or one of the two was"
            " restored from a backup. Set REDIS_URL to the Redis of this database, or delete the"
            f" stream (DEL {STREAM}) to have it written anew from the log."
        )
        self.position = position


def run(conninfo: str, redis_url: str, stop: Signal) -> None:
    """Publish until `stop` is set, waiting for servers that are gone. Raises `ForeignStream`."""
    retry, heartbeat = Retry(stop), Heartbeat("publisher")
    client = redis.from_url(redis_url, socket_timeout=REDIS_TIMEOUT_SECONDS)
    with closing(client), closing(Ear(conninfo)) as ear:
        stream = EventStream(client)
        while not stop.is_set():
            try:
                with open_connection(conninfo) as conn:
                    publisher = Publisher(conn, stream)
                    while not stop.is_set():
                        publisher.publish_batch()
                        retry.succeeded()
                        heartbeat.beat(conn, publisher.position)
                        if publisher.has_caught_up:
                            ear.wait(POLL_SECONDS)
            except StreamFellBack as fell_back:
                logger.warning("%s Publishing again what it lost.", fell_back)
            except (psycopg.Error, PersistenceError, redis.RedisError) as error:
                logger.warning("cannot publish, next try in %.1f s: %s", retry.pause_seconds, error)
                ear.close()  # It would not notice a server that says nothing any more.
                retry.wait()


class Publisher:
    """Publishes from where the stream ends, until the first error; then make a new one."""

    def __init__(self, conn: Connection, stream: EventStream) -> None:
        """Find out where the stream ends. Raises `ForeignStream`, and errors of both servers."""
        self._stream = stream
        top = stream.top()
        if top.position > 0:
            _require_in_log(conn, top)
        self._reader = LogReader(conn, after=top.position)
        self.has_caught_up = False
        logger.info("publishing from position %s on", top.position)

    @property
    def position(self) -> int:
        """The position up to which the stream is known to hold the log."""
        return self._reader.position

    def publish_batch(self) -> None:
        """Publish the events that follow, at most a batch.

        Raises `StreamFellBack` when the stream lost its end, even if there is nothing to publish.
        """
        after = self._reader.position
        events = self._reader.read(BATCH_EVENTS)
        self._stream.append(after, events)
        self.has_caught_up = not events and not self._reader.waiting


def _require_in_log(conn: Connection, top: Top) -> None:
    found = LogReader(conn, after=top.position - 1).read(1)
    if not found or found[0].id != top.position:
        raise ForeignStream(top.position)
    if top.entry is not None and top.entry != fields_of(found[0]):
        raise ForeignStream(top.position)
