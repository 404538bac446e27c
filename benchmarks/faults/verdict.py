"""Compares what writers were told and what readers got with what is in the log."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import LiteralString
from uuid import UUID

from benchmarks.faults.journal import attempts, pack, unpack
from eventlog.pool import Connection

_FETCH = 10_000
_ALL: LiteralString = """
select position, stream_id, version, state ->> 'attempt' from rollbook.events order by position
"""


@dataclass(frozen=True)
class Log:
    """The log as it stands at the end: the events in order, and the positions of each attempt."""

    packed: bytes
    attempts: dict[bytes, list[int]]
    streams_out_of_order: int
    last_position: int

    def __len__(self) -> int:
        return sum(map(len, self.attempts.values()))


@dataclass(frozen=True)
class ReaderVerdict:
    """How many events a reader missed, got more than once, or got behind a later one."""

    missed: int
    repeated: int
    out_of_order: int

    @property
    def flawless(self) -> bool:
        """Whether it got what is in the log, in order, and nothing else."""
        return not (self.missed or self.repeated or self.out_of_order)


@dataclass(frozen=True)
class WriterVerdict:
    """What writers were told how often, and for how many attempts the log says otherwise."""

    stored: int
    refused: int
    never_told: int
    wrong: int


def load_log(conn: Connection) -> Log:
    """The whole log; some 200 bytes of memory for each event."""
    packed = bytearray()
    positions: dict[bytes, list[int]] = defaultdict(list)
    last: Counter[UUID] = Counter()
    position = 0
    disorderly = set()
    with conn.transaction(), conn.cursor("log") as cursor:
        cursor.execute(_ALL)
        while rows := cursor.fetchmany(_FETCH):
            for position, stream, version, attempt in rows:
                packed += pack(position, stream, version)
                positions[bytes.fromhex(attempt)].append(position)
                last[stream] += 1
                if last[stream] != version:
                    disorderly.add(stream)
    return Log(bytes(packed), positions, len(disorderly), position)


def judge_reader(log: Log, journal: Path) -> ReaderVerdict:
    """Equal bytes are the proof; otherwise it is counted what is wrong."""
    got = journal.read_bytes()
    if got == log.packed:
        return ReaderVerdict(0, 0, 0)
    numbers = [position for position, _, _ in unpack(got)]
    events = set(unpack(log.packed))
    missed = len(events - set(unpack(got)))
    pairs = pairwise(numbers)
    return ReaderVerdict(
        missed,
        repeated=len(numbers) - len(set(numbers)),
        out_of_order=sum(later <= earlier for earlier, later in pairs),
    )


def judge_writers(log: Log, journals: list[Path]) -> WriterVerdict:
    """Whether what was said to be stored is there, whole, and nothing else is."""
    outcomes: Counter[bool | None] = Counter()
    wrong, unknown = 0, set(log.attempts)
    for journal in journals:
        for attempt in attempts(journal):
            outcomes[attempt.stored] += 1
            found = log.attempts.get(attempt.number, [])
            unknown.discard(attempt.number)
            if attempt.stored is None:
                wrong += len(found) not in {0, attempt.count}
            else:
                wrong += found != attempt.positions
    return WriterVerdict(outcomes[True], outcomes[False], outcomes[None], wrong + len(unknown))
