"""How long after its commit a command can be seen in the read tables.

python -m benchmarks.visible [--commands-per-second 500] [--seconds 10] [--database URL]
"""

from __future__ import annotations

import argparse
import multiprocessing
from bisect import bisect_left
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from statistics import quantiles
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any
from uuid import UUID

from benchmarks.report import publish, table
from benchmarks.servers import scratch_database
from directory.employees import Employee, Employees
from domain.act import Act
from domain.enrollment import Enrollment, Source
from domain.program_details import ProgramDetails
from domain.provenance import Provenance
from domain.training import Training
from eventlog.event_store import SealingEventStore
from eventlog.pool import open_connection, open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.wakeup import Bell
from projections import progress
from projections.names import CHANNEL
from projections.tables import PRESENT_TABLES
from rollbook.assembly import event_codec
from rollbook.migrate import FACTS, migrate
from rollbook.personal_data import PersonalData
from rollbook.settings import Settings
from workers.project import run

CODEC = event_codec()
ACT = Act(Provenance("hr", "hr_admin"))
WRITERS = 2
ENROLLMENTS = 200
PATIENCE_SECONDS = 60.0
GLANCE_SECONDS = 0.01
MS = 1000

Moment = tuple[int, float]
"""A position, and when something happened to it."""


def write(url: str, per_second: float, seconds: float, pipe: Pipe) -> None:
    """Give commands at an even pace; send when each was committed."""
    bell = Bell(url)
    with open_pool(url, 2) as pool:
        recorder = PostgresRecorder(pool, facts=FACTS, on_append=bell.ring)
        training = Training(
            recorder, SealingEventStore(CODEC, recorder), Employees(pool), PersonalData(recorder)
        )
        enrollments = enrolled(training, Employees(pool))
        pipe.send(recorder.max_notification_id())
        pipe.recv()
        committed: list[Moment] = []
        began = perf_counter()
        for number in range(int(per_second * seconds)):
            sleep(max(0.0, began + number / per_second - perf_counter()))
            percent = (number // ENROLLMENTS) / MS
            chosen = enrollments[number % ENROLLMENTS]
            done = training.record_progress(chosen, ACT, round(percent, 2))
            committed.append((done.position or 0, perf_counter()))
        pipe.send(committed)
    bell.close()


def enrolled(training: Training, employees: Employees) -> list[UUID]:
    """Enroll enough employees in a new program."""
    names = [f"e{number}" for number in range(ENROLLMENTS)]
    employees.put_many([Employee(name) for name in names])
    code = f"P{perf_counter()}"
    program_id = training.create_program(ProgramDetails(code=code, title=code), ACT).subject.id
    training.publish_program(program_id, ACT)
    for name in names:
        training.enroll(program_id, name, ACT, Source.ASSIGNED)
    return [Enrollment.id_of(program_id, name) for name in names]


def project(url: str) -> None:
    """Be the projector until killed."""
    run(url, CODEC, PRESENT_TABLES, Event())


class Observer:
    """Notes when which position could be seen in all tables."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self.seen: list[Moment] = [(0, 0.0)]
        self._thread.start()

    def wait_for(self, position: int) -> None:
        """Raises TimeoutError when the tables do not come to the position."""
        until = perf_counter() + PATIENCE_SECONDS
        while self.seen[-1][0] < position:
            if perf_counter() > until:
                raise TimeoutError(f"The tables do not come to position {position}")
            sleep(GLANCE_SECONDS)

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with open_connection(self._url) as conn:
            conn.execute(f"LISTEN {CHANNEL}".encode())
            while not self._stop.is_set():
                reached = progress.read(conn)
                position = min(reached[table.name].position for table in PRESENT_TABLES)
                if position > self.seen[-1][0]:
                    self.seen.append((position, perf_counter()))
                any(True for _ in conn.notifies(timeout=0.1, stop_after=1))


def delays(committed: Sequence[Moment], seen: Sequence[Moment]) -> list[float]:
    """Return how many seconds each commit took to be seen."""
    positions = [position for position, _ in seen]
    return [
        max(0.0, seen[bisect_left(positions, position)][1] - moment)
        for position, moment in committed
    ]


def measure(url: str, per_second: float, seconds: float) -> tuple[float, list[float]]:
    """Run writers and a projector; return the commands per second, and the delay of each."""
    context = multiprocessing.get_context("spawn")
    projector = context.Process(target=project, args=(url,), daemon=True)
    projector.start()
    pipes = []
    for _ in range(WRITERS):
        here, there = context.Pipe()
        arguments = (url, per_second / WRITERS, seconds, there)
        context.Process(target=write, args=arguments, daemon=True).start()
        pipes.append(here)
    observer = Observer(url)
    observer.wait_for(max(pipe.recv() for pipe in pipes))
    for pipe in pipes:
        pipe.send("go")
    committed = [moment for pipe in pipes for moment in pipe.recv()]
    observer.wait_for(max(position for position, _ in committed))
    observer.stop()
    projector.kill()
    projector.join()
    moments = [moment for _, moment in committed]
    reached_per_second = len(moments) / (max(moments) - min(moments))
    return reached_per_second, delays(committed, observer.seen)


def main() -> None:
    """Measure and print the usual delay, and those of the unlucky."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands-per-second", type=float, default=500)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--database", help="a server to use instead of the embedded one")
    options = parser.parse_args()
    with scratch_database(options.database) as scratch:
        migrate(Settings.from_environment({"DATABASE_URL": scratch.url}))
        reached_per_second, found = measure(
            scratch.url, options.commands_per_second, options.seconds
        )
        results: dict[str, Any] = {
            "wanted_per_second": options.commands_per_second,
            "reached_per_second": reached_per_second,
            "commands": len(found),
            "p50_ms": quantiles(found, n=100)[49] * MS,
            "p99_ms": quantiles(found, n=100)[98] * MS,
            "max_ms": max(found) * MS,
        }
        text = table(list(results), [list(results.values())])
        publish("visible", scratch.url, text, results)


if __name__ == "__main__":
    main()
