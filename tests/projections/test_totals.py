"""What the tables of counts tell is what one finds who counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Any, Literal
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from benchmarks.made_up_tables import fill
from domain.enrollment import EnrollmentStatus
from eventlog.pool import Connection, connection_arguments
from projections import keyset
from projections.certificate_queries import (
    CERTIFICATES,
    CertificateFilter,
    Validity,
    count_certificates,
)
from projections.count import told
from projections.enrollment_queries import ENROLLMENTS, EnrollmentFilter, count_enrollments
from projections.ranges import Range
from tests.servers import Databases

TODAY = date(2026, 6, 1)
ENROLLMENTS_MADE_UP = 5_000

days = st.dates(date(2023, 10, 1), date(2027, 3, 1))
scores = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)
statuses = st.none() | st.lists(st.sampled_from(EnrollmentStatus), unique=True, min_size=1)
validities = st.none() | st.lists(st.sampled_from(Validity), unique=True, min_size=1)
within = st.sampled_from(("all", "programs", "departments"))
some = st.sets(st.integers(0, 19), min_size=1, max_size=3)


def ranges_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Range]:
    return st.builds(Range, st.none() | values, st.none() | values)


asked = st.none() | st.one_of(
    *(st.tuples(st.just(name), ranges_of(days)) for name in ("began", "due", "ended")),
    st.tuples(st.just("score"), ranges_of(scores)),
)


@pytest.fixture(scope="module")
def conn(databases: Databases) -> Iterator[Connection]:
    with (
        databases.fresh() as url,
        psycopg.connect(**connection_arguments(url)) as conn,
        pytest.MonkeyPatch.context() as patch,
    ):
        conn.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        fill(conn, ENROLLMENTS_MADE_UP)
        # What is left at an end of a range can be counted, and hardly anything else.
        patch.setattr(keyset, "MAX_COUNTED", 60)
        yield conn


def programs(conn: Connection, numbers: set[int]) -> list[UUID]:
    query = "SELECT id FROM rollbook_read.program_listing ORDER BY code"
    found = [program_id for (program_id,) in conn.execute(query)]
    return [found[number] for number in sorted(numbers)]


ON_ONE_DATABASE = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ON_ONE_DATABASE
@given(by=asked, having=statuses, where=within, numbers=some, overdue=st.none() | st.booleans())
def test_enrollments_with_one_range_in_programs_or_departments_are_told(
    conn: Connection,
    *,
    by: tuple[str, Range] | None,
    having: list[EnrollmentStatus] | None,
    where: Literal["all", "programs", "departments"],
    numbers: set[int],
    overdue: bool | None,
) -> None:
    assume(by is None or overdue is None)
    wanted = EnrollmentFilter(
        today=TODAY,
        statuses=having,
        program_ids=programs(conn, numbers) if where == "programs" else None,
        departments=[f"department {n}" for n in numbers] if where == "departments" else None,
        overdue=overdue,
        ranges={} if by is None else dict([by]),
    ).settled(conn)
    counted = told(conn, ENROLLMENTS.count_all(wanted.counted))
    assert told(conn, count_enrollments(conn, wanted)) == counted


@ON_ONE_DATABASE
@given(st.sampled_from(("issued", "last_day", None)), ranges_of(days), validities, st.none() | some)
def test_certificates_by_a_day_in_programs_are_told(
    conn: Connection,
    by: str | None,
    wanted_days: Range,
    having: list[Validity] | None,
    numbers: set[int] | None,
) -> None:
    wanted = CertificateFilter(
        today=TODAY,
        statuses=having,
        program_ids=None if numbers is None else programs(conn, numbers),
        **({} if by is None else {by: wanted_days}),  # type: ignore[arg-type]  # both are ranges
    )
    # By both days at once they are not kept.
    assume(by != "issued" or not wanted.is_by_last_day)
    counted = told(conn, CERTIFICATES.count_all(wanted.conditions))
    assert told(conn, count_certificates(wanted)) == counted


def test_there_is_something_to_count(conn: Connection) -> None:
    of = {
        status: told(conn, count_enrollments(conn, EnrollmentFilter(TODAY, statuses=[status])))
        for status in EnrollmentStatus
    }
    assert sum(number or 0 for number in of.values()) == ENROLLMENTS_MADE_UP
    assert all(of.values())
    for validity, near in product(Validity, (None, 365)):
        is_there = near is None or validity is Validity.VALID
        wanted = CertificateFilter(TODAY, statuses=[validity], expiring_within_days=near)
        assert bool(told(conn, count_certificates(wanted))) == is_there
