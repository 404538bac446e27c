from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from projections import analytics
from rollbook.demo import demo
from rollbook.settings import Settings
from tests.rollbook.importing import number_of_events, projected
from tests.servers import Databases

TODAY = datetime.now(UTC).date()


def make_demo(database_url: str) -> str:
    settings = Settings.from_environment({"DATABASE_URL": database_url})
    result = CliRunner().invoke(demo, obj=settings)
    assert result.exit_code == 0, result.output
    return result.stdout


def rows(database_url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database_url) as conn:
        return conn.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def demo_url(databases: Databases) -> Any:
    with databases.fresh() as url:
        make_demo(url)
        with projected(url):
            yield url


pytestmark = pytest.mark.storage


def test_there_is_an_enrollment_in_every_state(demo_url: str) -> None:
    query = "select status, count(*) from rollbook_read.enrollment_listing group by status"
    found = dict(rows(demo_url, query))
    assert set(found) == {
        "waitlisted",
        "enrolled",
        "in_progress",
        "completed",
        "failed",
        "withdrawn",
    }
    assert 240 <= sum(found.values()) <= 260
    assert found["completed"] > 100
    assert min(found.values()) >= 3


def test_there_is_a_program_in_every_state(demo_url: str) -> None:
    query = "select status, count(*) from rollbook_read.program_listing group by status"
    found = dict(rows(demo_url, query))
    assert found == {"draft": 1, "published": 10, "closed": 1, "archived": 1}


def test_some_are_overdue(demo_url: str) -> None:
    query = (
        "select count(*) from rollbook_read.enrollment_listing"
        " where status in ('enrolled', 'in_progress') and due_on < current_date"
    )
    assert rows(demo_url, query)[0][0] >= 3


def test_some_certificates_are_valid_some_expired_and_one_is_revoked(demo_url: str) -> None:
    with psycopg.connect(demo_url) as conn:
        found = analytics.overview(conn, TODAY).certificates
    assert found.valid > 50
    assert found.expired >= 3
    assert found.expiring_within_30_days >= 1
    assert found.revoked >= 1


def test_nothing_happens_in_the_future(demo_url: str) -> None:
    query = (
        "select max(state ->> 'effective_at'), min(state ->> 'effective_at') from rollbook.events"
    )
    ((last, first),) = rows(demo_url, query)
    assert last <= datetime.now(UTC).isoformat()
    assert (TODAY - date.fromisoformat(first[:10])).days < 500


def test_it_is_not_made_twice(demo_url: str) -> None:
    events = number_of_events(demo_url)
    assert make_demo(demo_url) == "The log is not empty: the demo was not made.\n"
    assert number_of_events(demo_url) == events


def test_it_is_the_same_every_time(demo_url: str, database_url: str) -> None:
    make_demo(database_url)
    query = "select topic, count(*) from rollbook.events group by topic order by topic"
    assert rows(database_url, query) == rows(demo_url, query)
