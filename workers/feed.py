"""The log's events, read and decoded ahead by a thread while the last batch is written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from queue import Empty, Full, Queue
from threading import Event, Thread

from eventlog.codec import EventCodec
from eventlog.pool import open_connection
from eventlog.reader import RowReader
from eventlog.wakeup import Ear
from projections.decoding import decoded
from projections.fold import Entry

POLL_SECONDS = 0.05
CHUNK_EVENTS = 1_000
CHUNKS_AHEAD = 20

Chunk = Sequence[Entry] | Exception


class Feed:
    """The settled events behind the position `after`, in order, each decoded once.

    It reads ahead no more than `CHUNKS_AHEAD` chunks, so its memory is bounded.
    """

    def __init__(self, conninfo: str, codec: EventCodec, after: int) -> None:
        self._conninfo = conninfo
        self._codec = codec
        self._after = after
        self._chunks: Queue[Chunk] = Queue(CHUNKS_AHEAD)
        self._closing = Event()
        self._thread = Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def take(self, timeout_seconds: float) -> list[Entry]:
        """Return all events that are there; wait for the first, at most this long.

        Raises what went wrong in reading; the feed is then of no more use.
        """
        entries: list[Entry] = []
        try:
            entries.extend(_opened(self._chunks.get(timeout=timeout_seconds)))
            while not self._chunks.empty():
                entries.extend(_opened(self._chunks.get_nowait()))
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
                        self._put(decoded(self._codec, conn, events))
                    elif not reader.waiting:
                        ear.wait(POLL_SECONDS)
        except Exception as error:  # noqa: BLE001  # it is raised where the events are taken
            self._put(error)

    def _put(self, chunk: Chunk) -> None:
        while not self._closing.is_set():
            try:
                self._chunks.put(chunk, timeout=POLL_SECONDS)
            except Full:
                continue
            return


def _opened(chunk: Chunk) -> Sequence[Entry]:
    if isinstance(chunk, Exception):
        raise chunk
    return chunk
