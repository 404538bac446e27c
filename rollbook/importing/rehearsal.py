"""A dry run: the same commands by the same rules, on a log that only this run sees.

What the commands record goes to a temporary file that vanishes with the run;
what they read is the real log and that file together. Nothing is locked, and
nothing is written to the database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import Any
from uuid import UUID

from eventsourcing.persistence import AggregateRecorder, StoredEvent

from directory.employees import Employee
from directory.personal_keys import PersonalKey, PersonalKeys, new_key
from domain.training import Training
from eventlog.pool import Connection, open_pool
from eventlog.recorder import PostgresRecorder
from rollbook.assembly import event_codec
from rollbook.importing.prefetch import PrefetchedDirectory, PrefetchedEvents
from rollbook.importing.staff import Staff
from rollbook.importing.write_side import ImportSide
from rollbook.migrate import FACTS

_TABLE = """
CREATE TABLE events (stream_id TEXT, version INTEGER, topic TEXT, state BLOB,
    PRIMARY KEY (stream_id, version)) WITHOUT ROWID
"""
_INSERT = "INSERT INTO events VALUES (?, ?, ?, ?)"
_SELECT = "SELECT version, topic, state FROM events WHERE stream_id = ? ORDER BY version"


class RehearsedLog(AggregateRecorder):
    """The real log, and on top of it what this run adds."""

    def __init__(self, real: PostgresRecorder, added: sqlite3.Connection) -> None:
        """Read the log through `real`; keep what is added in `added`."""
        self._real = real
        self._added = added
        self._added.execute(_TABLE)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:
        """Keep the events."""
        rows = [(str(e.originator_id), *_rest(e)) for e in stored_events]
        with self._added:
            self._added.executemany(_INSERT, rows)
        return range(1, len(rows) + 1)

    def select_events(
        self, originator_id: UUID | str, *, gt: int | None = None, **_: Any
    ) -> list[StoredEvent]:
        """Return the stream's events with versions above `gt`, in order of version."""
        stream_id = originator_id if isinstance(originator_id, UUID) else UUID(originator_id)
        return [*self._real.select_events(stream_id, gt=gt), *self._added_to(stream_id, gt or 0)]

    def select_streams(self, stream_ids: Sequence[UUID]) -> dict[UUID, list[StoredEvent]]:
        """Return the events of each of the streams."""
        streams = self._real.select_streams(stream_ids)
        return {key: [*events, *self._added_to(key, 0)] for key, events in streams.items()}

    def connection(self) -> AbstractContextManager[Connection]:
        """Lend a connection to the database."""
        return self._real.connection()

    def erase(self, employee_id: str) -> None:
        """Do nothing: an import erases nobody."""

    def transaction(self) -> AbstractContextManager[None]:
        """Do nothing: nobody else sees what is added here."""
        return nullcontext()

    def lock(self, key: UUID, *, shared: bool) -> None:
        """Do nothing, as in `transaction`."""

    def find(self, topic: str, field: str, value: str) -> Sequence[UUID]:
        """Return the streams of the real log with an event of `topic` and this value."""
        return self._real.find(topic, field, value)

    def _added_to(self, stream_id: UUID, gt: int) -> Iterator[StoredEvent]:
        for version, topic, state in self._added.execute(_SELECT, (str(stream_id),)):
            if version > gt:
                yield StoredEvent(stream_id, version, topic, state)


def _rest(event: StoredEvent) -> tuple[int, str, bytes]:
    return event.originator_version, event.topic, event.state


class RehearsedKeys(PersonalKeys):
    """The keys, and on top of them those that this run would make, which are held in memory."""

    def __init__(self) -> None:
        """Have made none yet."""
        self._made: dict[str, PersonalKey] = {}

    def find(self, conn: Connection, persons: Collection[str]) -> dict[str, PersonalKey]:
        """Return the keys of those employees who have one."""
        made = {person: self._made[person] for person in persons if person in self._made}
        return {**super().find(conn, persons), **made}

    def make(self, conn: Connection, persons: Collection[str]) -> dict[str, PersonalKey]:
        """Return the keys of the employees, made now where there is none."""
        found = self.find(conn, persons)
        self._made.update({p: PersonalKey(new_key()) for p in persons if p not in found})
        return self.find(conn, persons)


class RehearsedStaff(Staff):
    """The directory, and on top of it the employees of this run, who are held in memory."""

    def __init__(self, real: Staff) -> None:
        """Read the directory through `real`."""
        self._real = real
        self._put: dict[str, Employee] = {}

    def find_many(self, employee_ids: Collection[str]) -> Mapping[str, Employee]:
        """Return the employees with these ids, by id."""
        put = {key: self._put[key] for key in employee_ids if key in self._put}
        return {**self._real.find_many(employee_ids), **put}

    def erased(self, employee_ids: Collection[str]) -> set[str]:
        """Return those who were erased, and so can have no entry."""
        return self._real.erased(employee_ids)

    def put_many(self, employees: Sequence[Employee]) -> None:
        """Hold the employees."""
        self._put.update((employee.id, employee) for employee in employees)


@contextmanager
def rehearsal_side(database_url: str) -> Iterator[ImportSide]:
    """Open the way into a log that only this run sees; it is gone in the end."""
    # The empty name is SQLite's for a temporary file of its own, which it removes itself.
    with open_pool(database_url, 2) as pool, closing(sqlite3.connect("")) as added:
        log = RehearsedLog(PostgresRecorder(pool, facts=FACTS), added)
        events = PrefetchedEvents(event_codec(RehearsedKeys()), log)
        staff = RehearsedStaff(Staff(pool))
        directory = PrefetchedDirectory(staff)
        training = Training(log, events, directory, log)
        yield ImportSide(training, events, directory, staff, log.select_streams, pool)
