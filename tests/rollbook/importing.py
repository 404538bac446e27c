"""Runs imports on a test's database, and tells what came of them."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Signal
from threading import Thread
from typing import Any

import psycopg
from click.testing import CliRunner, Result

from domain.enrollment import Enrollment
from eventlog.pool import open_connection
from projections import analytics, progress, rankings
from projections.outcomes import Outcomes
from projections.tables import ALL_TABLES
from rollbook.assembly import event_codec
from rollbook.commands_import import import_
from rollbook.importing.team_programs import holder_of
from rollbook.importing.write_side import import_side
from rollbook.settings import Settings
from tests.patience import PATIENCE_SECONDS
from workers import project

OULAD = Path(__file__).parents[1] / "data" / "oulad"
NOT_TOLD = {"cycle", "source", "program_revision", "program_id", "employee_id", "title"}


def run_import(database_url: str, *arguments: str | Path) -> Result:
    """`rollbook import ARGUMENTS` on the database."""
    settings = Settings.from_environment({"DATABASE_URL": database_url})
    return CliRunner().invoke(import_, [str(a) for a in arguments], obj=settings)


def number_of_events(database_url: str) -> int:
    with psycopg.connect(database_url) as conn:
        row = conn.execute("select count(*) from rollbook.events").fetchone()
    return int(row[0]) if row else 0


def history(database_url: str, code: str, employee_id: str) -> list[tuple[Any, ...]]:
    """What is recorded of an employee in a program: each fact, its day, and what it says."""
    with import_side(database_url) as side:
        program_id = holder_of(side.training, code)
        if program_id is None:
            return []
        return told(side.training.history(Enrollment.id_of(program_id, employee_id)))


def program_history(database_url: str, code: str) -> list[tuple[Any, ...]]:
    with import_side(database_url) as side:
        program_id = holder_of(side.training, code)
        return told(side.training.history(program_id)) if program_id else []


def told(events: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [(type(e).__name__, e.effective_at.date().isoformat(), *_facts(e)) for e in events]


def _facts(event: Any) -> Iterator[Any]:
    for name in type(event).__annotations__:
        value = getattr(event, name)
        if name not in NOT_TOLD and isinstance(value, str | float) and name != "number":
            yield value


def figures(database_url: str) -> dict[str, Any]:
    """What the read tables say, once they are up with the log; in the shape of `oulad_count`."""
    with projected(database_url), open_connection(database_url) as conn:
        top = rankings.top_performers(conn, min_programs=2, limit=10)
        return {
            "outcomes": told_outcomes(analytics.outcomes(conn)),
            "completion_rate": analytics.outcomes(conn).completion_rate.value,
            "pass_rate": analytics.outcomes(conn).pass_rate.value,
            "by_category": {
                found.category: told_outcomes(found.outcomes)
                for found in analytics.by_category(conn)
                if found.outcomes.by_status.total
            },
            "by_program": {
                code: told_outcomes(analytics.outcomes(conn, program_id=program_id))
                for program_id, code in conn.execute(
                    "select id, code from rollbook_read.program_listing"
                ).fetchall()
                if analytics.outcomes(conn, program_id=program_id).by_status.total
            },
            "by_department": {
                department: told_outcomes(analytics.outcomes(conn, department=department))
                for (department,) in conn.execute(
                    "select distinct department from rollbook_read.enrollment_listing"
                ).fetchall()
            },
            "certificates": _one(conn, "select count(*) from rollbook_read.certificate_register"),
            "employees": _one(conn, "select count(*) from rollbook.employees"),
            "enrollments": _one(conn, "select count(*) from rollbook_read.enrollment_listing"),
            "programs": _one(conn, "select count(*) from rollbook_read.program_listing"),
            "events": _one(conn, "select count(*) from rollbook.events"),
            "top_performers": [
                [p.employee_id, round(p.mean_score_percent.value or 0, 6)] for p in top.performers
            ],
        }


def told_outcomes(outcomes: Outcomes) -> dict[str, int]:
    names = ("completed", "failed", "withdrawn", "cancelled")
    return {name: getattr(outcomes, name) for name in names}


def _one(conn: psycopg.Connection[Any], query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def projected(database_url: str) -> Iterator[None]:
    """Inside, the read tables are up with the log."""
    stop = Signal()
    arguments = (database_url, event_codec(), ALL_TABLES, stop)
    thread = Thread(target=project.run, args=arguments)
    thread.start()
    try:
        with open_connection(database_url) as conn:
            _wait_until_projected(conn)
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)


def _wait_until_projected(conn: psycopg.Connection[Any]) -> None:
    last = _one(conn, "select coalesce(max(position), 0) from rollbook.events")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while min((p.position for p in progress.read(conn).values()), default=-1) < last:
        if time.monotonic() > deadline:
            raise TimeoutError("the read tables did not catch up")
        time.sleep(0.05)


def write_csv(path: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """Write rows, whose keys are the columns."""
    listed = [dict(row) for row in rows]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in listed for key in row)))
        writer.writeheader()
        writer.writerows(listed)
    return path
