"""How enrollments are asked for: which fields, in which orders, by which filters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from domain.enrollment import OPEN, EnrollmentStatus
from projections.as_of import LiveTable, ask_rows
from projections.columns import columns_of, row_maker
from projections.conditions import Conditions, Spread, Way
from projections.count import NOTHING, Count
from projections.enrollment_listing import BEGAN, DUE, ENDED, NEVER
from projections.enrollment_row import EnrollmentRow
from projections.enrollment_totals import known_total
from projections.keyset import Listing, Sort
from projections.names import TODAY
from projections.ranges import Range, day_before
from projections.searching import Matches

_OPEN = ", ".join(f"'{status}'" for status in OPEN)
_IS_OVERDUE = f"(r.status IN ({_OPEN}) AND coalesce(r.due_on < {TODAY}, false))"
_NOT_OVERDUE = f"NOT {_IS_OVERDUE}"

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
        "due_on": Sort(DUE.replace("due_on", "r.due_on"), date, then="began_at"),
        "ended_at": Sort(ENDED.replace("ended_at", "r.ended_at"), datetime, then="began_at"),
        "score_percent": Sort("r.score_percent", float, then="began_at"),
        "employee_id": Sort("r.employee_id", str),
    },
    documents=frozenset({"signature"}),
    joined="""
        LEFT JOIN rollbook_read.program_listing p ON p.id = r.program_id
        LEFT JOIN rollbook.employees m ON m.id = r.employee_id
    """,
)

_MAKE_ROW = row_maker(EnrollmentRow)
_ROW = ", ".join(f"r.{column.name}" for column in columns_of(EnrollmentRow))
_ROWS = LiveTable(ENROLLMENTS.table, ENROLLMENTS.key)

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

    @property
    def is_of_few(self) -> bool:
        """Whether only enrollments of certain employees are wanted, which are few."""
        return self._employees is not None

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
            due = self.ranges.get("due", Range()).up_to(day_before(self.today))
            is_open = [status for status in _all_or(self.statuses) if status in OPEN]
            ranges = {**self.ranges, "due": due}
            wanted = replace(wanted, overdue=None, statuses=is_open, ranges=ranges)
        for name in _HAVING.keys() & self.ranges.keys():
            if wanted.statuses is not None:
                can_have = [one for one in wanted.statuses if one in _HAVING[name]]
                wanted = replace(wanted, statuses=can_have)
            # None of these is open, so none is overdue.
            wanted = replace(wanted, overdue=None)
        return wanted

    def conditions_for(self, first: str) -> Conditions:
        """The same as SQL for a list that is first sorted by `first`, once it is settled."""
        conditions = self._narrow()
        # Of programs and of employees that match there is a way each.
        if self._employees is not None:
            self._add_matches(conditions)
        conditions.ways += self._ways(first)
        return conditions

    @property
    def counted(self) -> Conditions:
        """The same as SQL without any order, by ways that have no row in common.

        Not for matches among all employees: an enrollment may be of both kinds.
        """
        conditions = self._narrow()
        self._add_matches(conditions)
        conditions.ways += self._ways(next((RANGES[name] for name in self.ranges), "due_on"))
        return conditions

    @property
    def _employees(self) -> Sequence[str] | None:
        return [self.own] if self.own is not None else self.employee_ids

    def _narrow(self) -> Conditions:
        conditions = Conditions()
        conditions.add_given("r.employee_id = %s", self.own)
        conditions.add_any("r.employee_id", self.employee_ids)
        conditions.add_any("r.program_id", self.program_ids)
        conditions.add_any("r.department", self.departments)
        conditions.add_any("r.status", self.statuses)
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

    def _ways(self, first: str) -> list[Way]:
        if self._employees is not None:
            return [self._way(Spread("employee_id", "text", self._employees))]
        if self.matches is not None:
            among = self.program_ids
            programs = [one for one in self.matches.programs if among is None or one in among]
            people = Spread("employee_id", "text", self.matches.employees)
            return [*self._ways_among(programs, first), self._way(people)]
        return self._ways_among(self.program_ids, first)

    def _ways_among(self, program_ids: Sequence[UUID] | None, first: str) -> list[Way]:
        programs = Spread("program_id", "uuid", program_ids or ())
        departments = Spread("department", "text", self.departments or ())
        if program_ids is None and self.departments is None:
            # Whoever comes first by id may have any status.
            return [self._way()] if first == "employee_id" else self._ways_by_status((), first)
        both = len(programs.values) * len(departments.values)
        if program_ids is not None and self.departments is not None and both <= _MOST_LOOKUPS:
            # They have few rows together.
            return [self._way(programs, departments)]
        by = departments if program_ids is None else programs
        if len(by.values) * len(_all_or(self.statuses)) > _MOST_LOOKUPS:
            return self._ways_by_status((), first)
        if first in {"began_at", "due_on", "ended_at"}:
            return self._ways_by_status((by,), first)
        # Departments are few: among all employees there is soon one of each.
        is_scattered = by is departments and first == "employee_id"
        return [self._way()] if is_scattered else [self._way(by)]

    def _ways_by_status(self, by: Sequence[Spread], first: str) -> list[Way]:
        """Return ways by each status; by due days those that are not overdue have their place."""
        statuses = _all_or(self.statuses)
        if self.overdue is not False or first != "due_on":
            return [replace(self._way(*by, _spread(statuses)), is_crowded=True)]
        not_late = Conditions()
        not_late.add(f"{ENROLLMENTS.sorts['due_on'].expression} >= %s", self.today)
        return [
            Way([*by, _spread([one for one in statuses if one not in OPEN])], is_crowded=True),
            Way(
                [*by, _spread([one for one in statuses if one in OPEN])], not_late, is_crowded=True
            ),
        ]

    def _way(self, *spreads: Spread) -> Way:
        also = Conditions()
        if self.overdue is False:
            also.add(_NOT_OVERDUE)
        return Way(spreads, also)


def _spread(statuses: Sequence[str]) -> Spread:
    return Spread("status", "text", statuses)


def _all_or(statuses: Sequence[str] | None) -> Sequence[str]:
    return list(EnrollmentStatus) if statuses is None else statuses


def count_enrollments(conn: Connection[Any], settled: EnrollmentFilter) -> Count:
    """Return how many there are, from the counts where these know."""
    if not settled.is_of_few:
        if settled.matches is not None:
            return _count_matching(conn, settled, settled.matches)
        known = _known_without_search(conn, settled)
        if known is not None:
            return known
    return ENROLLMENTS.count(settled.counted)


def _count_matching(conn: Connection[Any], settled: EnrollmentFilter, matches: Matches) -> Count:
    """Return how many are of the programs that match, or else of the employees that do."""
    among = settled.program_ids
    programs = [one for one in matches.programs if among is None or one in among]
    of_programs = replace(settled, matches=None, program_ids=programs)
    of_employees = replace(settled, matches=None, employee_ids=matches.employees).counted
    of_employees.add("r.program_id <> ALL(%s)", list(programs))
    by_program = count_enrollments(conn, of_programs) if programs else NOTHING
    return by_program + (ENROLLMENTS.count(of_employees) if matches.employees else NOTHING)


def _known_without_search(conn: Connection[Any], settled: EnrollmentFilter) -> Count | None:
    if settled.overdue is False:
        if settled.ranges:
            return None
        late = count_enrollments(conn, replace(settled, overdue=True).settled(conn))
        everyone = _known_without_search(conn, replace(settled, overdue=None))
        return None if everyone is None else everyone - late

    def count_end(part: Range) -> Count:
        return ENROLLMENTS.count(
            replace(settled, ranges=dict.fromkeys(settled.ranges, part)).counted
        )

    return known_total(
        statuses=settled.statuses,
        program_ids=settled.program_ids,
        departments=settled.departments,
        ranges=settled.ranges,
        count_end=count_end,
    )


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
    found = ask_rows(conn, _ROW, _ROWS, "WHERE r.id = %s", (enrollment_id,))
    return next((_MAKE_ROW(*values) for values in found), None)


def is_overdue(row: EnrollmentRow, today: date) -> bool:
    """Return whether the due day has passed and the enrollment is open still."""
    return row.due_on is not None and row.due_on < today and row.status in OPEN
