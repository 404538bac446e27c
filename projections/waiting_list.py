"""The waiting lists of all programs, in order."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.enrollment import Enrollment
from domain.training_program import TrainingProgram
from projections.row import Row
from projections.table import InSql, ReadTable, Summary


class WaitingRow(Row, frozen=True):
    """One row per employee who waits for a place in a program; the key is `enrollment_id`.

    Attributes:
        turn: the version of the program with which the employee came onto its list. The lowest
            of a program is the first in line; clocks do not matter.
        waiting_since: when that was (effective).

    """

    enrollment_id: UUID
    program_id: UUID
    employee_id: str
    turn: int
    waiting_since: datetime


def evolve(row: WaitingRow | None, event: Any) -> WaitingRow | None:
    """Return the row as it is after `event`: a turn begins or ends, and never changes."""
    if row is not None or not isinstance(event, TrainingProgram.EmployeeWaitlisted):
        return None
    return WaitingRow(
        enrollment_id=_enrollment_of(event),
        program_id=event.originator_id,
        employee_id=event.employee_id,
        turn=event.originator_version,
        waiting_since=event.effective_at,
    )


def _enrollment_of(event: Any) -> UUID:
    return Enrollment.id_of(event.originator_id, event.employee_id)


WAITING_COUNTS = Summary[WaitingRow](
    name="waiting_counts",
    key={"program_id": UUID},
    amounts=("waiting",),
    contribution=lambda row: ((row.program_id.int,), (1,)),
    told_by=("program_id",),
    in_sql=InSql({"program_id": "program_id"}, {"waiting": "count(*)"}),
)

WAITING_LIST = ReadTable(
    name="waiting_list",
    row=WaitingRow,
    key="enrollment_id",
    keys=dict.fromkeys(
        (
            TrainingProgram.EmployeeWaitlisted,
            TrainingProgram.EmployeePromoted,
            TrainingProgram.EmployeeLeftWaitlist,
        ),
        lambda event: _enrollment_of(event).int,
    ),
    evolve=evolve,
    indexes=("(program_id, turn)",),
    summaries=(WAITING_COUNTS,),
    definition=2,
)
