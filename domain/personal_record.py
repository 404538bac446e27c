"""What the log says about a person's data: legal holds on it, and its erasure.

The data itself (names, the directory's entry, the key to all text) is kept
elsewhere. The reasons of holds are text about the person like any other; that of
the erasure belongs to its receipt, and stays readable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from domain.aggregate import Aggregate, Event
from domain.errors import NotFoundError, StateError

if TYPE_CHECKING:
    from domain.act import Act

NAMESPACE = UUID("2f0c6d53-7a51-5a0e-9d0e-5b8d7a1c4e92")


class PersonalRecordEvent(Event):
    """What every event of a personal record says: whose it is."""

    employee_id: str


class PersonalRecord(Aggregate):
    """Whether a person's data is held, or erased."""

    Event = PersonalRecordEvent

    class HoldPlaced(PersonalRecordEvent):
        """The data must not be erased, for a legal reason."""

        TOPIC = "employee.hold_placed.v1"
        CONCERNS = "employee_id"

    class HoldLifted(PersonalRecordEvent):
        """The data may be erased again."""

        TOPIC = "employee.hold_lifted.v1"
        CONCERNS = "employee_id"

    class Erased(PersonalRecordEvent):
        """The key to all text about the person is destroyed, and the directory's entry removed.

        `enrollments` and `events` count what the text was about; both stay. So does the reason,
        which concerns the erasure: there is no key any more to seal it with.
        """

        TOPIC = "employee.erased.v1"
        enrollments: int
        events: int

    @staticmethod
    def id_of(employee_id: str) -> UUID:
        """Return the id of the employee's personal record."""
        return uuid5(NAMESPACE, employee_id)

    def begin(self) -> None:
        """Be neither held nor erased."""
        self.hold_version: int | None = None
        self.is_erased = False

    def place_hold(self, employee_id: str, act: Act) -> None:
        """Forbid erasure; a reason is required. Raises `LegalHoldError` when it is held already."""
        act.require_reason()
        self._require_not_erased(employee_id)
        self.require_no_hold(employee_id)
        self._record(self.HoldPlaced, act, employee_id=employee_id)

    def lift_hold(self, employee_id: str, act: Act) -> None:
        """Allow erasure again; a reason is required. Raises `NoLegalHoldError`."""
        act.require_reason()
        if self.hold_version is None:
            raise NoLegalHoldError(employee_id)
        self._record(self.HoldLifted, act, employee_id=employee_id)

    def erase(self, employee_id: str, act: Act, enrollments: int, events: int) -> Erased:
        """Record the erasure, and return it; a reason is required. Raises as `require_no_hold`."""
        act.require_reason()
        self._require_not_erased(employee_id)
        self.require_no_hold(employee_id)
        return self._record(
            self.Erased, act, employee_id=employee_id, enrollments=enrollments, events=events
        )

    def require_no_hold(self, employee_id: str) -> None:
        """Raise `LegalHoldError`, which names the version of the hold, when the data is held."""
        if self.hold_version is not None:
            raise LegalHoldError(employee_id, self.hold_version)

    def _require_not_erased(self, employee_id: str) -> None:
        if self.is_erased:
            raise EmployeeErasedError(employee_id)

    def apply(self, event: object) -> None:
        """Assign what `event` says of holds and erasure."""
        match event:
            case PersonalRecord.HoldPlaced():
                self.hold_version = event.originator_version
            case PersonalRecord.HoldLifted():
                self.hold_version = None
            case PersonalRecord.Erased():
                self.is_erased = True


class LegalHoldError(StateError):
    """The person's data is held.

    Attributes:
        hold_version: version of the personal record with which the hold was placed.
        reason: why it was placed; None as long as nobody opened it.

    """

    code = "legal_hold"

    def __init__(self, employee_id: str, hold_version: int, reason: str | None = None) -> None:
        told = "." if reason is None else f": {reason}"
        super().__init__(f"The data of employee {employee_id} is held{told}")
        self.employee_id = employee_id
        self.hold_version = hold_version
        self.reason = reason


class NoLegalHoldError(StateError):
    """The person's data is not held."""

    code = "no_legal_hold"

    def __init__(self, employee_id: str) -> None:
        super().__init__(f"The data of employee {employee_id} is not held.")
        self.employee_id = employee_id


class EmployeeErasedError(StateError):
    """The person's data was erased."""

    code = "employee_erased"

    def __init__(self, employee_id: str) -> None:
        super().__init__(f"The data of employee {employee_id} was erased.")
        self.employee_id = employee_id


class UnknownPersonError(NotFoundError):
    """Nothing is known of such an employee."""

    code = "employee_not_found"

    def __init__(self, employee_id: str) -> None:
        super().__init__("employee", employee_id)
