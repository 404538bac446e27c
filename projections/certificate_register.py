"""The register of certificates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from domain.enrollment import Enrollment
from projections.row import Row
from projections.steps import first_of_month, month_in_sql, utc_day_in_sql
from projections.table import Contribution, InSql, ReadTable, Summary

FOR_EVER = date.max
LAST_DAY = "coalesce(valid_until, '9999-12-31'::date)"


class CertificateStatus(StrEnum):
    """Whether a certificate was taken back. Expiry is a question about time, and not stored."""

    ISSUED = "issued"
    REVOKED = "revoked"


class CertificateRow(Row, frozen=True):
    """One row per certificate ever issued; the key is `number`.

    Attributes:
        version: the version of its enrollment with the last event about it.
        valid_until: the last valid day, None for ever.
        issued_at, revoked_at: effective times.

    """

    number: str
    status: str
    version: int
    enrollment_id: UUID
    program_id: UUID
    employee_id: str
    cycle: int
    title: str
    valid_from: date
    valid_until: date | None
    issued_at: datetime
    revoked_at: datetime | None
    changed_at: datetime


def evolve(row: CertificateRow | None, event: Any) -> CertificateRow | None:
    """Return the row as it is after `event`."""
    match event:
        case Enrollment.CertificateIssued():
            return _issued(event)
        case Enrollment.CertificateRevoked() if row is not None:
            return replace(
                row,
                status=CertificateStatus.REVOKED,
                version=event.originator_version,
                revoked_at=event.effective_at,
                changed_at=event.timestamp,
            )
    return row


def _issued(event: Enrollment.CertificateIssued) -> CertificateRow:
    return CertificateRow(
        number=event.number,
        status=CertificateStatus.ISSUED,
        version=event.originator_version,
        enrollment_id=event.originator_id,
        program_id=event.program_id,
        employee_id=event.employee_id,
        cycle=event.cycle,
        title=event.title,
        valid_from=event.valid_from,
        valid_until=event.valid_until,
        issued_at=event.effective_at,
        revoked_at=None,
        changed_at=event.timestamp,
    )


def _number_of(event: Any) -> str:
    number: str = event.number
    return number


def _by_day(
    name: str,
    told_by: str,
    day: Callable[[CertificateRow], date],
    day_in_sql: str,
    also: Mapping[str, tuple[str, ...]] | None = None,
) -> Summary[CertificateRow]:
    """Return the counts by a day and the status, of all and within each program."""

    def contribution(row: CertificateRow) -> Contribution:
        on = day(row)
        return (row.program_id.int, first_of_month(on), on, row.status), (1,)

    return Summary(
        name,
        {"program_id": UUID, "month": date, "day": date, "status": str},
        ("certificates",),
        contribution,
        (told_by, "program_id", "status"),
        InSql(
            {
                "program_id": "program_id",
                "month": month_in_sql(day_in_sql),
                "day": day_in_sql,
                "status": "status",
            },
            {"certificates": "count(*)"},
        ),
        rollups={
            name: ("day", "status"),
            f"{name}_in_programs": ("program_id", "month", "status"),
            **(also or {}),
        },
    )


CERTIFICATES_BY_ISSUE = _by_day(
    "certificates_by_issue",
    "issued_at",
    lambda row: row.issued_at.date(),
    utc_day_in_sql("issued_at"),
    also={"certificate_counts": ("program_id", "status")},
)
CERTIFICATES_BY_LAST_DAY = _by_day(
    "certificates_by_last_day",
    "valid_until",
    lambda row: row.valid_until or FOR_EVER,
    LAST_DAY,
)

CERTIFICATE_REGISTER = ReadTable(
    name="certificate_register",
    row=CertificateRow,
    key="number",
    keys=dict.fromkeys((Enrollment.CertificateIssued, Enrollment.CertificateRevoked), _number_of),
    evolve=evolve,
    # The column behind an expression is in the index as well: only then can it be walked without
    # the table. What is alike is sorted by its issue before its number, so that a new row is
    # written behind all others.
    indexes=(
        "(status, issued_at, number) INCLUDE (valid_until)",
        f"(status, ({LAST_DAY}), issued_at, number) INCLUDE (valid_until)",
        "(program_id, status, issued_at, number) INCLUDE (valid_until)",
        f"(program_id, status, ({LAST_DAY}), issued_at, number) INCLUDE (valid_until)",
        "(employee_id, issued_at, number)",
        "(enrollment_id)",
    ),
    summaries=(CERTIFICATES_BY_ISSUE, CERTIFICATES_BY_LAST_DAY),
    # A number is issued once: the log refuses the second time.
    begins=lambda event: isinstance(event, Enrollment.CertificateIssued),
    definition=5,
)
