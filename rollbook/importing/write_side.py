"""The way into the log for imports: the commands of everybody, with reads made in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from domain.errors import DomainError
from domain.training import Training
from eventlog.many_streams import existing_streams
from eventlog.pool import Pool, open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.snapshots import Snapshots
from eventlog.wakeup import Bell
from rollbook.assembly import event_codec, snapshot_codec
from rollbook.importing.prefetch import PrefetchedDirectory, PrefetchedEvents
from rollbook.importing.staff import Staff
from rollbook.migrate import FACTS
from rollbook.personal_data import PersonalData

Item = TypeVar("Item")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class ImportSide:
    """What an import writes through."""

    training: Training
    events: PrefetchedEvents
    directory: PrefetchedDirectory
    staff: Staff
    read_streams: Callable[[Sequence[UUID]], dict[UUID, list[StoredEvent]]]
    pool: Pool

    def existing(self, stream_ids: Sequence[UUID]) -> set[UUID]:
        """Return those of the streams that are in the log; the others are known to be blank."""
        with self.pool.connection() as conn:
            existing = existing_streams(conn, stream_ids)
        self.events.know({stream_id: () for stream_id in stream_ids if stream_id not in existing})
        return existing

    def know_streams(self, stream_ids: Sequence[UUID]) -> None:
        """Read these streams now, instead of one by one when they are asked for."""
        streams = self.read_streams(stream_ids)
        opened = iter(self.events.opened([event for of in streams.values() for event in of]))
        self.events.know({key: list(islice(opened, len(of))) for key, of in streams.items()})

    def know_employees(self, employee_ids: Sequence[str]) -> None:
        """Read these employees now, instead of one by one when they are asked for."""
        self.directory.know(self.staff.find_many(employee_ids))

    def forget(self) -> None:
        """Ask for everything anew."""
        self.events.know({})
        self.directory.know({})

    def perform(
        self,
        items: Sequence[Item],
        command: Callable[[Item], Done],
        refused: Callable[[Item, DomainError], None],
    ) -> list[Done]:
        """Give the commands of all `items` in one transaction; return what became of each.

        When one is refused, each item has a transaction of its own, so that each is in the log
        as a whole or not at all; those that are refused are handed to `refused`, and left out.
        """
        try:
            return self.training.together(lambda: [command(item) for item in items]).subject
        except DomainError:
            self.forget()
        return [done for item in items for done in self._perform_alone(item, command, refused)]

    def _perform_alone(
        self,
        item: Item,
        command: Callable[[Item], Done],
        refused: Callable[[Item, DomainError], None],
    ) -> Iterator[Done]:
        try:
            yield self.training.together(lambda: command(item)).subject
        except DomainError as error:
            refused(item, error)


@contextmanager
def import_side(database_url: str) -> Iterator[ImportSide]:
    """Open the way into the log; it is closed in the end."""
    bell = Bell(database_url)
    with open_pool(database_url, 2) as pool:
        try:
            recorder = PostgresRecorder(pool, facts=FACTS, on_append=bell.ring)
            events = PrefetchedEvents(event_codec(), recorder)
            staff = Staff(pool)
            directory = PrefetchedDirectory(staff)
            snapshots = Snapshots(recorder, snapshot_codec())
            training = Training(recorder, events, directory, PersonalData(recorder), snapshots)
            yield ImportSide(training, events, directory, staff, recorder.select_streams, pool)
        finally:
            bell.close()
