"""The log's events, read ahead by a thread while the last batch is folded and written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic

from eventlog.codec import EventCodec
from eventlog.pool import Connection, open_connection
from eventlog.reader import RowReader
from eventlog.statements import LogRow
from eventlog.wakeup import Ear
from projections.decoding import decoded
from projections.fold import Entry
from projections.lease import LEASE_SECONDS
from projections.store import last_position

POLL_SECONDS = 0.05
CHUNK_EVENTS = 1_000
CHUNKS_AHEAD = 10
FIRST_EVENTS = 10_000
MOST_EVENTS = 50_000
"""As many are taken at once, at first and at most."""
MOST_SECONDS = LEASE_SECONDS / 2
"""What is taken at once shall be worked off within this time, or it is less the next time."""

Chunk = Sequence[LogRow] | Exception


class Feed:
    """The settled events behind the position `after`, in order, each decoded once.

    It reads ahead no more than `CHUNKS_AHEAD` chunks, so its memory is bounded. They are decoded
    by the thread that takes them: another one would only take turns with it, and they change the
    threads' turns and the processors' caches at each.
    """

    def __init__(self, conninfo: str, codec: EventCodec, after: int) -> None:
        self._conninfo = conninfo
        self._codec = codec
        self._taken = self._end = after
        self._taken_at = monotonic()
        self._size = 0
        self._chunks: Queue[Chunk] = Queue(CHUNKS_AHEAD)
        self._closing = Event()
        self._thread = Thread(target=self._run, args=(after,), name="feed", daemon=True)
        self._thread.start()

    def take(self, conn: Connection, timeout_seconds: float) -> list[Entry]:
        """Return the events that are there, up to `MOST_EVENTS`; wait so long for the first.

        While one batch is folded the one before is written. So the first batches of many are
        small, each next one is twice as large at most, and the last ones are small again: writing
        begins early, and ends soon after folding. The `conn` is asked for the keys of sealed text.
        Raises what went wrong in reading; the feed is then of no more use.
        """
        entries: list[Entry] = []
        most = self._most()
        patience_seconds = timeout_seconds
        with suppress(Empty):
            while len(entries) < most:
                chunk = self._decoded(conn, self._chunks.get(timeout=patience_seconds))
                entries += chunk
                # Whatever has come meanwhile goes along; where there was so much there is more.
                patience_seconds = POLL_SECONDS if len(chunk) == CHUNK_EVENTS else 0
        self._size, self._taken_at = len(entries), monotonic()
        if entries:
            self._taken = entries[-1][0]
        return entries

    def _most(self) -> int:
        left = self._end - self._taken
        most = min(MOST_EVENTS, max(FIRST_EVENTS, 2 * self._size), max(FIRST_EVENTS, left // 2))
        seconds = monotonic() - self._taken_at
        if seconds > MOST_SECONDS:
            most = min(most, max(CHUNK_EVENTS, int(self._size * MOST_SECONDS / seconds)))
        return most

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def _run(self, after: int) -> None:
        try:
            with open_connection(self._conninfo) as conn, closing(Ear(self._conninfo)) as ear:
                reader = RowReader(conn, after)
                self._end = last_position(conn)
                while not self._closing.is_set():
                    events = reader.read(CHUNK_EVENTS)
                    if events:
                        self._put(events)
                        if reader.position >= self._end and len(events) == CHUNK_EVENTS:
                            self._end = last_position(conn)
                    elif not reader.waiting:
                        ear.wait(POLL_SECONDS)
        except Exception as error:  # noqa: BLE001  # it is raised where the events are taken
            self._put(error)

    def _decoded(self, conn: Connection, chunk: Chunk) -> list[Entry]:
        if isinstance(chunk, Exception):
            raise chunk
        return decoded(self._codec, conn, chunk)

    def _put(self, chunk: Chunk) -> None:
        while not self._closing.is_set():
            try:
                self._chunks.put(chunk, timeout=POLL_SECONDS)
            except Full:
                continue
            return
