"""How certificates are asked for: which fields, in which orders, by which filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import reduce
from operator import add
from typing import Any
from uuid import UUID

from psycopg import Connection

from projections.certificate_register import FOR_EVER, LAST_DAY, CertificateRow, CertificateStatus
from projections.conditions import Conditions, Spread, Way
from projections.count import NOTHING, Count, count_by_steps, sum_of
from projections.keyset import Listing, Sort
from projections.names import LIVE, TODAY
from projections.ranges import Range, day_before
from projections.steps import MONTHS

_LAST_DAY = LAST_DAY.replace("valid_until", "r.valid_until")

OWN_FIELDS = (
    "id",
    "number",
    "status",
    "version",
    "enrollment_id",
    "program_id",
    "employee_id",
    "cycle",
    "title",
    "valid_from",
    "valid_until",
    "issued_at",
    "revoked_at",
    "changed_at",
)
"""What a certificate says of itself, in the order in which it is answered."""

FIELDS: Mapping[str, str] = {name: f"r.{name}" for name in OWN_FIELDS} | {
    "id": "r.number AS id",
    "status": f"""CASE WHEN r.status = 'revoked' THEN 'revoked'
        WHEN {_LAST_DAY} < {TODAY} THEN 'expired' ELSE 'valid' END AS status""",
    "program_code": "p.code AS program_code",
    "program_title": "p.title AS program_title",
    "employee_name": "m.name AS employee_name",
    "may_be_signed": """EXISTS (SELECT FROM rollbook_read.enrollment_listing e
        WHERE e.id = r.enrollment_id AND (e.signed_sha256 IS NOT NULL OR e.cycle > 1))""",
}

CERTIFICATES = Listing(
    table="rollbook_read.certificate_register",
    key="number",
    key_kind=str,
    fields=FIELDS,
    sorts={
        "issued_at": Sort("r.issued_at", datetime),
        "valid_until": Sort(_LAST_DAY, date, then="issued_at"),
    },
    joined="""
        LEFT JOIN rollbook_read.program_listing p ON p.id = r.program_id
        LEFT JOIN rollbook.employees m ON m.id = r.employee_id
    """,
)


class Validity(StrEnum):
    """What a certificate proves on a day."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class CertificateFilter:
    """Which certificates are wanted; None asks for nothing.

    Attributes:
        own: the employee to whose certificates the asking one is held.
        expiring_within_days: asks for valid ones whose last day is that near.
        issued: the days of issue, in UTC.
        last_day: the last valid day; what is valid for ever lies in no range of it.
        today: the day of the asking.

    """

    today: date
    own: str | None = None
    statuses: Sequence[Validity] | None = None
    program_ids: Sequence[UUID] | None = None
    employee_ids: Sequence[str] | None = None
    enrollment_ids: Sequence[UUID] | None = None
    expiring_within_days: int | None = None
    issued: Range | None = None
    last_day: Range | None = None

    @property
    def is_of_few(self) -> bool:
        """Whether only those of certain employees or enrollments are wanted, which are few."""
        narrow = (self.own, self.employee_ids, self.enrollment_ids)
        return any(one is not None for one in narrow)

    @property
    def is_by_last_day(self) -> bool:
        """Whether the last valid day decides, so that the order must be by it."""
        return self.last_day is not None or any(days != Range() for _, days in self.parts)

    @property
    def parts(self) -> list[tuple[CertificateStatus, Range]]:
        """What may be: a status as it is stored, with the last days that it takes."""
        wanted = set(Validity if self.statuses is None else self.statuses)
        if self.expiring_within_days is not None:
            wanted &= {Validity.VALID}
        return list(self._parts(wanted))

    def _parts(self, wanted: set[Validity]) -> Iterator[tuple[CertificateStatus, Range]]:
        if {Validity.VALID, Validity.EXPIRED} <= wanted:
            yield CertificateStatus.ISSUED, Range()
        elif Validity.VALID in wanted:
            days = self.expiring_within_days
            most = None if days is None else self.today + timedelta(days=days)
            yield CertificateStatus.ISSUED, Range(least=self.today, most=most)
        elif Validity.EXPIRED in wanted:
            yield CertificateStatus.ISSUED, Range(most=day_before(self.today))
        if Validity.REVOKED in wanted:
            yield CertificateStatus.REVOKED, Range()

    @property
    def conditions(self) -> Conditions:
        """The same as SQL."""
        conditions = Conditions()
        conditions.add_given("r.employee_id = %s", self.own)
        conditions.add_any("r.employee_id", self.employee_ids)
        conditions.add_any("r.program_id", self.program_ids)
        conditions.add_any("r.enrollment_id", self.enrollment_ids)
        if self.issued is not None:
            self.issued.as_moments().add_to(conditions, "r.issued_at")
        if self.last_day is not None:
            self.last_day.add_to(conditions, _LAST_DAY)
            conditions.add(f"{_LAST_DAY} < '9999-12-31'")
        conditions.ways += [self._way(status, days) for status, days in self._walked]
        return conditions

    @property
    def _walked(self) -> list[tuple[Sequence[CertificateStatus], Range]]:
        """What is walked together: the statuses that take the same last days."""
        found: dict[Range, list[CertificateStatus]] = {}
        for status, days in self.parts:
            found.setdefault(days, []).append(status)
        return [(statuses, days) for days, statuses in found.items()] or [([], Range())]

    def way_to(self, status: CertificateStatus) -> Way:
        """The way to all that is stored with this status."""
        return self._way([status], Range())

    def _way(self, stored: Sequence[CertificateStatus], days: Range) -> Way:
        also = Conditions()
        days.add_to(also, _LAST_DAY)
        statuses = [str(status) for status in stored]
        employees = [self.own] if self.own is not None else self.employee_ids
        for column, kind, values in (
            ("employee_id", "text", employees),
            ("enrollment_id", "uuid", self.enrollment_ids),
        ):
            if values is not None:
                also.add_any("r.status", statuses)
                return Way([Spread(column, kind, values)], also)
        by_status = Spread("status", "text", statuses)
        if self.program_ids is not None:
            return Way([Spread("program_id", "uuid", self.program_ids), by_status], also)
        return Way([by_status], also)


