"""Receipts of erasures, as the log has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.personal_record import PersonalRecord
from eventlog.codec import EventCodec
from eventlog.history import events_of
from eventlog.pool import Connection


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What was erased of an employee, when and by whom; nothing in it is personal but the id.

    Attributes:
        position: of the erasure in the log.
        version: of the personal record.
        enrollments: how many the text was about.
        events: how many events these had; all of them stay, their text cannot be read.

    """

    employee_id: str
    position: int
    version: int
    erased_at: datetime
    erased_by: str
    role: str
    reason: str | None
    enrollments: int
    events: int


def erasure_receipt(conn: Connection, codec: EventCodec, employee_id: str) -> ErasureReceipt | None:
    """Return the receipt, or None when the employee was not erased."""
    for stored in events_of(conn, PersonalRecord.id_of(employee_id)):
        event = codec.to_domain_event(stored)
        if isinstance(event, PersonalRecord.Erased):
            return ErasureReceipt(
                employee_id=event.employee_id,
                position=stored.id,
                version=event.originator_version,
                erased_at=event.timestamp,
                erased_by=event.provenance.actor,
                role=event.provenance.role,
                reason=event.reason,
                enrollments=event.enrollments,
                events=event.events,
            )
    return None
