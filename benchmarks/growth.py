"""What appending, loading, listing and catching up cost when the log has grown.

python -m benchmarks.growth [--sizes 10000 1000000] [--rounds 31] [--database URL]

Ten million events (--sizes 10000 10000000) need some 15 GB and ten minutes or more.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import chain, count
from threading import Event
from time import perf_counter, sleep
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from benchmarks.append import STATE, TOPIC
from benchmarks.clients import Rates, take_turns
from benchmarks.grown_log import copy_template, grow
from benchmarks.in_memory import read_indexes
from benchmarks.report import publish, table
from benchmarks.servers import connect_patiently, own_server, scratch_database
from domain.enrollment import Enrollment
from domain.loading import Loader
from domain.snapshots import NoSnapshots
from eventlog.event_store import SealingEventStore
from eventlog.names import CHANNEL
from eventlog.pool import Connection, open_connection, open_pool
from eventlog.recorder import PostgresRecorder
from projections import progress
from projections.enrollment_queries import ENROLLMENTS, EnrollmentFilter, count_enrollments
from projections.keyset import Order, Window
from projections.tables import PRESENT_TABLES
from rollbook.assembly import event_codec
from workers.project import run

APPENDS = 300
LOADS = 300
LISTS = 50
PAGE_ROWS = 20
LATE_EVENTS = 2_000
SAMPLE = 2_000
WARM_UPS = 5
"""Rounds before those that count."""
FEWEST_ROUNDS = 2
GLANCE_SECONDS = 0.001

WORKS = ("append", "load", "list", "catch up")

_SAMPLE = "SELECT id FROM rollbook_read.enrollment_listing ORDER BY random() LIMIT %s"

Work = Callable[[], float]
"""Does something many times, and returns how many times a second."""


def appending(recorder: PostgresRecorder) -> Work:
    """Single events, each of a new stream."""

    def work() -> float:
        began = perf_counter()
        for _ in range(APPENDS):
            recorder.insert_events([StoredEvent(uuid4(), 1, TOPIC, STATE)])
        return APPENDS / (perf_counter() - began)

    return work


def loading(recorder: PostgresRecorder, streams: list[UUID]) -> Work:
    """Enrollments from anywhere in the log, counted by their events."""
    events = SealingEventStore(event_codec(), recorder)
    loader = Loader(recorder, events, NoSnapshots())
    # All once, so that their events lie in memory.
    for stream in streams:
        loader.load(Enrollment, stream)

    def work() -> float:
        chosen = random.sample(streams, min(LOADS, len(streams)))
        began = perf_counter()
        loaded = sum(loader.load(Enrollment, stream).version for stream in chosen)
        return loaded / (perf_counter() - began)

    return work


def listing(conn: Connection) -> Work:
    """The first page of all enrollments and that of one program, each with the total."""
    query = "SELECT id FROM rollbook_read.program_listing ORDER BY code"
    programs = [program_id for (program_id,) in conn.execute(query)]
    window = Window([Order("began_at", descending=True)], PAGE_ROWS)
    today = datetime.now(UTC).date()

    def ask(wanted: EnrollmentFilter) -> None:
        settled = wanted.settled(conn)
        conditions, count = settled.conditions_for("began_at"), count_enrollments(conn, settled)
        ENROLLMENTS.page(conn, list(ENROLLMENTS.fields), conditions, window, count)

    def work() -> float:
        began = perf_counter()
        for number in range(LISTS):
            ask(EnrollmentFilter(today))
            ask(EnrollmentFilter(today, program_ids=[programs[number % len(programs)]]))
        return 2 * LISTS / (perf_counter() - began)

    return work


def catching_up(url: str, copies: Iterator[int]) -> Work:
    """A projector that is running, and events that are committed all at once."""

    def work() -> float:
        with connect_patiently(url) as conn:
            wait_for_projector(conn)
            copied = copy_template(conn, next(copies), LATE_EVENTS)
            began = perf_counter()
            conn.execute(f"notify {CHANNEL}".encode())
            wait_for_projector(conn)
            return copied / (perf_counter() - began)

    return work


def wait_for_projector(conn: Connection) -> None:
    """Wait until all tables show the whole log."""
    [(last,)] = conn.execute("SELECT max(position) FROM rollbook.events").fetchall()
    names = [one.name for one in PRESENT_TABLES]
    while min(found.position for n, found in progress.read(conn).items() if n in names) < last:
        sleep(GLANCE_SECONDS)


def project(url: str) -> None:
    """Be the projector until killed."""
    run(url, event_codec(), PRESENT_TABLES, Event())


@contextmanager
def grown(url: str, events: int) -> Iterator[Mapping[str, Work]]:
    """What is measured, on a log of this size with a projector that keeps up with it."""
    copies = count(grow(url, events))
    projector = multiprocessing.get_context("spawn").Process(target=project, args=(url,))
    projector.start()
    try:
        with connect_patiently(url) as conn:
            wait_for_projector(conn)
            # What autovacuum does within a minute.
            conn.execute("vacuum analyze")
        with open_pool(url, 1) as pool, open_connection(url) as conn:
            recorder = PostgresRecorder(pool)
            chosen = conn.execute(_SAMPLE, (SAMPLE,)).fetchall()
            yield {
                "append": appending(recorder),
                "load": loading(recorder, [stream for (stream,) in chosen]),
                "list": listing(conn),
                "catch up": catching_up(url, copies),
            }
    finally:
        projector.kill()
        projector.join()


def measure(server: str, sizes: Sequence[int], rounds: int) -> dict[str, Rates]:
    """What each work reaches on logs of these sizes, which take turns."""
    with ExitStack() as stack:
        urls = [stack.enter_context(scratch_database(server)).url for _ in sizes]
        works = {
            str(size): stack.enter_context(grown(url, size))
            for size, url in zip(sizes, urls, strict=True)
        }
        for url in urls:
            read_indexes(url)
        return {what: in_turns(works, what, rounds) for what in WORKS}


def in_turns(works: Mapping[str, Mapping[str, Work]], what: str, rounds: int) -> Rates:
    """What one work reaches on logs of these sizes, once each is warm."""
    take_turns(list(works), WARM_UPS, lambda size: works[size][what]())
    return take_turns(list(works), rounds, lambda size: works[size][what]())


def main() -> None:
    """Measure, and print the cost at each size in terms of the smallest."""
    options = parse()
    with ExitStack() as stack:
        server = options.database or stack.enter_context(own_server())
        found = measure(server, options.sizes, options.rounds)
        smallest, *others = map(str, options.sizes)
        header = [
            "",
            *chain(*((f"cost at {int(size):,}", "quartiles") for size in others)),
            *(f"{size:,}: per s" for size in options.sizes),
        ]
        rows = [
            [
                what,
                *chain(*(cost(rates, smallest, o) for o in others)),
                *map(rates.median, rates.rounds),
            ]
            for what, rates in found.items()
        ]
        text = f"costs per event or page as multiples of those at {options.sizes[0]:,} events\n"
        results = {what: rates.rounds for what, rates in found.items()}
        publish("growth", server, text + table(header, rows), results)


def cost(rates: Rates, smallest: str, other: str) -> tuple[float, str]:
    """How many times as much as on the smallest log: the median, and the quartiles."""
    first, third = rates.ratio_quartiles(smallest, other)
    return rates.ratio(smallest, other), f"{first:.2f} to {third:.2f}"


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--database", help="URL of a server on which scratch databases are made")
    options = parser.parse_args()
    if options.rounds < FEWEST_ROUNDS:
        parser.error(f"--rounds: quartiles need at least {FEWEST_ROUNDS}")
    return options


if __name__ == "__main__":
    main()