def find_certificate(
    conn: Connection[Any], names: Sequence[str], number: str, own: str | None = None
) -> Sequence[Any] | None:
    """Return the fields, or None when there is none, or not one of the employee `own`."""
    conditions = Conditions()
    conditions.add("r.number = %s", number)
    conditions.add_given("r.employee_id = %s", own)
    return CERTIFICATES.find(conn, names, conditions)


def validity(row: CertificateRow, today: date) -> Validity:
    """Return what the certificate proves on the day `today`."""
    if row.status == CertificateStatus.REVOKED:
        return Validity.REVOKED
    has_ended = row.valid_until is not None and row.valid_until < today
    return Validity.EXPIRED if has_ended else Validity.VALID


def count_certificates(wanted: CertificateFilter) -> Count:
    """Return how many there are, from the counts where these know.

    By program and stored status they know all, and with either days of issue or last days.
    """
    if wanted.is_of_few or (wanted.is_by_last_day and wanted.issued is not None):
        return CERTIFICATES.count(wanted.conditions)
    counts = (_known_total(wanted, status, days) for status, days in wanted.parts)
    return reduce(add, counts, NOTHING)


def _known_total(wanted: CertificateFilter, status: CertificateStatus, days: Range) -> Count:
    conditions = Conditions()
    conditions.add("status = %s", str(status))
    conditions.add_any("program_id", wanted.program_ids)
    if wanted.issued is not None:
        table, days = "certificates_by_issue", wanted.issued
    elif wanted.is_by_last_day:
        table = "certificates_by_last_day"
        if wanted.last_day is not None:
            days = days.within(wanted.last_day).within(Range(most=day_before(FOR_EVER)))
    else:
        return sum_of("certificates", f"{LIVE}.certificate_counts", conditions)
    if wanted.program_ids is None:
        days.add_to(conditions, "day")
        return sum_of("certificates", f"{LIVE}.{table}", conditions)

    def count_whole(months: Range) -> Count:
        months.add_to(conditions, "month")
        return sum_of("certificates", f"{LIVE}.{table}_in_programs", conditions)

    def count_end(part: Range) -> Count:
        left = Conditions()
        left.add_any("r.program_id", wanted.program_ids)
        if wanted.issued is None:
            part.add_to(left, _LAST_DAY)
        else:
            part.as_moments().add_to(left, "r.issued_at")
        left.ways.append(wanted.way_to(status))
        return CERTIFICATES.count(left)

    return count_by_steps(MONTHS, days.up_to_the_next_day(), count_whole, count_end)
