"""Pages of lists by every filter and order, in small and large read tables in turn.

python -m benchmarks.lists [--sizes 10000 1000000] [--rounds 1000] [--only WORD] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from flask.testing import FlaskClient

from benchmarks.asking import client_of, time_of
from benchmarks.list_questions import QUESTIONS, path_of
from benchmarks.made_up_tables import fill
from benchmarks.report import publish, table
from benchmarks.servers import connect_patiently, own_server, scratch_database
from rollbook.migrate import migrate
from rollbook.settings import Settings

WARM_UP = 8
PERCENTS = 100

Times = Mapping[int, Sequence[float]]
"""Milliseconds, by the number of enrollments in the tables."""


def main() -> None:
    """Fill tables of each size, ask them in turn, and publish how long the answers took."""
    options = parse()
    questions = [one for one in QUESTIONS if options.only in one]
    with ExitStack() as stack:
        server = options.database or stack.enter_context(own_server())
        clients = {size: stack.enter_context(filled(server, size)) for size in options.sizes}
        found = {one: ask(clients, one, options.rounds) for one in questions}
        publish("lists", server, as_table(found), {"ms": found})


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists")
    parser.add_argument("--sizes", type=int, nargs=2, default=[10_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--only", default="", help="ask only what contains this")
    parser.add_argument("--database", help="URL of a server on which scratch databases are made")
    return parser.parse_args()


@contextmanager
def filled(server: str, enrollments: int) -> Iterator[FlaskClient]:
    """A client of the API on read tables of this size."""
    with scratch_database(server) as scratch, TemporaryDirectory() as home:
        settings = Settings.from_environment({"DATABASE_URL": scratch.url, "ROLLBOOK_HOME": home})
        migrate(settings)
        with connect_patiently(scratch.url) as conn:
            fill(conn, enrollments)
        with client_of(settings, "hr_admin") as client:
            yield client


def ask(clients: Mapping[int, FlaskClient], question: str, rounds: int) -> Times:
    """Ask the sizes in turn, each round about something else."""
    times: dict[int, list[float]] = {size: [] for size in clients}
    for number in range(WARM_UP + rounds):
        for size in sorted(clients, reverse=number % 2 > 0):
            times[size].append(time_of(clients[size], path_of(question, number, size)))
    return {size: taken[WARM_UP:] for size, taken in times.items()}


def as_table(found: Mapping[str, Times]) -> str:
    """How many times as long as in the smaller tables it took, the slowest first."""
    rows: list[list[Any]] = []
    for question, times in found.items():
        small, large = (times[size] for size in sorted(times))
        middles, ends = [median(small), median(large)], [_p99(small), _p99(large)]
        rows.append([ends[1] / ends[0], middles[1] / middles[0], *middles, *ends, question])
    rows.sort(key=lambda row: row[0], reverse=True)
    sizes = [f"{size:,}" for size in sorted(next(iter(found.values())))]
    milliseconds = [f"{share} ms at {size}" for share in ("p50", "p99") for size in sizes]
    return table(["p99", "p50", *milliseconds, "list"], rows)


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=PERCENTS)[-1]


if __name__ == "__main__":
    main()
