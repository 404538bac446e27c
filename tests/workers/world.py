"""A small world over a test's database: commands to fill the log, and what the tables hold."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from directory.employees import Employee, Employees
from domain.act import Act
from domain.enrollment import Enrollment, Source
from domain.program_details import Certification, ProgramDetails
from domain.provenance import Provenance
from domain.training import Training
from eventlog.event_store import SealingEventStore
from eventlog.pool import open_connection, open_pool
from eventlog.reader import RowReader
from eventlog.recorder import PostgresRecorder
from eventlog.wakeup import Bell
from projections import progress
from projections.batch import Lockstep, Stored
from projections.decoding import decoded
from projections.lease import Lease
from projections.names import LIVE
from projections.store import create_tables, sql_tables
from projections.table import ReadTable
from projections.tables import ALL_TABLES
from rollbook.assembly import event_codec
from rollbook.migrate import FACTS
from rollbook.personal_data import PersonalData
from workers import project

CODEC = event_codec()
ACT = Act(Provenance("hr", "hr_admin"))


@contextmanager
def write_side(url: str) -> Iterator[Training]:
    """The write door on the database, with 200 employees e0 to e199 in the directory."""
    bell = Bell(url)
    with open_pool(url, 4) as pool:
        employees = Employees(pool)
        employees.put_many([Employee(f"e{i}", department=f"d{i % 3}") for i in range(200)])
        recorder = PostgresRecorder(pool, facts=FACTS, on_append=bell.ring)
        yield Training(
            recorder, SealingEventStore(CODEC, recorder), employees, PersonalData(recorder)
        )
        bell.close()


def published(training: Training, code: str, capacity: int | None = None) -> UUID:
    """A new published program with a certificate."""
    details = ProgramDetails(
        code=code, title=code, capacity=capacity, certification=Certification(offered=True)
    )
    program = training.create_program(details, ACT).subject
    training.publish_program(program.id, ACT)
    return program.id


def train(training: Training, program_id: UUID, employee: str) -> int:
    """Enroll, one step, complete; the position of the end."""
    training.enroll(program_id, employee, ACT, Source.ASSIGNED)
    enrollment_id = Enrollment.id_of(program_id, employee)
    training.record_progress(enrollment_id, ACT, 50.0)
    return training.complete(enrollment_id, ACT, 80.0).position or 0


@contextmanager
def projecting(url: str, tables: Sequence[ReadTable[Any]] = ALL_TABLES) -> Iterator[None]:
    """A projector in a thread, stopped in the end."""
    stop = Event()
    thread = Thread(target=project.run, args=(url, CODEC, tables, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def projector(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A projector as a process of its own."""
    program = (
        "import sys, threading; from tests.workers.world import CODEC, ALL_TABLES;"
        "from workers.project import run; run(sys.argv[1], CODEC, ALL_TABLES, threading.Event())"
    )
    process = subprocess.Popen([sys.executable, "-c", program, url])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def tables_by_a_rebuild(
    url: str, tables: Sequence[ReadTable[Any]] = ALL_TABLES
) -> dict[str, set[Any]]:
    """All rows as a fold of the whole log makes them, in a schema beside the live one.

    Summaries are added up with every event, however long the log is.
    """
    with open_connection(url) as reading, open_connection(url) as writing:
        create_tables(writing, ALL_TABLES, "rebuilt")
        writing.execute("UPDATE rebuilt.progress SET filled = true, adds_up = true")
        lease = Lease("rebuilt")
        taken = lease.take(writing, tables)
        lockstep = Lockstep(lease, [Stored(writing, t, "rebuilt", taken[t.name]) for t in tables])
        reader = RowReader(reading)
        while events := reader.read(1000):
            lockstep.apply(writing, decoded(CODEC, writing, events))
    return all_rows(url, "rebuilt")


def all_rows(url: str, schema: str = LIVE) -> dict[str, set[Any]]:
    """Every row of every table and summary, and the progress, in `schema`."""
    with psycopg.connect(url) as conn:
        found: dict[str, set[Any]] = {
            name: set(
                conn.execute(SQL("SELECT t::text FROM {} t").format(Identifier(schema, name)))
            )
            for name in sql_tables(ALL_TABLES)
        }
        return found | {"progress": set(progress.read(conn, schema).items())}
