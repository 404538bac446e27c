"""Thousands of commands in one request."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from api.bulk_parts import Bulk, perform
from api.bulk_results import Result
from api.bulk_shapes import (
    ADMITTED,
    RECORDED,
    BulkEnrollBody,
    BulkEnrolled,
    BulkProgress,
    BulkProgressBody,
    EnrollRow,
    ProgressRow,
)
from api.ownership import who_enrolls
from api.resource import Resource
from api.services import services
from api.wire import Answer
from domain.bulk import Enrolling, Progress
from domain.enrollment import Enrollment
from domain.permissions import Permission

bulk = Resource("bulk", "Thousands of commands in one request, with a result for each.")


@bulk.command(
    "POST",
    "/enrollments:bulk",
    Permission.ENROLL,
    body=BulkEnrollBody,
    answers={HTTPStatus.OK: BulkEnrolled},
    in_parts=True,
)
def enroll_many(body: Mapping[str, Any]) -> Answer:
    """Enroll many employees, in one program or in several.

    Those of one program come in in the order of the rows.
    """
    return perform(ENROLLING, body)


@bulk.command(
    "POST",
    "/enrollments:bulk-progress",
    Permission.RECORD_PROGRESS,
    body=BulkProgressBody,
    answers={HTTPStatus.OK: BulkProgress},
    in_parts=True,
)
def record_progress_many(body: Mapping[str, Any]) -> Answer:
    """Record the progress of many enrollments, in the order of the rows."""
    return perform(RECORDING, body)


def _enrolling(row: Mapping[str, Any]) -> Enrolling:
    employee_id, source = who_enrolls(row["employee_id"])
    return Enrolling(row["program_id"], employee_id, source, row["due_on"])


def _done(enrollment: Enrollment, outcome: str, status: HTTPStatus) -> Result:
    ids = {"enrollment_id": enrollment.id, "employee_id": enrollment.employee_id}
    return {"outcome": outcome, "status": status, **ids}


ENROLLING = Bulk(
    schema=EnrollRow(),
    ask=_enrolling,
    command=lambda asked, act, atomic: services().training.enroll_many(
        asked, act, all_or_none=atomic
    ),
    describe=lambda enrollment: _done(enrollment, str(enrollment.status), HTTPStatus.CREATED),
    outcomes=ADMITTED,
    group=lambda row: str(row.get("program_id")),
)
RECORDING = Bulk(
    schema=ProgressRow(),
    ask=lambda row: Progress(**row),
    command=lambda asked, act, atomic: services().training.record_progress_many(
        asked, act, all_or_none=atomic
    ),
    describe=lambda enrollment: _done(enrollment, "recorded", HTTPStatus.OK),
    outcomes=RECORDED,
    group=lambda _: "",
)
