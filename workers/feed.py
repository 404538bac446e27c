"""The log's events, read ahead by a thread while the last batch is folded and written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from queue import Empty, Full, Queue
from threading import Event, Thread

from eventlog.codec import EventCodec
from eventlog.pool import Connection, open_connection
from eventlog.reader import RowReader
from eventlog.statements import LogRow
from eventlog.wakeup import Ear
from projections.decoding import decoded
from projections.fold import Entry

POLL_SECONDS = 0.05
CHUNK_EVENTS = 1_000
CHUNKS_AHEAD = 30
MOST_EVENTS = CHUNK_EVENTS * CHUNKS_AHEAD
"""As many are taken at once, at least where there are more."""

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
        self._after = after
        self._chunks: Queue[Chunk] = Queue(CHUNKS_AHEAD)
        self._closing = Event()
        self._thread = Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def take(self, conn: Connection, timeout_seconds: float) -> list[Entry]:
        """Return the events that are there, up to `MOST_EVENTS`; wait so long for the first.

        The `conn` is asked for the keys of sealed text. Raises what went wrong in reading; the feed
        is then of no more use.
        """
        entries: list[Entry] = []
        try:
            entries += self._decoded(conn, self._chunks.get(timeout=timeout_seconds))
            while len(entries) < MOST_EVENTS:
                entries += self._decoded(conn, self._chunks.get_nowait())
        except Empty:
            pass
        return entries

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with open_connection(self._conninfo) as conn, closing(Ear(self._conninfo)) as ear:
                reader = RowReader(conn, self._after)
                while not self._closing.is_set():
                    events = reader.read(CHUNK_EVENTS)
                    if events:
                        self._put(events)
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
