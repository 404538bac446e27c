"""From a figure to its numbers, and from each number to the rows and events behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from audit.changes import RESOURCES
from audit.figures import FIGURES, Part
from audit.history import Step, steps
from eventlog.codec import EventCodec
from eventlog.history import events_of_streams
from eventlog.pool import Connection
from projections.analytics import outcomes, overview
from projections.as_of import AsOf, LiveTable, ask_rows
from projections.conditions import Conditions
from projections.outcomes import Figure

_SCORES = """
    SELECT programs, score_hundredths FROM rollbook_read.employee_scores WHERE employee_id = %s
"""

# The stream in which the events of a row are, and the column with the program it belongs to.
_STREAM = {"program": "id", "enrollment": "id", "certificate": "enrollment_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Of what a figure is asked; None asks for nothing. As for the figures themselves."""

    program_id: UUID | None = None
    category: str | None = None
    department: str | None = None
    employee_id: str | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """A row behind a number, what it adds, and the event that decided it."""

    key: str
    amount: float
    step: Step | None


def numbers(
    conn: Connection, figure: str, scope: Scope, today: date
) -> tuple[float | None, Mapping[str, float]]:
    """Return the value of a figure, if it has one, and the number of each of its parts."""
    if figure == "mean_score_percent":
        return _parts_of(_mean_score(conn, scope))
    if FIGURES[figure].scopes:
        found = outcomes(conn, scope.program_id, scope.category, scope.department)
        if figure == "enrollments":
            return None, asdict(found.by_status)
        return _parts_of(getattr(found, figure))
    shown = overview(conn, today)
    if figure == "fill_rate":
        return _parts_of(shown.fill_rate)
    return None, shown.programs if figure == "programs" else asdict(shown.certificates)


def _parts_of(figure: Figure) -> tuple[float | None, Mapping[str, float]]:
    shares = {"numerator": figure.numerator, "denominator": figure.denominator}
    return figure.value, {**shares, **figure.excluded}


def _mean_score(conn: Connection, scope: Scope) -> Figure:
    for programs, score_hundredths in conn.execute(_SCORES, (scope.employee_id,)):
        return Figure.of(score_hundredths / 100, programs)
    return Figure.of(0, 0)


def behind(
    conn: Connection | AsOf,
    codec: EventCodec,
    part: Part,
    scope: Scope,
    today: date,
    limit: int,
    after: str | None,
) -> list[Behind]:
    """Return the rows behind a part in order of their keys, from behind the key `after` on.

    As of a moment they come with the events that had decided it then.
    """
    log, moment = (conn.present, conn.moment) if isinstance(conn, AsOf) else (conn, None)
    found = _rows(conn, part, scope, today, limit, after)
    up_to_version: dict[UUID, int] = {}
    for _, _, stream_id, version in found:
        up_to_version[stream_id] = max(version, up_to_version.get(stream_id, 0))
    decided: dict[str, Step] = {}
    for step in steps(log, codec, events_of_streams(log, up_to_version), moment):
        for change in step.changes:
            if change.resource == part.resource and change.field in part.decided_by:
                decided[str(change.key)] = step
    return [Behind(str(key), amount, decided.get(str(key))) for key, amount, _, _ in found]


def _rows(
    conn: Connection | AsOf, part: Part, scope: Scope, today: date, limit: int, after: str | None
) -> Sequence[tuple[Any, float, UUID, int]]:
    table = RESOURCES[part.resource]
    conditions = Conditions()
    conditions.add(part.condition, *part.days(today))
    conditions.add_given("r.program_id = %s", scope.program_id)
    in_category = "SELECT id FROM rollbook_read.program_listing WHERE category = %s"
    conditions.add_given(f"r.program_id IN ({in_category})", scope.category)
    conditions.add_given("r.department = %s", scope.department)
    conditions.add_given("r.employee_id = %s", scope.employee_id)
    conditions.add_given(f"r.{table.key} > %s", after)
    return ask_rows(
        conn,
        f"r.{table.key}, {part.amount}, r.{_STREAM[part.resource]}, r.version",
        LiveTable(f"rollbook_read.{table.name}", table.key),
        f"WHERE {conditions.sql} ORDER BY r.{table.key} LIMIT %s",
        [*conditions.values, limit],
    )
