"""A whole write side: the commands, the directory, and a look into the log behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from time import monotonic, sleep
from typing import TypeVar
from uuid import UUID

from directory.employees import Employee, Employees
from domain.aggregate import Aggregate, Event
from domain.enrollment import Enrollment, Source
from domain.errors import DomainError
from domain.training import Training
from domain.training_program import TrainingProgram
from eventlog.event_store import SealingEventStore
from eventlog.pool import Pool
from eventlog.recorder import PostgresRecorder
from eventlog.snapshots import Snapshots
from rollbook.assembly import event_codec, snapshot_codec
from rollbook.migrate import FACTS
from rollbook.personal_data import PersonalData
from tests.domain.facts import details
from tests.domain.scenario import ACT
from tests.patience import PATIENCE_SECONDS

STAFF = ("ann", "bob", "cyd", "dee", "eve", "fay", "gus", "hal")

Kind = TypeVar("Kind", bound=Aggregate)


class Office:
    """What the tests of `Training` begin with."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.recorder = PostgresRecorder(pool, facts=FACTS)
        self.codec = event_codec()
        self.events = SealingEventStore(self.codec, self.recorder)
        self.employees = Employees(self.recorder)
        self.snapshots = Snapshots(self.recorder, snapshot_codec())
        personal_data = PersonalData(self.recorder)
        self.training = Training(
            self.recorder, self.events, self.employees, personal_data, self.snapshots
        )
        self.employees.put_many([Employee(name, department="Sales") for name in STAFF])
        self.employees.put(Employee("gone", active=False))

    # Short ways to what nearly every test needs.

    def program(self, code: str = "FIRE-1", **changes: object) -> UUID:
        """The id of a new published program."""
        program_id = self.draft(code, **changes)
        self.training.publish_program(program_id, ACT)
        return program_id

    def draft(self, code: str = "FIRE-1", **changes: object) -> UUID:
        """The id of a new program that is not published."""
        return self.training.create_program(details(code=code, **changes), ACT).subject.id

    def enroll(self, program_id: UUID, *employee_ids: str) -> list[UUID]:
        """The ids of their enrollments, one after the other."""
        return [
            self.training.enroll(program_id, employee_id, ACT, Source.ASSIGNED).subject.id
            for employee_id in employee_ids
        ]

    # What stands in the log.

    def log(self) -> list[tuple[int, Event]]:
        """Every event with its position."""
        notifications = self.recorder.select_notifications(None, 100_000)
        opened = zip(notifications, self.events.opened(notifications), strict=True)
        return [(it.id, event) for it, event in opened if isinstance(event, Event)]

    def kinds(self) -> list[type[Event]]:
        """The classes of all events in their order."""
        return [type(event) for _, event in self.log()]

    def transactions(self) -> list[list[str]]:
        """The topics that each transaction stored, in the order of the log."""
        with self.pool.connection() as conn:
            query = "select xmin::text, topic from rollbook.events order by position"
            rows = conn.execute(query).fetchall()
        together: dict[str, list[str]] = {}
        for transaction, topic in rows:
            together.setdefault(transaction, []).append(topic)
        return list(together.values())

    def load(self, kind: type[Kind], stream_id: UUID) -> Kind:
        """The aggregate as the log has it."""
        aggregate = kind.blank(stream_id)
        for event in self.training.history(stream_id):
            event.mutate(aggregate)
        return aggregate

    def the_program(self, program_id: UUID) -> TrainingProgram:
        return self.load(TrainingProgram, program_id)

    def the_enrollment(self, program_id: UUID, employee_id: str) -> Enrollment:
        return self.load(Enrollment, Enrollment.id_of(program_id, employee_id))

    # Commands at the same time.

    @contextmanager
    def uncommitted(self) -> Iterator[Other]:
        """What the block commands is stored, and seen by others only at the block's end."""
        with ThreadPoolExecutor(1) as threads, self.recorder.transaction():
            yield Other(self, threads)

    def is_somebody_waiting(self) -> bool:
        """Whether a connection waits for a lock that another one holds."""
        query = (
            "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            " and database = (select oid from pg_database where datname = current_database())"
        )
        with self.pool.connection() as conn:
            row = conn.execute(query).fetchone()
        return bool(row and row[0])


class Other:
    """Somebody else, who gives one command while another one is not committed yet."""

    def __init__(self, office: Office, threads: ThreadPoolExecutor) -> None:
        self._office = office
        self._threads = threads
        self._future: Future[object] | None = None

    def must_wait(self, command: Callable[[], object]) -> None:
        """Begin the command, and return when it waits for the one that is not committed."""
        self._future = self._threads.submit(command)
        deadline = monotonic() + PATIENCE_SECONDS
        while not self._office.is_somebody_waiting():
            if self._future.done() or monotonic() > deadline:
                raise AssertionError("It did not wait")
            sleep(0.002)

    def must_not_wait(self, command: Callable[[], object]) -> None:
        """Run the command to its end, while the other one is not committed."""
        self._future = self._threads.submit(command)
        self._future.result(PATIENCE_SECONDS)

    def answer(self) -> object:
        """What the command answered; raises its refusal."""
        assert self._future
        return self._future.result(PATIENCE_SECONDS)


def at_once(*commands: Callable[[], object]) -> list[object]:
    """What each of the commands answered or refused, all begun at the same moment."""
    start = Barrier(len(commands))

    def run(command: Callable[[], object]) -> object:
        start.wait(PATIENCE_SECONDS)
        try:
            return command()
        except DomainError as error:
            return error

    with ThreadPoolExecutor(len(commands)) as threads:
        return list(threads.map(run, commands))
