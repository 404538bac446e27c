"""Appending events, beside the stock recorder and beside the same clients' plain INSERT.

python -m benchmarks.append [--rounds 12] [--seconds 0.4] [--clients 1 8 16] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import psycopg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from benchmarks.clients import Rates, Step, Subject, clients, take_turns
from benchmarks.report import publish, table
from benchmarks.servers import scratch_database
from benchmarks.stock import stock_recorder
from eventlog.pool import open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.schema import migrate

TOPIC = "enrollment.completed.v1"
STATE = (
    b'{"recorded_at":"2026-11-23T09:00:00.123456Z","effective_at":"2026-11-23T09:00:00.123456Z",'
    b'"provenance":{"actor":"5a1c1c1e-5d3b-4f57-9a56-0242ac120002","role":"instructor",'
    b'"on_behalf_of":null,"correlation_id":"7f8e6a3c-0d52-4c0e-8d53-0242ac120002",'
    b'"causation_id":null},"program_id":"3b9f0f0e-98c4-4b5c-9a56-0242ac120002",'
    b'"employee_id":"0199b1f4-6f8e-4c3a-9a56-0242ac120002","score_percent":87.5,"grade":null}'
)
BATCH = 100

_PLAIN_INSERT = (
    "insert into plain.events (stream_id, version, topic, state) values (%s, %s, %s, %s)"
)


def rollbook(url: str) -> PostgresRecorder:
    """The recorder of this project."""
    return PostgresRecorder(open_pool(url, 1))


def one_event(recorder: ApplicationRecorder) -> Step:
    """Appends the first event of a new stream."""

    def step() -> int:
        recorder.insert_events([StoredEvent(uuid4(), 1, TOPIC, STATE)])
        return 1

    return step


def many_events(recorder: ApplicationRecorder) -> Step:
    """Appends the first events of a new stream, all at once."""

    def step() -> int:
        stream = uuid4()
        recorder.insert_events(
            [StoredEvent(stream, version, TOPIC, STATE) for version in range(1, BATCH + 1)]
        )
        return BATCH

    return step


def plain_insert(url: str) -> Step:
    """The same row by psycopg alone, into a table with the same indexes."""
    conn = psycopg.connect(url, autocommit=True)

    def step() -> int:
        conn.execute(_PLAIN_INSERT, (uuid4(), 1, TOPIC, STATE.decode()))
        return 1

    return step


def rollbook_one(url: str) -> Step:
    """A subject for client processes."""
    return one_event(rollbook(url))


def stock_one(url: str) -> Step:
    """A subject for client processes."""
    return one_event(stock_recorder(url))


def rollbook_many(url: str) -> Step:
    """A subject for client processes."""
    return many_events(rollbook(url))


def stock_many(url: str) -> Step:
    """A subject for client processes."""
    return many_events(stock_recorder(url))


ONE: Mapping[str, Subject] = {
    "rollbook": rollbook_one,
    "plain INSERT": plain_insert,
    "stock": stock_one,
}
MANY: Mapping[str, Subject] = {"rollbook": rollbook_many, "stock": stock_many}


def create_tables(url: str) -> None:
    """The three logs that are compared."""
    with psycopg.connect(url) as conn:
        migrate(conn)
        conn.execute("create schema plain")
        conn.execute("create table plain.events (like rollbook.events including all)")
    stock_recorder(url).create_table()


def main() -> None:
    """Runs all and publishes it."""
    arguments = parse()
    with scratch_database(arguments.database) as database:
        create_tables(database.url)
        one, many = {}, {}
        for count in arguments.clients:
            one[count] = rates(database.url, ONE, count, arguments)
            many[count] = rates(database.url, MANY, count, arguments)
        text = f"{single_table(one)}\n\n{batch_table(many)}"
        publish("append", database.url, text, {"single": plain(one), "batches": plain(many)})


def rates(
    url: str, subjects: Mapping[str, Subject], count: int, arguments: argparse.Namespace
) -> Rates:
    """What so many clients reach with each of the subjects."""
    with clients(url, subjects, count) as running:
        return take_turns(
            list(subjects),
            arguments.rounds,
            lambda subject: running.rate(subject, arguments.seconds),
        )


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.append")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 16])
    parser.add_argument("--database", help="URL of a server on which a scratch database is made")
    return parser.parse_args()


def single_table(found: Mapping[int, Rates]) -> str:
    """Ratios first."""
    header = ["clients", "to stock", "to plain INSERT", *(f"{name}/s" for name in ONE)]
    rows = [
        [
            count,
            rates.ratio("rollbook", "stock"),
            rates.ratio("rollbook", "plain INSERT"),
            *(rates.median(name) for name in ONE),
        ]
        for count, rates in found.items()
    ]
    return "single events\n" + table(header, rows)


def batch_table(found: Mapping[int, Rates]) -> str:
    """Ratios first."""
    header = ["clients", "to stock", *(f"{name} events/s" for name in MANY)]
    rows = [
        [count, rates.ratio("rollbook", "stock"), *(rates.median(name) for name in MANY)]
        for count, rates in found.items()
    ]
    return f"batches of {BATCH}\n" + table(header, rows)


def plain(found: Mapping[int, Rates]) -> dict[int, dict[str, Any]]:
    """Events per second of every round, for the JSON."""
    return {count: rates.rounds for count, rates in found.items()}


if __name__ == "__main__":
    main()
