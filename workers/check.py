"""Comparing the live tables with what the log makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from eventlog.pool import Connection
from projections import progress
from projections.comparing import Difference, differences
from projections.progress import Progress
from projections.session import open_patient
from projections.switching import live_progress
from projections.table import ReadTable
from workers.build import Builder

OnDifference = Callable[[Difference], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a live table compares with the log.

    Attributes:
        position: where they were compared.
        events: how many events the table says it took in up to there.
        events_in_log: how many the log has up to there.
        digest_matches: whether it took in exactly these, in this order.
        differences: how many rows, of the table and its summaries, are not as the log makes them.
    """

    table: str
    position: int
    events: int
    events_in_log: int
    digest_matches: bool
    differences: int

    @property
    def holds(self) -> bool:
        """Whether all is proven."""
        return self.digest_matches and not self.differences


@contextmanager
def one_moment(conninfo: str) -> Iterator[Connection]:
    """A connection that sees the live tables as they are now, however long it looks."""
    with open_patient(conninfo) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        with conn.transaction():
            yield conn


def compare(
    conninfo: str,
    builder: Builder,
    tables: Sequence[ReadTable[Any]],
    schema: str,
    on_difference: OnDifference,
) -> list[Verdict]:
    """Bring the built tables to where the live ones are, and compare them there."""
    verdicts = []
    with one_moment(conninfo) as live, open_patient(conninfo) as built:
        reached = live_progress(live)
        for table in sorted(tables, key=lambda table: reached[table.name].position):
            builder.build_to(reached[table.name].position, [table])
            by_log = progress.read(built, schema)[table.name]
            found = 0
            with built.transaction():
                for difference in differences(live, built, schema, table):
                    on_difference(difference)
                    found += 1
            verdicts.append(_verdict(table.name, reached[table.name], by_log, found))
    return verdicts


def _verdict(table: str, live: Progress, by_log: Progress, found: int) -> Verdict:
    return Verdict(
        table=table,
        position=live.position,
        events=live.events,
        events_in_log=by_log.events,
        digest_matches=live == by_log,
        differences=found,
    )
