"""How programs are asked for: which fields, in which orders, by which filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.conditions import Conditions
from projections.count import Count
from projections.keyset import Listing, Sort
from projections.outcomes import SUMS, Outcomes, StatusCounts
from projections.program_listing import WORDS
from projections.ranges import Range

_COUNTS = f"SELECT {SUMS} FROM rollbook_read.enrollment_counts c WHERE c.program_id"  # noqa: S608
_COUNTS_JSON = f"""(
    SELECT json_build_object(
        'waitlisted', c.waitlisted, 'enrolled', c.enrolled, 'in_progress', c.in_progress,
        'completed', c.completed, 'failed', c.failed, 'withdrawn', c.withdrawn + c.cancelled
    ) FROM ({_COUNTS} = r.id) c
) AS enrollment_counts"""  # noqa: S608  # a constant
_CERTIFICATION_JSON = """json_build_object(
    'offered', r.certification_offered, 'title', r.certification_title,
    'issued', r.certification_issued, 'valid_for_months', r.certification_valid_for_months
) AS certification"""

PLAIN = (
    "id",
    "status",
    "version",
    "revision",
    "code",
    "title",
    "description",
    "category",
    "level",
    "delivery_mode",
    "provider",
    "instructor",
    "duration_hours",
    "capacity",
    "starts_on",
    "ends_on",
    "enrollment_deadline",
    "cost",
    "currency",
    "mandatory",
    "tags",
    "pass_score_percent",
    "signature_required",
)
FIELDS: Mapping[str, str] = {name: f"r.{name}" for name in PLAIN} | {
    "certification": _CERTIFICATION_JSON,
    "seats_taken": "CASE WHEN r.capacity IS NOT NULL THEN r.seats_taken END AS seats_taken",
    "waitlist_length": "r.waiting AS waitlist_length",
    "enrollment_counts": _COUNTS_JSON,
    "created_at": "r.created_at",
    "published_at": "r.published_at",
    "changed_at": "r.changed_at",
}
RANGES = {"starts": "starts_on", "ends": "ends_on", "deadline": "enrollment_deadline"}
"""The column of each range."""

PROGRAMS = Listing(
    table="rollbook_read.program_listing",
    key="id",
    key_kind=UUID,
    fields=FIELDS,
    sorts={
        "title": Sort("r.title", str),
        "code": Sort("r.code", str),
        "created_at": Sort("r.created_at", datetime),
        "starts_on": Sort("coalesce(r.starts_on, '9999-12-31'::date)", date),
    },
    documents=frozenset({"certification", "enrollment_counts"}),
)


@dataclass(frozen=True, slots=True)
class ProgramFilter:
    """Which programs are wanted; None asks for nothing.

    Attributes:
        visible: the only statuses that the asking one may see, None for all.
        tags: one of them is enough.
        has_free_seats: whether somebody who enrolls gets a place.
        ranges: by the names of `RANGES`.
        search: a tsquery over title, code and category.

    """

    visible: Sequence[str] | None = None
    statuses: Sequence[str] | None = None
    categories: Sequence[str] | None = None
    levels: Sequence[str] | None = None
    delivery_modes: Sequence[str] | None = None
    providers: Sequence[str] | None = None
    instructors: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    mandatory: bool | None = None
    certification_offered: bool | None = None
    has_free_seats: bool | None = None
    ranges: Mapping[str, Range] = field(default_factory=dict)
    search: str | None = None

    @property
    def conditions(self) -> Conditions:
        """The same as SQL."""
        conditions = Conditions()
        conditions.add_any("r.status", self.visible)
        conditions.add_any("r.status", self.statuses)
        conditions.add_any("r.category", self.categories)
        conditions.add_any("r.level", self.levels)
        conditions.add_any("r.delivery_mode", self.delivery_modes)
        conditions.add_any("r.provider", self.providers)
        conditions.add_any("r.instructor", self.instructors)
        conditions.add_given("r.tags && %s", None if self.tags is None else list(self.tags))
        conditions.add_given("r.mandatory = %s", self.mandatory)
        conditions.add_given("r.certification_offered = %s", self.certification_offered)
        free = "(r.capacity IS NULL OR r.seats_taken < r.capacity) = %s"
        conditions.add_given(free, self.has_free_seats)
        for name, wanted in self.ranges.items():
            wanted.add_to(conditions, f"r.{RANGES[name]}")
        conditions.add_given(f"{WORDS} @@ to_tsquery('simple', %s)", self.search)
        return conditions


def count_programs(conditions: Conditions) -> Count:
    """Return how many programs meet the conditions: few enough to be counted one by one."""
    return Count(
        f"(SELECT count(*) FROM {PROGRAMS.table} r WHERE {conditions.sql})",  # noqa: S608  # constants
        conditions.values,
    )


def find_program(
    conn: Connection[Any],
    names: Sequence[str],
    program_id: UUID,
    visible: Sequence[str] | None = None,
) -> Sequence[Any] | None:
    """Return the fields, or None when there is none among the `visible` statuses."""
    conditions = ProgramFilter(visible=visible).conditions
    conditions.add("r.id = %s", program_id)
    return PROGRAMS.find(conn, names, conditions)


def count_enrollments(conn: Connection[Any], program_id: UUID) -> StatusCounts:
    """Return the counts of one program's enrollments."""
    [sums] = conn.execute(f"{_COUNTS} = %s", [program_id]).fetchall()
    return Outcomes(*sums).by_status
