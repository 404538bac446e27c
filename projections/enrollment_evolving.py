"""What each event makes of an enrollment's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from domain.enrollment import Enrollment, EnrollmentStatus
from domain.signature import Signature
from projections.enrollment_row import EnrollmentRow, PastCycle, erased_text

_NOTHING: dict[str, Any] = dict.fromkeys(EnrollmentRow.__struct_fields__)
_BLANK = EnrollmentRow(**_NOTHING | {"percent": 0.0})
"""What a cycle begins with, apart from what the event that begins it tells."""


def evolve(row: EnrollmentRow | None, event: Any) -> EnrollmentRow | None:
    """Return the row as it is after `event`, which is one of `EVENTS`."""
    kind = type(event)
    begun = _BEGUN.get(kind)
    if begun is not None:
        return begun(row, event)
    return None if row is None else _EVOLVED[kind](row, event)


def _enrolled(row: EnrollmentRow | None, event: Enrollment.Enrolled) -> EnrollmentRow:
    return _begun(row, event, EnrollmentStatus.ENROLLED, event.effective_at)


def _waitlisted(row: EnrollmentRow | None, event: Enrollment.Waitlisted) -> EnrollmentRow:
    return _begun(row, event, EnrollmentStatus.WAITLISTED, None)


def _begun(
    row: EnrollmentRow | None,
    event: Enrollment.Enrolled | Enrollment.Waitlisted,
    status: EnrollmentStatus,
    enrolled_at: datetime | None,
) -> EnrollmentRow:
    return replace(
        _BLANK,
        id=event.originator_id,
        program_id=event.program_id,
        employee_id=event.employee_id,
        status=status,
        version=event.originator_version,
        cycle=event.cycle,
        source=event.source,
        department=event.department,
        program_revision=event.program_revision,
        due_on=event.due_on,
        past_score_percent=row.best_score_percent if row else None,
        past_cycles=(*row.past_cycles, PastCycle.of(row)) if row else (),
        began_at=event.effective_at,
        enrolled_at=enrolled_at,
        changed_at=event.timestamp,
    )


def _promoted(row: EnrollmentRow, event: Enrollment.Promoted) -> EnrollmentRow:
    return replace(
        row,
        status=EnrollmentStatus.ENROLLED,
        version=event.originator_version,
        enrolled_at=event.effective_at,
        changed_at=event.timestamp,
    )


def _progressed(row: EnrollmentRow, event: Enrollment.ProgressRecorded) -> EnrollmentRow:
    score_percent = event.score_percent
    return replace(
        row,
        status=EnrollmentStatus.IN_PROGRESS,
        version=event.originator_version,
        percent=event.percent,
        progress_score_percent=(
            row.progress_score_percent if score_percent is None else score_percent
        ),
        started_at=row.started_at or event.effective_at,
        progressed_at=event.effective_at,
        changed_at=event.timestamp,
    )


def _progress_corrected(row: EnrollmentRow, event: Enrollment.ProgressCorrected) -> EnrollmentRow:
    return replace(
        row,
        version=event.originator_version,
        percent=event.now_percent,
        changed_at=event.timestamp,
    )


def _completed(row: EnrollmentRow, event: Enrollment.Completed) -> EnrollmentRow:
    completed = replace(
        row,
        status=EnrollmentStatus.COMPLETED,
        version=event.originator_version,
        score_percent=event.score_percent,
        grade=event.grade,
        started_at=row.started_at or event.effective_at,
        ended_at=event.effective_at,
        changed_at=event.timestamp,
    )
    return completed if event.signature is None else _signed(completed, event, event.signature)


def _signed(row: EnrollmentRow, event: Enrollment.Completed, signature: Signature) -> EnrollmentRow:
    return replace(
        row,
        signed_by=event.provenance.actor,
        signed_at=event.timestamp,
        signer_name=event.printed_name,
        signature_meaning=signature.meaning,
        signed_sha256=signature.record_sha256,
    )


def _failed(row: EnrollmentRow, event: Enrollment.Failed) -> EnrollmentRow:
    return replace(
        row,
        status=EnrollmentStatus.FAILED,
        version=event.originator_version,
        score_percent=event.score_percent,
        ended_at=event.effective_at,
        changed_at=event.timestamp,
    )


def _withdrawn(row: EnrollmentRow, event: Enrollment.Withdrawn) -> EnrollmentRow:
    return replace(
        row,
        status=EnrollmentStatus.WITHDRAWN,
        version=event.originator_version,
        ended_at=event.effective_at,
        changed_at=event.timestamp,
    )


def _completion_voided(row: EnrollmentRow, event: Enrollment.CompletionVoided) -> EnrollmentRow:
    return replace(
        row,
        status=EnrollmentStatus.IN_PROGRESS,
        version=event.originator_version,
        score_percent=None,
        grade=None,
        ended_at=None,
        signed_by=None,
        signed_at=None,
        signer_name=None,
        signature_meaning=None,
        signed_sha256=None,
        changed_at=event.timestamp,
    )


def _certified(row: EnrollmentRow, event: Enrollment.CertificateIssued) -> EnrollmentRow:
    return replace(
        row,
        version=event.originator_version,
        certificate_number=(event.number if event.cycle == row.cycle else row.certificate_number),
        changed_at=event.timestamp,
    )


def _certificate_revoked(row: EnrollmentRow, event: Enrollment.CertificateRevoked) -> EnrollmentRow:
    number, own, past_cycles = event.number, row.certificate_number, row.past_cycles
    if number == own:
        own = None
    else:
        past_cycles = tuple(cycle.without(number) for cycle in past_cycles)
    return replace(
        row,
        version=event.originator_version,
        certificate_number=own,
        past_cycles=past_cycles,
        changed_at=event.timestamp,
    )


def _text_erased(row: EnrollmentRow, event: Enrollment.TextErased) -> EnrollmentRow:
    return replace(without_text(row), version=event.originator_version, changed_at=event.timestamp)


def without_text(row: EnrollmentRow) -> EnrollmentRow:
    """Return the row with what was text about the employee erased."""
    return replace(
        row,
        grade=erased_text(row.grade),
        signer_name=erased_text(row.signer_name),
        past_cycles=tuple(cycle.without_text() for cycle in row.past_cycles),
    )


# By the class alone: to ask an event for its class, one after the other, takes longer than the
# change itself.
_BEGUN: Mapping[type, Callable[[EnrollmentRow | None, Any], EnrollmentRow]] = {
    Enrollment.Enrolled: _enrolled,
    Enrollment.Waitlisted: _waitlisted,
}
_EVOLVED: Mapping[type, Callable[[EnrollmentRow, Any], EnrollmentRow]] = {
    Enrollment.Promoted: _promoted,
    Enrollment.ProgressRecorded: _progressed,
    Enrollment.ProgressCorrected: _progress_corrected,
    Enrollment.Completed: _completed,
    Enrollment.Failed: _failed,
    Enrollment.Withdrawn: _withdrawn,
    Enrollment.CompletionVoided: _completion_voided,
    Enrollment.CertificateIssued: _certified,
    Enrollment.CertificateRevoked: _certificate_revoked,
    Enrollment.TextErased: _text_erased,
}
EVENTS = (*_BEGUN, *_EVOLVED)
"""The events that change the row of an enrollment."""
