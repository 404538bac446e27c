"""A log to write to, publishers to kill, and a Valkey to break."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Event, Thread
from uuid import UUID, uuid4

import psycopg
import redis
from eventsourcing.persistence import StoredEvent

from eventlog.recorder import PostgresRecorder
from rollbook.embedded_valkey import EmbeddedValkey
from rollbook.program import Run
from tests.patience import PATIENCE_SECONDS, eventually
from workers import publish
from workers.event_stream import STREAM

ROOT = Path(__file__).parents[2]

Entries = list[tuple[bytes, dict[bytes, bytes]]]


class Writer:
    """Writes made-up events to a log."""

    def __init__(self, recorder: PostgresRecorder) -> None:
        self._recorder = recorder
        self._numbers = count(1)

    def write(self, number: int, text: str = "") -> None:
        stream_id = uuid4()
        self._recorder.insert_events(
            [self.event(stream_id, version, text) for version in range(1, number + 1)]
        )

    def event(self, stream_id: UUID, version: int, text: str = "") -> StoredEvent:
        state = f'{{"number":{next(self._numbers)},"text":"Ω {text}"}}'
        return StoredEvent(stream_id, version, "toy.played.v1", state.encode())

    def draw_a_number_in_vain(self) -> None:
        with suppress(ZeroDivisionError), self._recorder.transaction():
            self.write(1)
            _ = 1 // 0


def log_entries(database_url: str) -> Entries:
    """The log as the stream should hold it, by SQL of our own."""
    with psycopg.connect(database_url) as conn:
        rows = conn.execute(
            "select position::text, stream_id || '/' || version, stream_id::text, version::text,"
            " topic, state::text from rollbook.events order by events.position"
        ).fetchall()
    names = (b"position", b"id", b"stream_id", b"version", b"topic", b"data")
    return [
        (f"{row[0]}-0".encode(), dict(zip(names, (v.encode() for v in row), strict=True)))
        for row in rows
    ]


def stream_entries(redis_url: str) -> Entries:
    with redis.from_url(redis_url) as client:
        return [(entry_id, entry) for entry_id, entry in client.xrange(STREAM)]


def holds_the_log(redis_url: str, database_url: str) -> bool:
    return stream_entries(redis_url) == log_entries(database_url)


def stream_length(redis_url: str) -> int:
    with redis.from_url(redis_url) as client:
        return int(client.xlen(STREAM))


@contextmanager
def publishing(database_url: str, redis_url: str) -> Iterator[None]:
    """A publisher in a thread of its own."""
    stop = Event()
    thread = Thread(target=publish.run, args=(database_url, redis_url, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)


@contextmanager
def publisher_process(database_url: str, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A publisher in a process of its own; it is killed with `kill -9` in the end."""
    code = (
        "import sys, threading; from workers.publish import run;"
        "run(sys.argv[1], sys.argv[2], threading.Event())"
    )
    with subprocess.Popen([sys.executable, "-c", code, database_url, redis_url], cwd=ROOT) as run:
        try:
            yield run
        finally:
            run.send_signal(signal.SIGKILL)


class BreakableValkey:
    """A Valkey on disk that can be killed, robbed of what it wrote last, and started again."""

    def __init__(self, home: Path) -> None:
        self._valkey = EmbeddedValkey(home)
        self._valkey.prepare()
        self._home = home
        self._run: Run | None = None
        self.url = self._valkey.url

    def start(self) -> None:
        self._run = self._valkey.program().start()
        eventually(self._valkey.answers)

    def kill(self) -> None:
        if self._run is not None:
            self._run.kill()

    def lose_the_end(self, part: float) -> None:
        """Cut off a part of the file it will be loaded from, as a crash of the machine can."""
        (file,) = self._home.glob("valkey/appendonlydir/*.incr.aof")
        with file.open("r+b") as opened:
            opened.truncate(int(file.stat().st_size * (1 - part)))
