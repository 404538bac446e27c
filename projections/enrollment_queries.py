"""How enrollments are asked for: which fields, in which orders, by which filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.enrollment import OPEN, EnrollmentStatus
from projections.as_of import NoHistoryError, ask
from projections.columns import columns_of, row_maker
from projections.conditions import Conditions, Spread
from projections.enrollment_listing import BEGAN, DUE, ENDED, NEVER, EnrollmentRow
from projections.enrollment_totals import known_total
from projections.keyset import Listing, Sort
from projections.names import TODAY
from projections.ranges import Range
from projections.searching import Matches

_OPEN = ", ".join(f"'{status}'" for status in OPEN)
_IS_OVERDUE = f"(r.status IN ({_OPEN}) AND coalesce(r.due_on < {TODAY}, false))"

OWN_FIELDS = (
    "id",
    "status",
    "version",
    "program_id",
    "employee_id",
    "cycle",
    "source",
    "department",
    "program_revision",
    "due_on",
    "overdue",
    "percent",
    "progress_score_percent",
    "score_percent",
    "past_score_percent",
    "grade",
    "signature",
    "certificate_number",
    "began_at",
    "enrolled_at",
    "started_at",
    "progressed_at",
    "ended_at",
    "changed_at",
)
"""What an enrollment says of itself, in the order in which it is answered."""

# The time is written as all others are, with six decimals or none.
_SIGNATURE = """CASE WHEN r.signed_sha256 IS NOT NULL THEN json_build_object(
    'signed_by', r.signed_by,
    'signed_at', replace(
        to_char(r.signed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', ''
    ),
    'printed_name', r.signer_name, 'meaning', r.signature_meaning,
    'record_sha256', r.signed_sha256
) END AS signature"""

FIELDS = {name: f"r.{name}" for name in OWN_FIELDS} | {
    "overdue": f"{_IS_OVERDUE} AS overdue",
    "signature": _SIGNATURE,
    "program_code": "p.code AS program_code",
    "program_title": "p.title AS program_title",
    "program_category": "p.category AS program_category",
    "employee_name": "m.name AS employee_name",
}

RANGES = {"began": "began_at", "due": "due_on", "ended": "ended_at", "score": "score_percent"}
"""The order that serves each range."""

ENROLLMENTS = Listing(
    table="rollbook_read.enrollment_listing",
    key="id",
    key_kind=UUID,
    fields=FIELDS | {"past_cycles": "r.past_cycles"},
    sorts={
        "began_at": Sort(f"r.{BEGAN}", datetime),
        "due_on": Sort(DUE.replace("due_on", "r.due_on"), date),
        "ended_at": Sort(ENDED.replace("ended_at", "r.ended_at"), datetime),
        "score_percent": Sort("r.score_percent", float),
        "employee_id": Sort("r.employee_id", str),
    },
    documents=frozenset({"signature"}),
    joined="""
        LEFT JOIN rollbook_read.program_listing p ON p.id = r.program_id
        LEFT JOIN rollbook.employees m ON m.id = r.employee_id
    """,
)

_MAKE_ROW = row_maker(EnrollmentRow)
_FIND_ROW = (  # made of constants
    f"SELECT {', '.join(f'r.{column.name}' for column in columns_of(EnrollmentRow))}"  # noqa: S608
    f" FROM {ENROLLMENTS.table} r WHERE r.id = %s"
)

# More combinations of values than this are not each looked up in an index.
_MOST_LOOKUPS = 600

_ENDED = [status for status in EnrollmentStatus if status not in OPEN]
_HAVING = {"ended": _ENDED, "score": [EnrollmentStatus.COMPLETED, EnrollmentStatus.FAILED]}
"""The only statuses of rows that lie in such a range."""

_IN_CATEGORIES = "SELECT id FROM rollbook_read.program_listing WHERE category = ANY(%s)"


@dataclass(frozen=True, slots=True)
class EnrollmentFilter:
    """Which enrollments are wanted; None asks for nothing.

    Attributes:
        own: the employee to whose enrollments the asking one is held.
        departments: the employee's when the cycle began.
        categories: the program's, as they are now.
        overdue: whether the due day has passed on an open enrollment.
        today: the day of the asking.
        ranges: by the names of `RANGES`; days are those of UTC.
        matches: the programs or employees of which one must be in it.

    """

    today: date
    own: str | None = None
    statuses: Sequence[str] | None = None
    program_ids: Sequence[UUID] | None = None
    employee_ids: Sequence[str] | None = None
    departments: Sequence[str] | None = None
    categories: Sequence[str] | None = None
    overdue: bool | None = None
    ranges: Mapping[str, Range] = field(default_factory=dict)
    matches: Matches | None = None

    def settled(self, conn: Connection[Any]) -> EnrollmentFilter:
        """Return the same without categories, for which their programs stand, and overdue days.

        Of statuses that are asked for there are left those that rows in its ranges can have.
        """
        wanted = self
        if self.categories is not None:
            found = {row[0] for row in conn.execute(_IN_CATEGORIES, (list(self.categories),))}
            ids = found if self.program_ids is None else found & set(self.program_ids)
            wanted = replace(wanted, categories=None, program_ids=sorted(ids))
        if self.overdue:
            due = self.ranges.get("due", Range()).up_to(self.today - timedelta(days=1))
            is_open = [status for status in _all_or(self.statuses) if status in OPEN]
            ranges = {**self.ranges, "due": due}
            wanted = replace(wanted, overdue=None, statuses=is_open, ranges=ranges)
        for name in _HAVING.keys() & self.ranges.keys():
            if wanted.statuses is not None:
                can_have = [one for one in wanted.statuses if one in _HAVING[name]]
                wanted = replace(wanted, statuses=can_have)
        return wanted

    def conditions_for(self, first: str) -> Conditions:
        """The same as SQL for a list that is first sorted by `first`, once it is settled."""
        conditions = self._narrow()
        ways = self._ways(first)
        if len(ways) == 1:
            self._add_matches(conditions)
        conditions.ways += ways
        return conditions

    @property
    def counted(self) -> Conditions:
        """The same as SQL without any order."""
        conditions = self._narrow()
        self._add_matches(conditions)
        return conditions

    def _narrow(self) -> Conditions:
        conditions = Conditions()
        conditions.add_given("r.employee_id = %s", self.own)
        conditions.add_any("r.employee_id", self.employee_ids)
        conditions.add_any("r.program_id", self.program_ids)
        conditions.add_any("r.department", self.departments)
        conditions.add_any("r.status", self.statuses)
        if self.overdue is False:
            conditions.add(f"NOT {_IS_OVERDUE}")
        for name, wanted in self.ranges.items():
            self._add_range(conditions, name, wanted)
        return conditions

    def _add_matches(self, conditions: Conditions) -> None:
        if self.matches is not None:
            either = "(r.program_id = ANY(%s) OR r.employee_id = ANY(%s))"
            conditions.add(either, list(self.matches.programs), list(self.matches.employees))

    def _add_range(self, conditions: Conditions, name: str, wanted: Range) -> None:
        expression = ENROLLMENTS.sorts[RANGES[name]].expression
        if name in {"began", "ended"}:
            wanted = wanted.as_moments()
        wanted.add_to(conditions, expression)
        # What has no due day, end or score lies in no range of them.
        if name == "score":
            conditions.add("r.score_percent IS NOT NULL")
        elif name != "began":
            conditions.add(f"{expression} < {NEVER}")

    def _ways(self, first: str) -> list[Sequence[Spread]]:
        statuses = Spread("status", "text", _all_or(self.statuses))
        employees = [self.own] if self.own is not None else self.employee_ids
        if employees is not None:
            return [[Spread("employee_id", "text", employees)]]
        if self.matches is not None:
            return [
                [Spread("program_id", "uuid", self.matches.programs), statuses],
                [Spread("employee_id", "text", self.matches.employees)],
            ]
        for column, kind, values in (
            ("program_id", "uuid", self.program_ids),
            ("department", "text", self.departments),
        ):
            if values is not None and len(values) * len(statuses.values) <= _MOST_LOOKUPS:
                return _ways_by(Spread(column, kind, values), statuses, first)
        return [[statuses]]


def _ways_by(
    programs_or_departments: Spread, statuses: Spread, first: str
) -> list[Sequence[Spread]]:
    if first in {"began_at", "due_on", "ended_at"}:
        return [[programs_or_departments, statuses]]
    # Departments are few: among all employees there is soon one of each.
    is_scattered = programs_or_departments.column == "department" and first == "employee_id"
    return [] if is_scattered else [[programs_or_departments]]


def _all_or(statuses: Sequence[str] | None) -> Sequence[str]:
    return list(EnrollmentStatus) if statuses is None else statuses


def count_enrollments(conn: Connection[Any], settled: EnrollmentFilter) -> int | None:
    """Return how many there are, from the counts where these know."""
    if settled.own is None and settled.employee_ids is None:
        with suppress(NoHistoryError):
            known = _known_total(conn, settled)
            if known is not None:
                return known
    return ENROLLMENTS.count(conn, settled.counted)


def _known_total(conn: Connection[Any], settled: EnrollmentFilter) -> int | None:
    """Return what the counts tell; those of the employees that match are few, and counted."""
    if settled.matches is None:
        return known_total(
            conn,
            statuses=settled.statuses,
            program_ids=settled.program_ids,
            departments=settled.departments,
            overdue=settled.overdue,
            today=settled.today,
            ranges=settled.ranges,
        )
    programs, people = settled.matches.programs, settled.matches.employees
    others = replace(settled, matches=None, employee_ids=people).counted
    others.add("r.program_id <> ALL(%s)", list(programs))
    counted = ENROLLMENTS.count(conn, others) if people else 0
    if counted is None:
        return None
    among = settled.program_ids
    both = [one for one in programs if among is None or one in among]
    by_program = _known_total(conn, replace(settled, matches=None, program_ids=both))
    return None if by_program is None else by_program + counted


def find_enrollment(
    conn: Connection[Any], names: Sequence[str], enrollment_id: UUID, own: str | None = None
) -> Sequence[Any] | None:
    """Return the fields, or None when there is none, or not one of the employee `own`."""
    conditions = Conditions()
    conditions.add("r.id = %s", enrollment_id)
    conditions.add_given("r.employee_id = %s", own)
    return ENROLLMENTS.find(conn, names, conditions)


def find_row(conn: Connection[Any], enrollment_id: UUID) -> EnrollmentRow | None:
    """Return the whole row of an enrollment, or None when there is none."""
    found = next(iter(ask(conn, _FIND_ROW, (enrollment_id,))), None)
    row: EnrollmentRow | None = None if found is None else _MAKE_ROW(*found)
    return row


def is_overdue(row: EnrollmentRow, today: date) -> bool:
    """Return whether the due day has passed and the enrollment is open still."""
    return row.due_on is not None and row.due_on < today and row.status in OPEN
