"""Reading enrollments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from api.access import caller
from api.caching import resource_answer
from api.certificate_shapes import CertificateShape
from api.clock import today
from api.employee_shapes import EmployeeShape
from api.enrollment_shapes import MAX_EMPLOYEE_ID_LENGTH, EnrollmentShape
from api.fields import Day
from api.lists import list_answer
from api.parameters import (
    ABSENT,
    FlagParameter,
    IdsParameter,
    ListParameters,
    PercentParameter,
    SearchParameter,
    SeveralParameter,
    SortParameter,
    TextsParameter,
)
from api.problems import FieldError, invalid, not_found
from api.program_reads import ranges, require_visible, visible
from api.program_shapes import ProgramShape
from api.resource import Resource
from api.selection import Include, Selection, Showing, found_by
from api.shapes import listed, shown
from api.shown import is_about
from api.wire import Answered
from domain.enrollment import EnrollmentStatus
from domain.permissions import Permission
from domain.program_details import MAX_NAME_LENGTH
from projections.certificate_queries import CERTIFICATES
from projections.certificate_register import CERTIFICATE_REGISTER
from projections.conditions import Conditions
from projections.employee_queries import EMPLOYEES
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.enrollment_queries import (
    ENROLLMENTS,
    RANGES,
    EnrollmentFilter,
    count_enrollments,
    find_enrollment,
)
from projections.keyset import Order
from projections.program_listing import PROGRAM_LISTING
from projections.program_queries import PROGRAMS
from projections.ranges import Range
from projections.recent_events import (
    OF_PROGRAMS,
    Topic,
    of_employee,
    of_enrollments_in,
    of_stream,
)
from projections.searching import Matches, TooManyMatches, search

TABLES = (ENROLLMENT_LISTING, PROGRAM_LISTING, CERTIFICATE_REGISTER)
NEWEST_FIRST = Order("began_at", descending=True)
SOONEST_DUE_FIRST = Order("due_on", descending=False)


def _visible_programs() -> Conditions:
    conditions = Conditions()
    conditions.add_any("r.status", visible())
    return conditions


BESIDE = {
    "program": Include("program_id", found_by(PROGRAMS, ProgramShape, _visible_programs)),
    "employee": Include(
        "employee_id",
        found_by(EMPLOYEES, EmployeeShape),
        lambda: caller().acting(Permission.READ_DIRECTORY),
    ),
}
INCLUDES = BESIDE | {
    "certificate": Include("certificate_number", found_by(CERTIFICATES, CertificateShape)),
}
_LIMITS: dict[str, tuple[str, ...]] = {
    **{name: (f"{name}_from", f"{name}_to") for name in RANGES},
    "score": ("score_min", "score_max"),
    "overdue": ("overdue",),
}
"""The parameters that limit a list to a range."""

ShownEnrollment = shown(
    EnrollmentShape,
    "ShownEnrollment",
    program=ProgramShape,
    employee=EmployeeShape,
    certificate=CertificateShape,
)
EnrollmentList = listed(ShownEnrollment, "EnrollmentList")
SHOWING = Showing(ENROLLMENTS, ShownEnrollment, INCLUDES, about="employee_id")

enrollments = Resource("enrollments", "Who is in which program, and how far.")


class EnrollmentsOfOneParameters(ListParameters):
    """Which enrollments in one program are wanted, and in which order."""

    status = SeveralParameter(EnrollmentStatus, **ABSENT)
    employee_id = TextsParameter(MAX_EMPLOYEE_ID_LENGTH, **ABSENT)
    department = TextsParameter(MAX_NAME_LENGTH, **ABSENT)
    overdue = FlagParameter(**ABSENT)
    began_from = Day(**ABSENT)
    began_to = Day(**ABSENT)
    due_from = Day(**ABSENT)
    due_to = Day(**ABSENT)
    ended_from = Day(**ABSENT)
    ended_to = Day(**ABSENT)
    score_min = PercentParameter(**ABSENT)
    score_max = PercentParameter(**ABSENT)
    sort = SortParameter(ENROLLMENTS.sorts, "-began_at")


class EnrollmentParameters(EnrollmentsOfOneParameters):
    """Which enrollments are wanted, and in which order."""

    program_id = IdsParameter(**ABSENT)
    category = TextsParameter(MAX_NAME_LENGTH, **ABSENT)
    q = SearchParameter("title, code and category of the program, or name and id of the employee")


@enrollments.query(
    "/enrollments",
    Permission.READ_ENROLLMENTS,
    answer=EnrollmentList,
    tables=TABLES,
    parameters=SHOWING.parameters(EnrollmentParameters),
    is_cached=True,
)
def get_enrollments(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answered:
    """List enrollments.

    Employees see their own.
    """
    return _list(
        conn,
        parameters,
        program_ids=parameters["program_id"],
        categories=parameters["category"],
        matches=_matches(conn, parameters["q"]),
    )


@enrollments.query(
    "/programs/<id:program_id>/enrollments",
    Permission.READ_ENROLLMENTS,
    answer=EnrollmentList,
    tables=TABLES,
    parameters=SHOWING.parameters(EnrollmentsOfOneParameters),
    is_cached=True,
)
def get_program_enrollments(
    conn: Connection[Any], parameters: Mapping[str, Any], program_id: UUID
) -> Answered:
    """List the enrollments in a program.

    Employees see their own.
    """
    require_visible(conn, program_id)
    return _list(conn, parameters, program_ids=[program_id])


@enrollments.query(
    "/enrollments/<id:enrollment_id>",
    Permission.READ_ENROLLMENTS,
    stream_of=lambda enrollment_id: enrollment_id,
    answer=ShownEnrollment,
    tables=TABLES,
    parameters=SHOWING.parameters(),
    is_cached=True,
)
def get_enrollment(
    conn: Connection[Any], parameters: Mapping[str, Any], enrollment_id: UUID
) -> Answered:
    """Show an enrollment."""
    selection = SHOWING.select(parameters)
    columns = [*selection.columns, "version", "program_id"]
    found = find_enrollment(conn, columns, enrollment_id, caller().own_employee_id)
    if found is None:
        raise not_found("enrollment", str(enrollment_id))
    *row, version, program_id = found
    [document] = selection.documents(conn, [row])
    return resource_answer(document, version, topics(selection, enrollment_id, program_id))


def topics(selection: Selection, enrollment_id: UUID, program_id: UUID) -> list[Topic]:
    """Return the topics of all events that change what is shown of and beside an enrollment."""
    found = [of_stream(enrollment_id), of_stream(program_id)]
    return [*found, of_enrollments_in(program_id)] if "program" in selection.includes else found


def _list(conn: Connection[Any], parameters: Mapping[str, Any], **among: Any) -> Answered:
    scores = Range(parameters["score_min"], parameters["score_max"])
    wanted = EnrollmentFilter(
        today=today(),
        own=caller().own_employee_id,
        statuses=parameters["status"],
        employee_ids=parameters["employee_id"],
        departments=parameters["department"],
        overdue=parameters["overdue"],
        ranges=ranges(parameters, RANGES) | ({} if scores == Range() else {"score": scores}),
        **among,
    )
    _require_one_range(wanted, parameters)
    default = _order(wanted, parameters["sort"])
    is_about(_list_topics(wanted, parameters["include"] or ()))
    settled = wanted.settled(conn)
    return list_answer(
        conn,
        parameters,
        SHOWING,
        settled.conditions_for((parameters["sort"] or [default])[0].name),
        count_enrollments(conn, settled),
        default,
    )


def _list_topics(wanted: EnrollmentFilter, includes: Sequence[str]) -> list[Topic]:
    """Return the topics of all events that change what a list shows, none where any may."""
    if wanted.matches is not None:
        # What else a search finds may be too much of it.
        return []
    employees = [wanted.own] if wanted.own is not None else wanted.employee_ids
    if employees is not None and "program" not in includes:
        return [OF_PROGRAMS, *map(of_employee, employees)]
    return topics_in(wanted.program_ids or ())


def topics_in(program_ids: Iterable[UUID]) -> list[Topic]:
    """Return the topics of all events of these programs and of the enrollments in them."""
    return [topic for one in program_ids for topic in (of_stream(one), of_enrollments_in(one))]


def _require_one_range(wanted: EnrollmentFilter, parameters: Mapping[str, Any]) -> None:
    """Raise a 422 problem where a list would have to be looked through along two orders.

    What one employee has is few, and none that is overdue has an end.
    """
    limits = list(wanted.ranges)
    if wanted.overdue is not None and not {"due", "ended", "score"}.intersection(limits):
        limits.append("overdue")
    if len(limits) > 1 and not wanted.is_of_few:
        first, second = limits[:2]
        given = next(name for name in _LIMITS[second] if parameters[name] is not None)
        raise invalid([FieldError(given, f"cannot stand beside a range of {RANGES[first]}")])


def _order(wanted: EnrollmentFilter, sort: Sequence[Order] | None) -> Order:
    """Return the order where none is asked for: a range is walked along its own order.

    Raises a 422 problem where another order is asked for, or the scores of those without one.
    """
    orders = [RANGES[name] for name in wanted.ranges]
    orders += ["due_on"] * (wanted.overdue is not None)
    if sort is not None and orders and sort[0].name not in orders and not wanted.is_of_few:
        raise invalid([FieldError("sort", f"must begin with {orders[0]}, which is limited")])
    names = [] if sort is None else [one.name for one in sort]
    if "score_percent" in names and "score_percent" not in orders:
        raise invalid([FieldError("sort", "by score_percent asks for score_min or score_max")])
    limited = orders if wanted.overdue is not False else orders[: len(wanted.ranges)]
    is_tied = len(names) > 1 and names[0] in {"due_on", "ended_at"}
    if is_tied and names[0] not in limited and not wanted.is_of_few:
        # All without a due day or an end are alike, and would have to be sorted each time.
        raise invalid([FieldError("sort", f"by {names[0]} and more asks for a range of it")])
    if not orders:
        return NEWEST_FIRST
    return SOONEST_DUE_FIRST if orders[0] == "due_on" else Order(orders[0], descending=True)


def _matches(conn: Connection[Any], query: str | None) -> Matches | None:
    if query is None:
        return None
    try:
        return search(conn, query)
    except TooManyMatches as error:
        rule = f"must be narrower: more than {error.most} {error.kind} match"
        raise invalid([FieldError("q", rule)]) from None
