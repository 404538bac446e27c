"""A page of a list reads about as many blocks in tables ten times as large."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest

from benchmarks.made_up_tables import fill
from domain.enrollment import OPEN
from eventlog.pool import Connection, connection_arguments
from projections.certificate_queries import (
    CERTIFICATES,
    CertificateFilter,
    Validity,
    count_certificates,
)
from projections.count import told
from projections.enrollment_queries import ENROLLMENTS, EnrollmentFilter, count_enrollments
from projections.keyset import Listing, Order, Window
from projections.ranges import Range
from projections.searching import search
from tests.patience import eventually
from tests.servers import Databases

SMALL, LARGE = 2_000, 20_000
MOST_TIMES = 2
"""Ten times the rows make the trees of the indexes a level deeper, or none."""
LIMIT = 10
TODAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
SOME_PROGRAMS = "SELECT id FROM rollbook_read.program_listing ORDER BY code LIMIT 5"

NOT_VACUUMED = """
SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relallvisible < relpages
    AND relnamespace IN ('rollbook'::regnamespace, 'rollbook_read'::regnamespace)
"""
PREPARED = "question"


class Counting:
    """The present, asked so that the blocks that its queries touch are counted."""

    def __init__(self, conn: Connection) -> None:
        self.present = conn
        self.blocks = 0

    def execute(
        self, query: str, values: Sequence[object] = (), *, binary: bool = False
    ) -> psycopg.Cursor[Any]:
        # What is explained with values bound to it is always planned with them.
        self.present.execute(f"PREPARE {PREPARED} AS {_numbered(query)}".encode())
        marks = f"({', '.join(['%s'] * len(values))})" if values else ""
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {PREPARED}{marks}"
        [[[found]]] = psycopg.ClientCursor(self.present).execute(explain, values).fetchall()
        self.present.execute(f"DEALLOCATE {PREPARED}".encode())
        plan = found["Plan"]
        self.blocks += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return self.present.execute(query.encode(), values, binary=binary)


def _numbered(query: str) -> str:
    first, *rest = query.split("%s")
    return "".join([first, *(f"${n}{part}" for n, part in enumerate(rest, 1))])


Ask = Callable[[Connection], None]


@pytest.fixture(scope="module")
def sizes(databases: Databases) -> Iterator[Mapping[int, Connection]]:
    with ExitStack() as stack:
        found = {}
        for size in (SMALL, LARGE):
            url = stack.enter_context(databases.fresh())
            # As readers do, so that it does not hang on what a sample of the rows makes of them.
            conn = stack.enter_context(psycopg.connect(**connection_arguments(url)))
            # The server may vacuum a table by itself while it is filled, and be waited for.
            conn.execute("SET lock_timeout = 0; SET statement_timeout = 0")
            fill(conn, size)
            eventually(lambda conn=conn: is_vacuumed(conn))  # type: ignore[misc]  # bound at once
            found[size] = conn
        yield found


def is_vacuumed(conn: Connection) -> bool:
    """Whether an index alone tells what is in the tables; they are vacuumed until it does.

    What the server does by itself meanwhile may look at rows that are vacuumed too early then.
    """
    left = [table for (table,) in conn.execute(NOT_VACUUMED)]
    for table in left:
        conn.execute(f"VACUUM {table}".encode())
    return not left


@pytest.fixture(autouse=True, params=["force_custom_plan", "force_generic_plan"])
def _planned(request: pytest.FixtureRequest, sizes: Mapping[int, Connection]) -> None:
    """Plan with the values, as for who asks first, and without, as for who asks all the time."""
    for conn in sizes.values():
        conn.execute(f"SET plan_cache_mode = {request.param}".encode())


def page(conn: Connection, listing: Listing, conditions: Any, order: Order) -> None:
    found = listing.page(conn, ["id"], conditions, Window(listing.in_full([order]), LIMIT))
    assert len(found.rows) in {0, LIMIT}


def some_programs(conn: Connection) -> list[UUID]:
    return [row[0] for row in conn.execute(SOME_PROGRAMS).fetchall()]


def enrollments(conn: Connection, order: Order, *, of_programs: bool = False, **by: Any) -> None:
    among = some_programs(conn) if of_programs else None
    wanted = EnrollmentFilter(today=TODAY, program_ids=among, **by).settled(conn)
    page(conn, ENROLLMENTS, wanted.conditions_for(order.name), order)
    told(conn, count_enrollments(getattr(conn, "present", conn), wanted))


def found_by(conn: Connection, order: Order, words: str, **by: Any) -> None:
    enrollments(conn, order, matches=search(conn, words), **by)


def certificates(conn: Connection, order: Order, **by: Any) -> None:
    wanted = CertificateFilter(today=TODAY, program_ids=some_programs(conn), **by)
    page(conn, CERTIFICATES, wanted.conditions, order)
    told(conn, count_certificates(wanted))


BEGAN = Order("began_at", descending=True)
DUE = Order("due_on", descending=False)
EMPLOYEE = Order("employee_id", descending=False)
ENDED = Order("ended_at", descending=True)
VALID_UNTIL = Order("valid_until", descending=False)
LISTS: dict[str, Ask] = {
    "of a category by due day": partial(enrollments, order=DUE, categories=["category 3"]),
    "of a category by end": partial(enrollments, order=ENDED, categories=["category 3"]),
    "of a department by end": partial(enrollments, order=ENDED, departments=["department 3"]),
    "of programs by due day": partial(enrollments, order=DUE, of_programs=True),
    "overdue in a category": partial(
        enrollments, order=DUE, categories=["category 3"], overdue=True
    ),
    "open in a category that are due in a range": partial(
        enrollments,
        order=DUE,
        categories=["category 3"],
        statuses=list(OPEN),
        ranges={"due": Range(least=date(2024, 1, 1))},
    ),
    "of programs by score": partial(
        enrollments,
        order=Order("score_percent", descending=True),
        of_programs=True,
        ranges={"score": Range(least=0)},
    ),
    "overdue with an end, which none has": partial(
        enrollments, order=DUE, overdue=True, ranges={"ended": Range(least=date(2024, 1, 1))}
    ),
    "overdue with a score, which none has": partial(
        enrollments, order=DUE, overdue=True, ranges={"score": Range(least=60)}
    ),
    "not overdue": partial(enrollments, order=DUE, overdue=False),
    "not overdue, the last first": partial(
        enrollments, order=Order("due_on", descending=True), overdue=False
    ),
    "not overdue of programs": partial(enrollments, order=DUE, of_programs=True, overdue=False),
    "by employee": partial(enrollments, order=EMPLOYEE),
    "of a department in a category": partial(
        enrollments, order=BEGAN, departments=["department 4"], categories=["category 3"]
    ),
    "of programs that are searched by employee": partial(
        found_by, order=EMPLOYEE, words="'course19':*"
    ),
    "of programs that are searched in a department": partial(
        found_by,
        order=BEGAN,
        words="'course17':* | 'course18':* | 'course19':*",
        departments=["department 4"],
    ),
    **{
        f"{name} in a range": partial(
            enrollments, order=order, ranges={name: Range(least=date(2024, 1, 1))}
        )
        for name, order in (("began", BEGAN), ("due", DUE), ("ended", ENDED))
    },
    "valid and revoked certificates": partial(
        certificates, order=VALID_UNTIL, statuses=[Validity.VALID, Validity.REVOKED]
    ),
    "certificates of programs by last day": partial(certificates, order=VALID_UNTIL),
    "valid certificates of programs": partial(
        certificates, order=VALID_UNTIL, statuses=[Validity.VALID]
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_page_reads_as_many_blocks_in_larger_tables(
    sizes: Mapping[int, Connection], name: str
) -> None:
    blocks = {}
    for size, conn in sizes.items():
        counting = Counting(conn)
        LISTS[name](cast("Connection", counting))
        blocks[size] = counting.blocks
    assert blocks[LARGE] <= MOST_TIMES * blocks[SMALL], blocks
