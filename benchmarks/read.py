"""Reading the log in its settled order, beside the stock recorder.

python -m benchmarks.read [--events 200000] [--rounds 5] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import LiteralString

import psycopg
from eventsourcing.persistence import Notification

from benchmarks.append import STATE, TOPIC, create_tables
from benchmarks.clients import Rates, take_turns
from benchmarks.report import publish, table
from benchmarks.servers import scratch_database
from benchmarks.stock import stock_recorder
from eventlog import statements
from eventlog.pool import open_connection
from eventlog.reader import LogReader

STREAM_LENGTH = 20
LIMIT = 1000

# Every hundredth number is missing, as after a conflict.
_FILL: LiteralString = """
insert into rollbook.events (position, stream_id, version, topic, state)
overriding system value
select n + 1 + n / 99, md5(mod(n, %(streams)s)::text)::uuid, 1 + n / %(streams)s, %(topic)s,
    %(state)s
from generate_series(0, %(events)s - 1) n
"""
_FILL_STOCK: LiteralString = """
insert into stored_events (originator_id, originator_version, topic, state, notification_id)
select stream_id, version, topic, convert_to(state::text, 'UTF8'), position from rollbook.events
"""

# Reads everything behind a position that there is; returns how many events that were.
ReadAll = Callable[[], int]


def settled(url: str) -> ReadAll:
    """All by the reader that knows the order."""

    def read() -> int:
        with open_connection(url) as conn:
            reader = LogReader(conn)
            return _count(lambda _: reader.read(LIMIT))

    return read


def unsettled(url: str) -> ReadAll:
    """The same select without a thought for what may come later."""

    def read() -> int:
        with open_connection(url) as conn, conn.cursor(binary=True) as cursor:
            return _count(lambda after: statements.select_log(cursor, after, LIMIT))

    return read


def by_stock(url: str) -> ReadAll:
    """The stock recorder's, which is right because its writers take turns."""
    recorder = stock_recorder(url)
    return lambda: _count(
        lambda after: recorder.select_notifications(after, LIMIT, inclusive_of_start=False)
    )


def _count(read: Callable[[int], list[Notification]]) -> int:
    count = after = 0
    while events := read(after):
        count += len(events)
        after = events[-1].id
    return count


def main() -> None:
    """Runs all and publishes it."""
    arguments = parse()
    with scratch_database(arguments.database) as database:
        fill(database.url, arguments.events)
        log = in_turn(
            {
                "rollbook": settled(database.url),
                "without order": unsettled(database.url),
                "stock": by_stock(database.url),
            },
            arguments.rounds,
        )
        publish("read", database.url, as_table(log), {"log": log.rounds})


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.read")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", help="URL of a server on which a scratch database is made")
    return parser.parse_args()


def fill(url: str, events: int) -> None:
    """The same events into both logs."""
    create_tables(url)
    values = {
        "streams": events // STREAM_LENGTH,
        "events": events,
        "topic": TOPIC,
        "state": STATE.decode(),
    }
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(_FILL, values)
        conn.execute(_FILL_STOCK)
        conn.execute("vacuum analyze")


def in_turn(subjects: Mapping[str, ReadAll], rounds: int) -> Rates:
    """Events per second of each."""

    def rate(subject: str) -> float:
        started = perf_counter()
        count = subjects[subject]()
        return count / (perf_counter() - started)

    return take_turns(list(subjects), rounds, rate)


def as_table(log: Rates) -> str:
    """Ratios first."""
    header = ["to stock", "to reading without order", *(f"{name} events/s" for name in log.rounds)]
    ratios = [log.ratio("rollbook", "stock"), log.ratio("rollbook", "without order")]
    lines = table(header, [[*ratios, *map(log.median, log.rounds)]])
    return f"the whole log, a number in a hundred missing\n{lines}"


if __name__ == "__main__":
    main()
