"""A training program: what is offered, and who has a place in it.

`draft -> published <-> closed -> archived -> (restored to closed)`. A program
that never had an enrollment can be deleted, any other only archived.

Seats are counted for programs of limited capacity alone: enrollments in an
unlimited program do not write here, so they do not contend. A seat is held
until its holder withdraws; who completed or failed keeps it, so that voiding a
completion can never overbook the program.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from domain.aggregate import Aggregate, Event
from domain.errors import InvalidValueError, NotFoundError, StateError
from domain.program_details import ProgramDetails

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from uuid import UUID

    from domain.act import Act


class ProgramStatus(StrEnum):
    """Where a program is in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"
    ARCHIVED = "archived"


class Admission(StrEnum):
    """What an employee who enrolls gets."""

    SEAT = "seat"
    WAITING = "waiting"


class ProgramEvent(Event):
    """An event of a program; the program is its stream."""


class PlaceEvent(ProgramEvent):
    """What every event about a place in the program says: whose it is."""

    CONCERNS = "employee_id"
    employee_id: str


class TrainingProgram(Aggregate):
    """One program, its status, and for a limited one its seats and its waiting list."""

    Event = ProgramEvent
    HAS_SNAPSHOTS = True

    class Created(ProgramEvent):
        """The program was drafted."""

        TOPIC = "program.created.v1"
        details: ProgramDetails

    class DetailsRevised(ProgramEvent):
        """Some of the details are others now; `changes` holds those alone."""

        TOPIC = "program.details_revised.v1"
        revision: int
        changes: Annotated[dict[str, object], ProgramDetails]

    class Published(ProgramEvent):
        """Employees can enroll from now on."""

        TOPIC = "program.published.v1"

    class Closed(ProgramEvent):
        """Nobody can enroll any more; who is in goes on."""

        TOPIC = "program.closed.v1"

    class Archived(ProgramEvent):
        """The program is out of use, and kept."""

        TOPIC = "program.archived.v1"

    class Restored(ProgramEvent):
        """The program is back from the archive, closed."""

        TOPIC = "program.restored.v1"

    class Deleted(ProgramEvent):
        """The program is gone; nobody ever enrolled in it."""

        TOPIC = "program.deleted.v1"

    class EnrollmentsBegan(ProgramEvent):
        """Somebody enrolled for the first time ever: the program cannot be deleted any more."""

        TOPIC = "program.enrollments_began.v1"

    class SeatTaken(PlaceEvent):
        """An employee got a place."""

        TOPIC = "program.seat_taken.v1"

    class SeatReleased(PlaceEvent):
        """An employee gave a place back."""

        TOPIC = "program.seat_released.v1"

    class EmployeeWaitlisted(PlaceEvent):
        """No place was free: an employee is last on the waiting list."""

        TOPIC = "program.employee_waitlisted.v1"

    class EmployeePromoted(PlaceEvent):
        """An employee moved from the waiting list to a free place."""

        TOPIC = "program.employee_promoted.v1"

    class EmployeeLeftWaitlist(PlaceEvent):
        """An employee waits no longer."""

        TOPIC = "program.employee_left_waitlist.v1"

    def begin(self) -> None:
        """Be a draft that says nothing yet and has nobody in it."""
        self.status = ProgramStatus.DRAFT
        self.is_deleted = False
        self.details = ProgramDetails(code="", title="")
        self.revision = 0
        self.enrollments_began = False
        self.seats: set[str] = set()
        self.waiting: dict[str, datetime] = {}

    # Decisions about the program itself.

    def create(self, details: ProgramDetails, act: Act) -> None:
        """Draft the program. Raises `InvalidValueError` when `details` break a rule.

        Raises `ProgramExistsError` when there is one, or there was before it was deleted.
        """
        details.validate()
        if self.exists:
            raise ProgramExistsError(self.id)
        self._record(self.Created, act, details=details)

    def revise(
        self, details: ProgramDetails, act: Act, seat_holders: AbstractSet[str]
    ) -> list[str]:
        """Replace the details, and return the employees that a larger capacity promotes.

        `seat_holders` are the employees whose enrollments hold a place. They are
        asked for only when an unlimited program becomes limited, since until then
        nobody counted.
        """
        self.require_existence()
        if self.status is ProgramStatus.ARCHIVED:
            raise ProgramStatusError("revised", self.id, self.status)
        details.validate()
        changes = self.details.differences(details)
        if not changes:
            return []
        becomes_limited = self.is_unlimited and details.capacity is not None
        held = len(seat_holders if becomes_limited else self.seats)
        if details.capacity is not None and details.capacity < held:
            raise CapacityBelowSeatsError(details.capacity, held)
        revised = self._record(
            self.DetailsRevised, act, revision=self.revision + 1, changes=changes
        )
        if becomes_limited:
            self._count_seats(seat_holders, act.consequence(revised))
        return self._promote(act.consequence(revised))

    def publish(self, act: Act) -> list[str]:
        """Open enrollment, and return the employees whom free seats promote."""
        self._require_status("published", ProgramStatus.DRAFT, ProgramStatus.CLOSED)
        published = self._record(self.Published, act)
        return self._promote(act.consequence(published))

    def close(self, act: Act) -> None:
        """End enrollment. Who waits goes on waiting, and is not promoted while it is closed."""
        self._require_status("closed", ProgramStatus.PUBLISHED)
        self._record(self.Closed, act)

    def archive(self, act: Act) -> None:
        """Take a closed program out of use."""
        self._require_status("archived", ProgramStatus.CLOSED)
        self._record(self.Archived, act)

    def restore(self, act: Act) -> None:
        """Bring an archived program back, closed."""
        self._require_status("restored", ProgramStatus.ARCHIVED)
        self._record(self.Restored, act)

    def delete(self, act: Act) -> None:
        """Delete the program. Raises `ProgramHasEnrollmentsError` when anybody ever enrolled."""
        self.require_existence()
        if self.enrollments_began:
            raise ProgramHasEnrollmentsError(self.id)
        self._record(self.Deleted, act)

    # Decisions about places in it.

    def admit(self, employee_id: str, on: date, act: Act) -> Admission:
        """Let an employee in on the day `on`: a seat, or the end of the waiting list.

        Raises `ProgramStatusError` when it is not published, and
        `EnrollmentDeadlineError` when `on` is past the deadline.
        """
        self._require_status("enrolled in", ProgramStatus.PUBLISHED)
        deadline = self.details.enrollment_deadline
        if deadline is not None and on > deadline:
            raise EnrollmentDeadlineError(self.id, deadline, on)
        if not self.enrollments_began:
            # The reason is about the employee, whom this event does not name.
            self._record(self.EnrollmentsBegan, act, reason=None)
        if self.is_unlimited or employee_id in self.seats:
            return Admission.SEAT
        if self._has_free_seat:
            self._record(self.SeatTaken, act, employee_id=employee_id)
            return Admission.SEAT
        self._record(self.EmployeeWaitlisted, act, employee_id=employee_id)
        return Admission.WAITING

    def release(self, employee_id: str, act: Act) -> list[str]:
        """Give the employee's seat or place in line back, and return whom that promotes."""
        if employee_id in self.waiting:
            self._record(self.EmployeeLeftWaitlist, act, employee_id=employee_id)
            return []
        if self.is_unlimited or employee_id not in self.seats:
            return []
        self._record(self.SeatReleased, act, employee_id=employee_id)
        return self._promote(act)

    def require_existence(self) -> None:
        """Raise `ProgramNotFoundError` when there is none, or none any more."""
        if not self.exists or self.is_deleted:
            raise ProgramNotFoundError(self.id)

    @property
    def is_unlimited(self) -> bool:
        """Whether the program has a place for everybody."""
        return self.details.capacity is None

    @property
    def is_written_by_enrolling(self) -> bool:
        """Whether the next enrollment records an event here."""
        return not (self.is_unlimited and self.enrollments_began)

    @property
    def _has_free_seat(self) -> bool:
        capacity = self.details.capacity
        return capacity is None or len(self.seats) < capacity

    def _promote(self, act: Act) -> list[str]:
        promoted: list[str] = []
        while self.status is ProgramStatus.PUBLISHED and self.waiting and self._has_free_seat:
            employee_id, waiting_since = next(iter(self.waiting.items()))
            promotion = act.not_before(waiting_since)
            self._record(self.EmployeePromoted, promotion, employee_id=employee_id)
            promoted.append(employee_id)
        return promoted

    def _count_seats(self, holders: AbstractSet[str], act: Act) -> None:
        for employee_id in sorted(self.seats - holders):
            self._record(self.SeatReleased, act, employee_id=employee_id)
        for employee_id in sorted(holders - self.seats):
            self._record(self.SeatTaken, act, employee_id=employee_id)

    def _require_status(self, action: str, *allowed: ProgramStatus) -> None:
        self.require_existence()
        if self.status not in allowed:
            raise ProgramStatusError(action, self.id, self.status)

    def apply(self, event: object) -> None:  # noqa: C901  # one case an event
        """Assign what `event` says of the program, its seats and its waiting list."""
        match event:
            case TrainingProgram.Created():
                self.details = event.details
                self.revision = 1
            case TrainingProgram.DetailsRevised():
                self.details = self.details.changed_by(event.changes)
                self.revision = event.revision
            case TrainingProgram.Published():
                self.status = ProgramStatus.PUBLISHED
            case TrainingProgram.Closed() | TrainingProgram.Restored():
                self.status = ProgramStatus.CLOSED
            case TrainingProgram.Archived():
                self.status = ProgramStatus.ARCHIVED
            case TrainingProgram.Deleted():
                self.is_deleted = True
            case TrainingProgram.EnrollmentsBegan():
                self.enrollments_began = True
            case TrainingProgram.SeatTaken():
                self.seats.add(event.employee_id)
            case TrainingProgram.SeatReleased():
                self.seats.discard(event.employee_id)
            case TrainingProgram.EmployeeWaitlisted():
                self.waiting[event.employee_id] = event.effective_at
            case TrainingProgram.EmployeePromoted():
                self.waiting.pop(event.employee_id, None)
                self.seats.add(event.employee_id)
            case TrainingProgram.EmployeeLeftWaitlist():
                self.waiting.pop(event.employee_id, None)


