"""What an employee has at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from domain.enrollment import EnrollmentStatus
from projections.certificate_queries import CERTIFICATES, Validity
from projections.enrollment_queries import ENROLLMENTS

_ENROLLMENTS = f"""
SELECT {ENROLLMENTS.fields["status"]}, {ENROLLMENTS.fields["overdue"]}
FROM {ENROLLMENTS.table} r WHERE r.employee_id = %s
"""  # noqa: S608  # constants
_CERTIFICATES = f"""
SELECT {CERTIFICATES.fields["status"]} FROM {CERTIFICATES.table} r WHERE r.employee_id = %s
"""  # noqa: S608  # constants


@dataclass(frozen=True, slots=True)
class OwnSummary:
    """An employee's enrollments by status, how many are overdue, and certificates by validity."""

    enrollments: Mapping[str, int]
    overdue: int
    certificates: Mapping[str, int]


def own_summary(conn: Connection[Any], employee_id: str) -> OwnSummary:
    """Return what the employee has: no more rows than there are programs."""
    found = conn.execute(_ENROLLMENTS, (employee_id,)).fetchall()
    numbers = conn.execute(_CERTIFICATES, (employee_id,)).fetchall()
    return OwnSummary(
        enrollments=_counted(EnrollmentStatus, [status for status, _ in found]),
        overdue=sum(is_overdue for _, is_overdue in found),
        certificates=_counted(Validity, [status for (status,) in numbers]),
    )


def _counted(words: type[EnrollmentStatus | Validity], found: list[str]) -> dict[str, int]:
    return {str(word): found.count(word) for word in words}
