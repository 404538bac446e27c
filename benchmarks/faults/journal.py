"""What each process has done, in a file of its own, so that it survives the process's kill."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from eventsourcing.persistence import Notification

_RECORD = struct.Struct(">q16si")
_SPACES = 2


def pack(position: int, stream: UUID, version: int) -> bytes:
    """One event as a reader writes it down."""
    return _RECORD.pack(position, stream.bytes, version)


def unpack(journal: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Position, stream and version of each event."""
    return _RECORD.iter_unpack(journal)


def events_in(path: Path) -> int:
    """How many events a reader has written down so far."""
    return path.stat().st_size // _RECORD.size if path.exists() else 0


def last_position(path: Path) -> int:
    """The position of the last event that a reader has written down; 0 when there is none."""
    with path.open("rb") as file:
        file.seek(max(0, events_in(path) - 1) * _RECORD.size)
        last = file.read(_RECORD.size)
    return int(_RECORD.unpack(last)[0]) if last else 0


class ReaderJournal:
    """The events that a reader has got, in that order; also where the next one goes on."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        # A record that was being written when its process was killed was not got.
        os.ftruncate(self._file, events_in(path) * _RECORD.size)
        self.position = last_position(path)

    def add(self, events: Iterable[Notification]) -> None:
        """Writes the events down in one go."""
        packed = [pack(e.id, UUID(str(e.originator_id)), e.originator_version) for e in events]
        os.write(self._file, b"".join(packed))


@dataclass(frozen=True)
class Attempt:
    """What a writer was told about one attempt; ``stored`` is None when it never got to know."""

    number: bytes
    count: int
    stored: bool | None
    positions: list[int]


class WriterJournal:
    """What a writer tried, and what it was told."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tries(self, attempt: UUID, count: int) -> None:
        """To be called before."""
        os.write(self._file, f"\n{attempt.hex} {count} ".encode())

    def stored(self, positions: list[int]) -> None:
        """The log has the attempt's events at these positions."""
        os.write(self._file, ("+" + ",".join(map(str, positions))).encode())

    def refused(self) -> None:
        """Nothing of it is in the log, and nothing will be."""
        os.write(self._file, b"-")


def attempts(path: Path) -> Iterator[Attempt]:
    """All that a writer wrote down; nothing when it was killed before it began a journal."""
    if not path.exists():
        return
    for line in path.read_text().split("\n")[1:]:
        number, count, outcome = line.split(" ") if line.count(" ") == _SPACES else ("", "", "")
        if not number:
            # The process was killed while it wrote this, before it tried anything.
            continue
        positions = [int(position) for position in outcome[1:].split(",") if position]
        told = outcome == "-" or len(positions) == int(count)
        stored = outcome.startswith("+") if told else None
        yield Attempt(bytes.fromhex(number), int(count), stored, positions)
