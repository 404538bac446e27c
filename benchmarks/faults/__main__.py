"""Fault suite: none missed, none twice, none out of order, whatever is killed meanwhile.

    python -m benchmarks.faults --events 1000000 [--database URL]

Without a database it starts a PostgreSQL of its own, and makes that one crash, too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.faults.run import Outcome, run
from benchmarks.servers import scratch_database


def main() -> int:
    """The exit status: 0 when all is as it should be."""
    arguments = parse()
    with (
        scratch_database(arguments.database) as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        outcome = run(
            database.url,
            Path(folder),
            events=arguments.events,
            writers=arguments.writers,
            readers=arguments.readers,
            crash=database.crash if database.own else None,
        )
    report(outcome)
    return 0 if outcome.as_it_should_be else 1


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults")
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--readers", type=int, default=3)
    parser.add_argument("--database", help="URL of a server on which a scratch database is made")
    return parser.parse_args()


def report(outcome: Outcome) -> None:
    """Prints what happened, and what was found."""
    print(f"{outcome.events:,} events in {outcome.seconds:.0f} s, {outcome.holes:,} holes")
    for fault, times in sorted(outcome.faults.items()):
        print(f"  {times:>6,} {fault}")
    told = outcome.writers
    print(
        f"attempts: {told.stored:,} stored, {told.refused:,} refused, "
        f"{told.never_told:,} never told, {told.wrong:,} told wrongly"
    )
    print(f"streams out of order: {outcome.streams_out_of_order:,}")
    readers = [*(("careful", verdict) for verdict in outcome.careful), ("naive", outcome.naive)]
    for name, verdict in readers:
        print(
            f"{name} reader: {verdict.missed:,} missed, {verdict.repeated:,} repeated, "
            f"{verdict.out_of_order:,} out of order"
        )
    print("as it should be" if outcome.as_it_should_be else "NOT as it should be")


if __name__ == "__main__":
    sys.exit(main())
