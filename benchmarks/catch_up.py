"""Catching up: all read tables by one projector, beside the stock runner with one trivial table.

python -m benchmarks.catch_up [--events 200000] [--side-by-side 200 20000] [--oulad DIR]
    [--rounds 3] [--stock-events 4000] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.clients import Rates, take_turns
from benchmarks.made_up_log import write_log
from benchmarks.projecting import catch_up, migrate_database
from benchmarks.real_log import import_day_by_day, import_records
from benchmarks.report import publish, table
from benchmarks.servers import connect_patiently, scratch_database
from benchmarks.stock import copy_log, rate_of_stock_runner
from projections.tables import ALL_TABLES, PRESENT_TABLES
from rollbook.assembly import event_codec

STOCK = "stock"
SHARES = {
    "of the present": [table.name for table in PRESENT_TABLES],
    "all": [table.name for table in ALL_TABLES],
}
"""What one projector keeps: `rollbook run` gives those of the past to another one."""


def measure(url: str, rounds: int, stock_events: int) -> dict[str, Any]:
    """The rates of projectors and of the stock runner in turn, and the memory of the former."""
    memory_mib = dict.fromkeys(SHARES, 0.0)

    def projector(share: str) -> Callable[[], float]:
        def run() -> float:
            found = catch_up(url, SHARES[share])
            memory_mib[share] = max(memory_mib[share], found.memory_mib)
            return found.events_per_second

        return run

    subjects: Mapping[str, Callable[[], float]] = {
        **{share: projector(share) for share in SHARES},
        STOCK: lambda: rate_of_stock_runner(url, stock_events),
    }
    copy_log(url, stock_events)
    rates = take_turns(list(subjects), rounds, lambda subject: subjects[subject]())
    return {
        "times_stock": {share: rates.ratio(share, STOCK) for share in SHARES},
        "memory_mib": memory_mib,
        "events_per_second": rates.rounds,
    }


def rows(log: str, found: Mapping[str, Any]) -> list[list[object]]:
    """A line of the table for each share."""
    rates = Rates(found["events_per_second"])
    return [
        [
            log,
            share,
            found["times_stock"][share],
            found["memory_mib"][share],
            rates.median(share),
            rates.median(STOCK),
        ]
        for share in SHARES
    ]


def logs(options: argparse.Namespace) -> dict[str, Callable[[str], None]]:
    """What writes each log into an empty database, by what the log is."""

    def made_up(side_by_side: int) -> Callable[[str], None]:
        def write(url: str) -> None:
            with connect_patiently(url) as conn:
                write_log(conn, event_codec(), options.events, side_by_side)

        return write

    found = {f"{number:,} side by side": made_up(number) for number in options.side_by_side}
    if options.oulad is not None:
        found["OULAD as imported"] = partial(import_records, folder=options.oulad)
        found["OULAD day by day"] = partial(
            import_day_by_day, folder=options.oulad, server=options.database
        )
    return found


def main() -> None:
    """Measure on made-up logs, with few and many enrollments side by side, and on real ones."""
    options = parse()
    results: dict[str, dict[str, Any]] = {}
    to_write = logs(options)
    for log, write in to_write.items():
        with scratch_database(options.database) as scratch:
            migrate_database(scratch.url)
            write(scratch.url)
            results[log] = measure(scratch.url, options.rounds, options.stock_events)
            if len(results) == len(to_write):
                header = ["log", "tables", "to stock", "MiB", "events/s", "stock events/s"]
                lines = [line for log, found in results.items() for line in rows(log, found)]
                text = f"{options.events:,} made-up events\n\n{table(header, lines)}"
                publish("catch_up", scratch.url, text, {"catch_up": results})


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catch_up")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--side-by-side", type=int, nargs="+", default=[200, 20_000])
    parser.add_argument("--oulad", type=Path, help="folder with the records of that data set")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stock-events", type=int, default=4_000)
    parser.add_argument("--database", help="URL of a server on which a scratch database is made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
