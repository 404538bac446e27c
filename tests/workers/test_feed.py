"""How many events are taken at once: few at first and at last, and no more than in time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise

import pytest

from benchmarks.made_up_log import write_log
from eventlog.pool import open_connection
from eventlog.reader import RowReader
from eventlog.statements import LogRow
from tests.patience import eventually
from tests.workers.world import CODEC
from workers import feed
from workers.feed import Feed

EVENTS = 3_000
PIECE_EVENTS = 2
PATIENCE_SECONDS = 10.0


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of feeds, which take few at once here."""
    for name, number in (("CHUNK_EVENTS", 10), ("FIRST_EVENTS", 100), ("MOST_EVENTS", 500)):
        monkeypatch.setattr(feed, name, number)
    monkeypatch.setattr(feed, "POLL_SECONDS", PATIENCE_SECONDS)
    clock = Clock()
    monkeypatch.setattr(feed, "monotonic", clock)
    return clock


@contextmanager
def batches(url: str) -> Iterator[Iterator[list[int]]]:
    """The positions of each batch of a long log, to its end."""
    with open_connection(url) as conn:
        write_log(conn, CODEC, EVENTS)
        last = conn.execute("SELECT max(position) FROM rollbook.events").fetchall()[0][0]

        def taken() -> Iterator[list[int]]:
            reached = 0
            while reached < last:
                positions = [position for position, _ in events.take(conn, PATIENCE_SECONDS)]
                reached = positions[-1]
                yield positions

        with closing(Feed(url, CODEC, 0)) as events:
            yield taken()


def test_batches_grow_to_the_most_and_shrink_to_the_end(database_url: str, clock: Clock) -> None:  # noqa: ARG001  # it stands still
    with batches(database_url) as found:
        taken = [*found]
    with open_connection(database_url) as conn:
        logged = conn.execute("SELECT position FROM rollbook.events ORDER BY 1").fetchall()
    assert [(position,) for batch in taken for position in batch] == logged
    sizes = [len(batch) for batch in taken]
    assert sizes[:4] == [100, 200, 400, 500]
    assert max(sizes) == 500
    assert sizes[-1] <= 100
    assert all(later <= 2 * earlier for earlier, later in pairwise(sizes))


def test_a_batch_that_took_too_long_makes_the_next_one_smaller(
    database_url: str, clock: Clock
) -> None:
    with batches(database_url) as found:
        assert [len(next(found)) for _ in range(3)] == [100, 200, 400]
        clock.seconds += 4 * feed.MOST_SECONDS
        assert [len(next(found)) for _ in range(2)] == [100, 200]
        clock.seconds += 1_000 * feed.MOST_SECONDS
        assert [len(next(found)) for _ in range(2)] == [10, 100]


class PieceReader(RowReader):
    """Reads the log as it is read where little comes at a time."""

    pieces = 0

    def read(self, limit: int, wait_seconds: float = 0.05) -> list[LogRow]:
        found = super().read(min(limit, PIECE_EVENTS), wait_seconds)
        PieceReader.pieces += 1
        return found


def test_what_came_in_pieces_is_taken_at_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "RowReader", PieceReader)
    with open_connection(database_url) as conn:
        write_log(conn, CODEC, EVENTS)
        with closing(Feed(database_url, CODEC, 0)) as events:
            # So many wait to be taken, and the next one for its place.
            eventually(lambda: PieceReader.pieces > feed.CHUNKS_AHEAD)
            taken = events.take(conn, PATIENCE_SECONDS)
    assert len(taken) >= feed.CHUNKS_AHEAD * PIECE_EVENTS
