"""Catching up: all read tables by one projector, beside the stock runner with one trivial table.

python -m benchmarks.catch_up [--events 200000] [--side-by-side 200 20000] [--rounds 3]
    [--stock-events 4000] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.clients import Rates, take_turns
from benchmarks.made_up_log import write_log
from benchmarks.projecting import catch_up, migrate_database
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


def rows(side_by_side: int, found: Mapping[str, Any]) -> list[list[object]]:
    """A line of the table for each share."""
    rates = Rates(found["events_per_second"])
    return [
        [
            side_by_side,
            share,
            found["times_stock"][share],
            found["memory_mib"][share],
            rates.median(share),
            rates.median(STOCK),
        ]
        for share in SHARES
    ]


def main() -> None:
    """Measure with few and with many enrollments that run side by side."""
    options = parse()
    results = {}
    for side_by_side in options.side_by_side:
        with scratch_database(options.database) as scratch:
            migrate_database(scratch.url)
            with connect_patiently(scratch.url) as conn:
                write_log(conn, event_codec(), options.events, side_by_side)
            results[side_by_side] = measure(scratch.url, options.rounds, options.stock_events)
            if len(results) == len(options.side_by_side):
                header = ["side by side", "tables", "to stock", "MiB", "events/s", "stock events/s"]
                lines = [line for number, found in results.items() for line in rows(number, found)]
                text = f"{options.events:,} events\n\n{table(header, lines)}"
                publish("catch_up", scratch.url, text, {"catch_up": results})


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catch_up")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--side-by-side", type=int, nargs="+", default=[200, 20_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stock-events", type=int, default=4_000)
    parser.add_argument("--database", help="URL of a server on which a scratch database is made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
