"""Questions of auditors in a long log: how long the API takes, with the log of each look.

python -m benchmarks.audit [--events 1000000] [--requests 1000] [--database URL]
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from statistics import quantiles
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any

import psycopg
from flask.testing import FlaskClient

from benchmarks.asking import client_of, time_of
from benchmarks.made_up_log import BEGIN, write_log
from benchmarks.report import publish, table
from benchmarks.servers import scratch_database
from domain.enrollment import Enrollment
from eventlog.pool import open_connection
from projections import progress
from projections.audit_trail import AUDIT_TRAIL
from rollbook.assembly import event_codec
from rollbook.migrate import migrate
from rollbook.settings import Settings
from workers.project import run

CODEC = event_codec()
GLANCE_SECONDS = 0.05
DAY = timedelta(days=1)
PERCENTS = 100

_SAMPLE = """
SELECT stream_id, employee_id, program_id, correlation_id
FROM rollbook_read.audit_trail WHERE position = ANY(%s) AND employee_id IS NOT NULL
"""


def main() -> None:
    """Fill a log and its trail, ask, and publish how long the answers took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--database", help="a server to use instead of the embedded one")
    options = parser.parse_args()
    with scratch_database(options.database) as scratch, TemporaryDirectory() as home:
        settings = Settings.from_environment({"DATABASE_URL": scratch.url, "ROLLBOOK_HOME": home})
        migrate(settings)
        with open_connection(scratch.url) as conn:
            conn.execute("SET statement_timeout = 0")
            write_log(conn, CODEC, options.events, side_by_side=20_000)
        # As the login: the application's role does not own the events, and may not analyze them.
        with psycopg.connect(scratch.url, autocommit=True) as owner:
            owner.execute("ANALYZE rollbook.events")
        rate = fill_trail(scratch.url, options.events)
        questions = sample(scratch.url, options.events, options.requests)
        with client_of(settings, "auditor") as client:
            found = {name: ask(client, paths) for name, paths in questions.items()}
        header = ["question", "median ms", "p99 ms", "longest ms"]
        rows = [[name, *times.values()] for name, times in found.items()]
        text = f"{options.events:,} events; trail filled at {rate:,.0f} events/s\n\n"
        publish("audit", scratch.url, text + table(header, rows), {"trail": rate, "audit": found})


def fill_trail(url: str, events: int) -> float:
    """Let one projector fill the audit trail alone; the events a second."""
    stop = Event()
    projector = Thread(target=run, args=(url, CODEC, [AUDIT_TRAIL], stop))
    with open_connection(url) as conn:
        began = perf_counter()
        projector.start()
        while progress.read(conn)[AUDIT_TRAIL.name].events < events:
            sleep(GLANCE_SECONDS)
        seconds = perf_counter() - began
        stop.set()
        projector.join()
        conn.execute("SET statement_timeout = 0")
        conn.execute("VACUUM ANALYZE rollbook_read.audit_trail")
    return events / seconds


def sample(url: str, events: int, requests: int) -> Mapping[str, Sequence[str]]:
    """Paths of questions about enrollments, people and requests from anywhere in the log."""
    positions = random.Random(1).sample(range(1, events + 1), 2 * requests)  # noqa: S311  # nothing secret
    with open_connection(url) as conn:
        found = conn.execute(_SAMPLE, (positions,)).fetchall()[:requests]
    return {
        "history of an enrollment": [f"enrollments/{stream}" for stream, _, _, _ in found],
        "history of a person": [f"employees/{employee}" for _, employee, _, _ in found],
        "events of a request": [f"events?correlation_id={request}" for *_, request in found],
        "completions of a program": [
            f"events?program_id={program}&type={Enrollment.Completed.TOPIC}"
            for _, _, program, _ in found
        ],
        "events before a day": [
            f"events?recorded_before={BEGIN + day * DAY / requests:%Y-%m-%dT%H:%M:%SZ}"
            for day in range(1, requests + 1)
        ],
        "the latest events": ["events"] * requests,
    }


def ask(client: FlaskClient, paths: Sequence[str]) -> dict[str, Any]:
    """Ask one after the other; milliseconds."""
    times = [time_of(client, f"audit/{path}") for path in paths]
    cuts = quantiles(times, n=PERCENTS)
    return {"median": cuts[49], "p99": cuts[98], "longest": max(times)}


if __name__ == "__main__":
    main()
