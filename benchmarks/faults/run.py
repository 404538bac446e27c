"""One run of the fault suite, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psycopg

from benchmarks.faults.chaos import Chaos
from benchmarks.faults.verdict import (
    ReaderVerdict,
    WriterVerdict,
    judge_reader,
    judge_writers,
    load_log,
)
from eventlog.pool import open_connection
from eventlog.schema import migrate


@dataclass(frozen=True)
class Outcome:
    """What a run has shown."""

    seconds: float
    events: int
    holes: int
    faults: dict[str, int]
    streams_out_of_order: int
    writers: WriterVerdict
    careful: list[ReaderVerdict]
    naive: ReaderVerdict

    @property
    def as_it_should_be(self) -> bool:
        """No flaw in the log and its readers, and the naive reader was found out."""
        readers = all(verdict.flawless for verdict in self.careful) and self.naive.missed > 0
        return readers and not self.streams_out_of_order and not self.writers.wrong


def run(
    url: str,
    folder: Path,
    *,
    events: int,
    writers: int = 16,
    readers: int = 3,
    crash: Callable[[], None] | None = None,
) -> Outcome:
    """Lets writers append this many events to an empty database while everything is disturbed.

    ``crash``, when given, makes the whole server crash. Raises TimeoutError when a reader does not
    come to the end of the log.
    """
    with psycopg.connect(url) as conn:
        migrate(conn)
    started = monotonic()
    chaos = Chaos(url, folder, writers=writers, readers=readers, crash=crash)
    chaos.run(events)
    seconds = monotonic() - started
    with open_connection(url) as conn:
        log = load_log(conn)
    return Outcome(
        seconds=seconds,
        events=len(log),
        holes=log.last_position - len(log),
        faults=dict(chaos.faults),
        streams_out_of_order=log.streams_out_of_order,
        writers=judge_writers(log, [*chaos.writer_journals, chaos.held_back_journal]),
        careful=[judge_reader(log, journal) for journal in chaos.careful_journals],
        naive=judge_reader(log, chaos.naive_journal),
    )
