"""Reading certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import asdict
from psycopg import Connection

from api.access import caller
from api.caching import resource_answer
from api.certificate_shapes import CertificateDetailShape, CertificateShape
from api.clock import today
from api.employee_shapes import EmployeeShape
from api.enrollment_reads import BESIDE, topics, topics_in
from api.enrollment_shapes import MAX_EMPLOYEE_ID_LENGTH, EnrollmentShape, signature_json
from api.fields import Day
from api.lists import list_answer
from api.parameters import (
    ABSENT,
    IdsParameter,
    ListParameters,
    SeveralParameter,
    SortParameter,
    TextsParameter,
    WholeParameter,
)
from api.problems import FieldError, invalid, not_found
from api.program_shapes import ProgramShape
from api.resource import Resource
from api.selection import Include, Showing, found_by
from api.services import services
from api.shapes import listed, shown
from api.shown import is_about
from api.wire import Answered
from domain.permissions import Permission
from projections.certificate_queries import (
    CERTIFICATES,
    CertificateFilter,
    Validity,
    count_certificates,
    find_certificate,
)
from projections.certificate_register import CERTIFICATE_REGISTER
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.enrollment_queries import ENROLLMENTS, find_row
from projections.keyset import Order
from projections.program_listing import PROGRAM_LISTING
from projections.ranges import Range
from projections.recent_events import OF_PROGRAMS, Topic, of_employee

TABLES = (CERTIFICATE_REGISTER, PROGRAM_LISTING, ENROLLMENT_LISTING)
MAX_DAYS = 36_500
NEWEST_FIRST = Order("issued_at", descending=True)
SOONEST_ENDING_FIRST = Order("valid_until", descending=False)
_ASKED_BESIDES = ("version", "enrollment_id", "cycle", "program_id", "may_be_signed")

ShownCertificate = shown(
    CertificateShape,
    "ShownCertificate",
    program=ProgramShape,
    employee=EmployeeShape,
    enrollment=EnrollmentShape,
)
ShownCertificateDetail = shown(
    CertificateDetailShape,
    "ShownCertificateDetail",
    program=ProgramShape,
    employee=EmployeeShape,
    enrollment=EnrollmentShape,
)
SHOWING = Showing(
    CERTIFICATES,
    ShownCertificate,
    BESIDE | {"enrollment": Include("enrollment_id", found_by(ENROLLMENTS, EnrollmentShape))},
    about="employee_id",
)

certificates = Resource("certificates", "Proofs of completion, by number.")


class CertificateParameters(ListParameters):
    """Which certificates are wanted, and in which order."""

    status = SeveralParameter(Validity, **ABSENT)
    program_id = IdsParameter(**ABSENT)
    enrollment_id = IdsParameter(**ABSENT)
    employee_id = TextsParameter(MAX_EMPLOYEE_ID_LENGTH, **ABSENT)
    expiring_within_days = WholeParameter(0, MAX_DAYS, **ABSENT)
    issued_from = Day(**ABSENT)
    issued_to = Day(**ABSENT)
    valid_until_from = Day(**ABSENT)
    valid_until_to = Day(**ABSENT)
    sort = SortParameter(CERTIFICATES.sorts, "-issued_at")


@certificates.query(
    "/certificates",
    Permission.READ_ENROLLMENTS,
    answer=listed(ShownCertificate, "CertificateList"),
    tables=TABLES,
    parameters=SHOWING.parameters(CertificateParameters),
    is_cached=True,
)
def get_certificates(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answered:
    """List certificates.

    Employees see their own.
    """
    wanted = CertificateFilter(
        today=today(),
        own=caller().own_employee_id,
        statuses=parameters["status"],
        program_ids=parameters["program_id"],
        employee_ids=parameters["employee_id"],
        enrollment_ids=parameters["enrollment_id"],
        expiring_within_days=parameters["expiring_within_days"],
        issued=_range(parameters, "issued"),
        last_day=_range(parameters, "valid_until"),
    )
    _require_one_range(wanted, parameters)
    is_about(_list_topics(wanted, parameters["include"] or ()))
    sort = parameters["sort"]
    is_walked_to_end = wanted.is_by_last_day and wanted.issued is None
    walked_by = {"valid_until": is_walked_to_end, "issued_at": wanted.issued is not None}
    for name, is_limited in walked_by.items():
        if is_limited and sort is not None and sort[0].name != name and not wanted.is_of_few:
            raise invalid([FieldError("sort", f"must begin with {name}, which is limited")])
    is_tied = sort is not None and len(sort) > 1 and sort[0].name == "valid_until"
    if is_tied and not (wanted.last_day or wanted.is_of_few):
        # All that are valid for ever are alike, and would have to be sorted each time.
        raise invalid([FieldError("sort", "by valid_until and more asks for a range of it")])
    return list_answer(
        conn,
        parameters,
        SHOWING,
        wanted.conditions,
        count_certificates(wanted),
        SOONEST_ENDING_FIRST if is_walked_to_end else NEWEST_FIRST,
    )


def _list_topics(wanted: CertificateFilter, includes: Sequence[str]) -> list[Topic]:
    """Return the topics of all events that change what a list shows, none where any may."""
    employees = [wanted.own] if wanted.own is not None else wanted.employee_ids
    if employees is not None and "program" not in includes:
        return [OF_PROGRAMS, *map(of_employee, employees)]
    return topics_in(wanted.program_ids or ())


def _require_one_range(wanted: CertificateFilter, parameters: Mapping[str, Any]) -> None:
    """Raise a 422 problem where a list would have to be looked through along two orders.

    Among those issued in some days there are always valid ones. What one employee has is few.
    """
    is_by_end = wanted.last_day is not None or wanted.expiring_within_days is not None
    is_expired = wanted.is_by_last_day and Validity.EXPIRED in (wanted.statuses or ())
    if wanted.issued is None or wanted.is_of_few or not (is_by_end or is_expired):
        return
    names = ("valid_until_from", "valid_until_to", "expiring_within_days", "status")
    given = next(name for name in names if parameters[name] is not None)
    raise invalid([FieldError(given, "cannot stand beside a range of issued_at")])


def _enrollment_of(number: str) -> UUID | None:
    with services().pool.connection() as conn:
        found = find_certificate(conn, ["enrollment_id"], number)
    return None if found is None else found[0]


@certificates.query(
    "/certificates/<number:number>",
    Permission.READ_ENROLLMENTS,
    stream_of=_enrollment_of,
    answer=ShownCertificateDetail,
    tables=TABLES,
    parameters=SHOWING.parameters(),
    is_cached=True,
)
def get_certificate(conn: Connection[Any], parameters: Mapping[str, Any], number: str) -> Answered:
    """Show a certificate."""
    selection = SHOWING.select(parameters)
    columns = [*selection.columns, *_ASKED_BESIDES]
    found = find_certificate(conn, columns, number, caller().own_employee_id)
    if found is None:
        raise not_found("certificate", number)
    *row, version, enrollment_id, cycle, program_id, may_be_signed = found
    [document] = selection.documents(conn, [row])
    told = asdict(document)
    if parameters["fields"] is None:
        told["signature"] = _signature(conn, enrollment_id, cycle) if may_be_signed else None
    return resource_answer(told, version, topics(selection, enrollment_id, program_id))


def _signature(conn: Connection[Any], enrollment_id: UUID, cycle: int) -> dict[str, object] | None:
    enrollment = find_row(conn, enrollment_id)
    completed = enrollment and enrollment.in_cycle(cycle)
    return signature_json(completed) if completed else None


def _range(parameters: Mapping[str, Any], name: str) -> Range | None:
    found = Range(parameters[f"{name}_from"], parameters[f"{name}_to"])
    return None if found == Range() else found
