"""Figures and lists of the past: how long each takes, and how fast the histories catch up.

python -m benchmarks.as_of [--events 1000000] [--rounds 10] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date, timedelta
from statistics import median
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any

from benchmarks.made_up_log import BEGIN, write_log
from benchmarks.projecting import migrate_database
from benchmarks.report import publish, table
from benchmarks.servers import connect_patiently, scratch_database
from projections import analytics, progress, rankings
from projections.as_of import AsOf, Moment
from projections.certificate_queries import CERTIFICATES, CertificateFilter, Validity
from projections.conditions import Conditions
from projections.enrollment_queries import ENROLLMENTS, EnrollmentFilter
from projections.histories import HISTORIES
from projections.keyset import Listing, Order, Page, Window
from projections.program_queries import PROGRAMS, ProgramFilter
from projections.session import open_patient
from rollbook.assembly import event_codec
from workers.project import run

CODEC = event_codec()
PAGE_ROWS = 50
GLANCE_SECONDS = 0.1
MS_PER_SECOND = 1000
SHARES = (0.25, 0.5, 0.9)
"""At which parts of the log's time the past is asked for."""

Question = Callable[[Any, date], object]

QUESTIONS: dict[str, Question] = {
    "overview": analytics.overview,
    "outcomes": lambda conn, _: analytics.outcomes(conn),
    "by category": lambda conn, _: analytics.by_category(conn),
    "recent completions": lambda conn, _: rankings.recent_completions(conn, 10),
    "top performers": lambda conn, _: rankings.top_performers(conn, 1, 10),
    "programs": lambda conn, _: first_page(
        conn, PROGRAMS, ProgramFilter().conditions, Order("title", descending=False)
    ),
    "enrollments": lambda conn, today: first_page(
        conn,
        ENROLLMENTS,
        EnrollmentFilter(today).settled(conn).conditions_for("began_at"),
        Order("began_at", descending=True),
    ),
    "valid certificates": lambda conn, today: first_page(
        conn,
        CERTIFICATES,
        CertificateFilter(today, statuses=[Validity.VALID]).conditions,
        Order("issued_at", descending=True),
    ),
}


def first_page(conn: Any, listing: Listing, wanted: Conditions, order: Order) -> Page:
    """The first rows in this order, with all of their fields."""
    return listing.page(conn, list(listing.fields), wanted, Window([order], PAGE_ROWS))


def catch_up(url: str) -> float:
    """Let one projector build all histories; return how many events it took in a second."""
    stop = Event()
    thread = Thread(target=run, args=(url, CODEC, HISTORIES, stop))
    with open_patient(url) as conn:
        [(last, events)] = conn.execute("SELECT max(position), count(*) FROM rollbook.events")
        began = perf_counter()
        thread.start()
        names = [table.name for table in HISTORIES]
        while min(progress.read(conn)[name].position for name in names) < last:
            sleep(GLANCE_SECONDS)
        seconds = perf_counter() - began
    stop.set()
    thread.join()
    return float(events / seconds)


def measure(url: str, events: int, rounds: int) -> dict[str, dict[str, float]]:
    """Ask each question at each moment; return the times in milliseconds."""
    found: dict[str, dict[str, float]] = {}
    with connect_patiently(url) as conn:
        conn.execute("VACUUM ANALYZE")
    with open_patient(url) as conn:
        for name, ask in QUESTIONS.items():
            taken = []
            for share in SHARES:
                at = BEGIN + timedelta(seconds=events * share)
                for _ in range(rounds):
                    began = perf_counter()
                    ask(AsOf(conn, Moment(at, at), CODEC), at.date())
                    taken.append((perf_counter() - began) * MS_PER_SECOND)
            found[name] = {"median_ms": median(taken), "slowest_ms": max(taken)}
    return found


def main() -> None:
    """Measure at a log of this length; an event of it is recorded every second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--database", help="a server to use instead of the embedded one")
    options = parser.parse_args()
    with scratch_database(options.database) as scratch:
        migrate_database(scratch.url)
        with connect_patiently(scratch.url) as conn:
            write_log(conn, CODEC, options.events)
        rate = catch_up(scratch.url)
        found = measure(scratch.url, options.events, options.rounds)
        rows = [[name, *times.values()] for name, times in found.items()]
        text = (
            f"{options.events:,} events, histories by one projector at {rate:,.0f} events/s\n\n"
            + table(["as of the past", "median ms", "slowest ms"], rows)
        )
        results = {"events": options.events, "catch_up_per_second": rate, "questions": found}
        publish("as_of", scratch.url, text, {"as_of": results})


if __name__ == "__main__":
    main()
