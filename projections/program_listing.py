"""The listing of training programs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace

from domain.training_program import ProgramEvent, ProgramStatus, TrainingProgram
from projections.row import Row
from projections.table import InSql, ReadTable, Summary

if TYPE_CHECKING:
    from domain.program_details import Certification, ProgramDetails


WORDS = (
    "to_tsvector('simple', translate(code || ' ' || title || ' ' || coalesce(category, ''),"
    " '-./_@:&?=~+#<>', '              '))"
)
"""What a search goes through: letters and digits; everything else only divides words."""


class ProgramRow(Row, frozen=True):
    """One row per program that is not deleted; the key is `id`.

    Attributes:
        seats_taken: places given away, counted while the capacity is limited.
        waiting: length of the waiting list.
        published_at: when it was first published (effective).
        changed_at: when the log learned of the last event.

    """

    id: UUID
    status: str
    version: int
    revision: int
    code: str
    title: str
    description: str | None
    category: str | None
    level: str | None
    delivery_mode: str | None
    provider: str | None
    instructor: str | None
    duration_hours: float | None
    capacity: int | None
    starts_on: date | None
    ends_on: date | None
    enrollment_deadline: date | None
    cost: Decimal | None
    currency: str | None
    mandatory: bool
    tags: tuple[str, ...]
    pass_score_percent: float | None
    signature_required: bool
    certification_offered: bool
    certification_title: str | None
    certification_issued: str
    certification_valid_for_months: int | None
    seats_taken: int
    waiting: int
    created_at: datetime
    published_at: datetime | None
    changed_at: datetime


PLACES: dict[type[ProgramEvent], tuple[int, int]] = {
    TrainingProgram.SeatTaken: (1, 0),
    TrainingProgram.SeatReleased: (-1, 0),
    TrainingProgram.EmployeeWaitlisted: (0, 1),
    TrainingProgram.EmployeePromoted: (1, -1),
    TrainingProgram.EmployeeLeftWaitlist: (0, -1),
}
"""What an event adds to the places taken, and to the length of the waiting list."""


def evolve(row: ProgramRow | None, event: Any) -> ProgramRow | None:
    """Return the row as it is after `event`."""
    if isinstance(event, TrainingProgram.Created):
        return _drafted(event)
    if row is None or isinstance(event, TrainingProgram.Deleted):
        return None
    return replace(
        row,
        version=event.originator_version,
        changed_at=event.timestamp,
        **_changes(row, event),
    )


def _drafted(event: TrainingProgram.Created) -> ProgramRow:
    return ProgramRow(
        id=event.originator_id,
        status=ProgramStatus.DRAFT,
        version=event.originator_version,
        revision=1,
        **_details(event.details),
        seats_taken=0,
        waiting=0,
        created_at=event.effective_at,
        published_at=None,
        changed_at=event.timestamp,
    )


def _details(details: ProgramDetails) -> dict[str, Any]:
    plain = {name: getattr(details, name) for name in details.__slots__ if name != "certification"}
    return plain | _certification(details.certification)


def _certification(certification: Certification) -> dict[str, Any]:
    return {
        f"certification_{name}": getattr(certification, name) for name in certification.__slots__
    }


def _changes(row: ProgramRow, event: Any) -> dict[str, Any]:  # one case an event
    match event:
        case TrainingProgram.DetailsRevised():
            return _revised(event)
        case TrainingProgram.Published():
            return {
                "status": ProgramStatus.PUBLISHED,
                "published_at": row.published_at or event.effective_at,
            }
        case TrainingProgram.Closed() | TrainingProgram.Restored():
            return {"status": ProgramStatus.CLOSED}
        case TrainingProgram.Archived():
            return {"status": ProgramStatus.ARCHIVED}
    return _places(row, event)


def _places(row: ProgramRow, event: Any) -> dict[str, Any]:
    if type(event) not in PLACES:
        return {}
    seats_taken, waiting = PLACES[type(event)]
    return {"seats_taken": row.seats_taken + seats_taken, "waiting": row.waiting + waiting}


def _revised(event: TrainingProgram.DetailsRevised) -> dict[str, Any]:
    changes = dict(event.changes)
    certification: Any = changes.pop("certification", None)
    if certification is not None:
        changes |= _certification(certification)
    return {"revision": event.revision, **changes}


PROGRAMS_BY_STATUS = Summary[ProgramRow](
    name="programs_by_status",
    key={"status": str},
    amounts=("programs",),
    contribution=lambda row: ((row.status,), (1,)),
    told_by=("status",),
    in_sql=InSql({"status": "status"}, {"programs": "count(*)"}),
)

PROGRAM_LISTING = ReadTable(
    name="program_listing",
    row=ProgramRow,
    key="id",
    keys=dict.fromkeys(
        (
            TrainingProgram.Created,
            TrainingProgram.DetailsRevised,
            TrainingProgram.Published,
            TrainingProgram.Closed,
            TrainingProgram.Archived,
            TrainingProgram.Restored,
            TrainingProgram.Deleted,
            TrainingProgram.EnrollmentsBegan,
            TrainingProgram.SeatTaken,
            TrainingProgram.SeatReleased,
            TrainingProgram.EmployeeWaitlisted,
            TrainingProgram.EmployeePromoted,
            TrainingProgram.EmployeeLeftWaitlist,
        ),
        attrgetter("originator_id.int"),
    ),
    evolve=evolve,
    indexes=(
        "(title, id)",
        "(code, id)",
        "(status, title, id)",
        "(category, title, id)",
        "(created_at, id)",
        f"USING gin ({WORDS})",
    ),
    summaries=(PROGRAMS_BY_STATUS,),
    definition=2,
)
