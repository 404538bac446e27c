"""A training program as it stood at some version, so that a long stream need not be read whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.program_details import ProgramDetails
from domain.training_program import ProgramStatus, TrainingProgram


@dataclass(frozen=True)
class Waiting:
    """A place on the waiting list."""

    employee_id: str
    since: datetime


@dataclass(frozen=True)
class ProgramSnapshot:
    """All that the program's events up to `originator_version` say; no text about anybody.

    The number in the topic is raised whenever the state of a program or what an event does to it
    changes. Snapshots of other topics are not used.
    """

    TOPIC: ClassVar[str] = "program.snapshot.v1"

    originator_id: UUID
    originator_version: int
    timestamp: datetime
    status: ProgramStatus
    is_deleted: bool
    details: ProgramDetails
    revision: int
    enrollments_began: bool
    seats: tuple[str, ...]
    waiting: tuple[Waiting, ...]

    @classmethod
    def of(cls, program: TrainingProgram) -> ProgramSnapshot:
        """Return the snapshot of a program that is as its stored events made it."""
        return cls(
            originator_id=program.id,
            originator_version=program.version,
            timestamp=program.modified_on,
            status=program.status,
            is_deleted=program.is_deleted,
            details=program.details,
            revision=program.revision,
            enrollments_began=program.enrollments_began,
            seats=tuple(program.seats),
            waiting=tuple(Waiting(*place) for place in program.waiting.items()),
        )

    def restored(self) -> TrainingProgram:
        """Return the program."""
        program = TrainingProgram.blank(self.originator_id)
        program.version = self.originator_version
        program.modified_on = self.timestamp
        program.status = self.status
        program.is_deleted = self.is_deleted
        program.details = self.details
        program.revision = self.revision
        program.enrollments_began = self.enrollments_began
        program.seats = set(self.seats)
        program.waiting = {place.employee_id: place.since for place in self.waiting}
        return program