class ProgramNotFoundError(NotFoundError):
    """There is no such program, or it was deleted."""

    code = "program_not_found"

    def __init__(self, program_id: UUID) -> None:
        super().__init__("program", program_id)


class ProgramExistsError(StateError):
    """The id was given to a program before."""

    code = "program_exists"

    def __init__(self, program_id: UUID) -> None:
        super().__init__(f"Program {program_id} was created before, and an id is not used again.")
        self.program_id = program_id


class ProgramStatusError(StateError):
    """The program's status does not allow the action."""

    code = "program_status"

    def __init__(self, action: str, program_id: UUID, status: ProgramStatus) -> None:
        super().__init__(f"Program {program_id} is {status} and cannot be {action}.")
        self.program_id = program_id
        self.status = status


class ProgramHasEnrollmentsError(StateError):
    """Somebody enrolled in the program once, so its history must stay."""

    code = "program_has_enrollments"

    def __init__(self, program_id: UUID) -> None:
        super().__init__(
            f"Program {program_id} had enrollments and cannot be deleted."
            " Close and archive it instead."
        )
        self.program_id = program_id


class CapacityBelowSeatsError(InvalidValueError):
    """The capacity would be less than the seats that are held."""

    code = "capacity_below_seats"

    def __init__(self, capacity: int, held: int) -> None:
        super().__init__(
            "capacity", f"must not be below the {held} seats that are held, but is {capacity}"
        )
        self.capacity = capacity
        self.held = held


class EnrollmentDeadlineError(StateError):
    """The last day to enroll is over."""

    code = "enrollment_deadline_passed"

    def __init__(self, program_id: UUID, deadline: date, on: date) -> None:
        super().__init__(
            f"Enrollment in program {program_id} ended on {deadline}, and this would be on {on}."
        )
        self.program_id = program_id
        self.deadline = deadline
