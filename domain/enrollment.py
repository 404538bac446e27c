"""An enrollment: one employee's whole history in one program.

`enrolled | waitlisted -> in_progress -> completed | failed | withdrawn`. After
an end, enrolling again opens the next cycle. `completed` is undone by
`CompletionVoided` alone. Overdue and expired are questions about time, never
states.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from domain.aggregate import Aggregate, Event, Recorded
from domain.certificate_number import new_certificate_number
from domain.errors import InvalidValueError, NotFoundError, StateError
from domain.personal_record import EmployeeErasedError
from domain.program_details import MAX_NAME_LENGTH, limit_length, require_percent
from domain.provenance import PersonalText
from domain.signature import Signature, SignatureRequiredError, SignedRecord, require_signer

if TYPE_CHECKING:
    from domain.act import Act
    from domain.signature import Signing
    from domain.training_program import TrainingProgram

MAX_NOTE_LENGTH = 4_000


class EnrollmentStatus(StrEnum):
    """Where the present cycle of an enrollment is."""

    WAITLISTED = "waitlisted"
    ENROLLED = "enrolled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


OPEN = (EnrollmentStatus.WAITLISTED, EnrollmentStatus.ENROLLED, EnrollmentStatus.IN_PROGRESS)
RUNNING = (EnrollmentStatus.ENROLLED, EnrollmentStatus.IN_PROGRESS)


class Source(StrEnum):
    """How an employee came into a program."""

    SELF = "self"
    ASSIGNED = "assigned"
    IMPORT = "import"


class EnrollmentEvent(Event):
    """What every event of an enrollment says, so that each can be read alone."""

    CONCERNS = "employee_id"
    program_id: UUID
    employee_id: str


class Enrollment(Aggregate):
    """The present cycle: its status, its progress and its certificate."""

    Event = EnrollmentEvent

    class Enrolled(EnrollmentEvent):
        """A cycle began, with a place in the program."""

        TOPIC = "enrollment.enrolled.v1"
        cycle: int
        source: Source
        due_on: date | None
        program_revision: int
        department: str | None

    class Waitlisted(EnrollmentEvent):
        """A cycle began, on the waiting list."""

        TOPIC = "enrollment.waitlisted.v1"
        cycle: int
        source: Source
        due_on: date | None
        program_revision: int
        department: str | None

    class Promoted(EnrollmentEvent):
        """A place in the program became free for whom was waiting."""

        TOPIC = "enrollment.promoted.v1"

    class ProgressRecorded(EnrollmentEvent):
        """The employee is this far; the score is of this step, where there is one."""

        TOPIC = "enrollment.progress_recorded.v1"
        percent: float
        score_percent: float | None
        note: PersonalText | None

    class ProgressCorrected(EnrollmentEvent):
        """The progress on record was wrong."""

        TOPIC = "enrollment.progress_corrected.v1"
        was_percent: float
        now_percent: float

    class Completed(EnrollmentEvent):
        """The employee reached the program's goal; `printed_name` is that of the signer."""

        TOPIC = "enrollment.completed.v2"
        score_percent: float | None
        grade: PersonalText | None
        signature: Signature | None
        printed_name: PersonalText | None

    class Failed(EnrollmentEvent):
        """The employee did not reach the program's goal."""

        TOPIC = "enrollment.failed.v1"
        score_percent: float | None

    class Withdrawn(EnrollmentEvent):
        """The employee left before the end."""

        TOPIC = "enrollment.withdrawn.v1"

    class CompletionVoided(EnrollmentEvent):
        """The completion was recorded in error; the cycle is in progress again."""

        TOPIC = "enrollment.completion_voided.v1"

    class CertificateIssued(EnrollmentEvent):
        """The completed cycle has its proof. `valid_until` is the last valid day, None for ever."""

        TOPIC = "enrollment.certificate_issued.v1"
        cycle: int
        number: str
        title: str
        valid_from: date
        valid_until: date | None

    class CertificateRevoked(EnrollmentEvent):
        """The certificate proves nothing any more."""

        TOPIC = "enrollment.certificate_revoked.v1"
        number: str

    class TextErased(EnrollmentEvent):
        """All text about the employee is erased, for ever; nothing more is recorded of them."""

        TOPIC = "enrollment.text_erased.v1"

    @staticmethod
    def id_of(program_id: UUID, employee_id: str) -> UUID:
        """Return the id of the one enrollment that the employee can have in the program."""
        return uuid5(program_id, employee_id)

    def begin(self) -> None:
        """Be in no program yet, and in no cycle."""
        self.program_id: UUID | None = None
        self.employee_id = ""
        self.status: EnrollmentStatus | None = None
        self.cycle = 0
        self.cycle_began_on = date.min
        self.percent = 0.0
        self.is_erased = False
        self.live_certificates: dict[int, str] = {}
        self.certificate_versions: dict[str, int] = {}

    # Decisions on entering.

    def require_no_open_cycle(self) -> None:
        """Raise `DuplicateEnrollmentError` when the employee is in the program already.

        Raises `EmployeeErasedError` when the employee was erased.
        """
        self._require_not_erased()
        if self.status in OPEN:
            raise DuplicateEnrollmentError(self.id, self.employee_id, self.status)

    def enroll(  # the facts of the event
        self,
        program: TrainingProgram,
        employee_id: str,
        act: Act,
        *,
        waiting: bool,
        source: Source,
        due_on: date | None,
        department: str | None,
    ) -> None:
        """Open the next cycle, with a place in `program` or `waiting` for one."""
        self.require_no_open_cycle()
        self._require_after_beginning(act)
        self._record(
            self.Waitlisted if waiting else self.Enrolled,
            act,
            program_id=program.id,
            employee_id=employee_id,
            cycle=self.cycle + 1,
            source=source,
            due_on=due_on,
            program_revision=program.revision,
            department=department,
        )

    def promote(self, act: Act) -> None:
        """Take the place that became free."""
        self._require_status("promoted", EnrollmentStatus.WAITLISTED, even_erased=True)
        # What the program decided is not refused here for its time: clocks differ.
        self._record(self.Promoted, act, program_id=self.program_id, employee_id=self.employee_id)

    # Decisions on the way.

    def record_progress(
        self, act: Act, percent: float, score_percent: float | None, note: str | None
    ) -> None:
        """Record how far the employee is. Raises `ProgressFallsError` when it was farther."""
        self._require_status("given progress", *RUNNING)
        require_percent("percent", percent)
        _require_score(score_percent)
        limit_length("note", note, MAX_NOTE_LENGTH)
        if percent < self.percent:
            raise ProgressFallsError(self.percent, percent)
        self._note(
            self.ProgressRecorded, act, percent=percent, score_percent=score_percent, note=note
        )

    def correct_progress(self, act: Act, percent: float) -> None:
        """Put a wrong progress right, up or down; a reason is required."""
        self._require_status("corrected", EnrollmentStatus.IN_PROGRESS)
        act.require_reason()
        require_percent("percent", percent)
        if percent == self.percent:
            raise InvalidValueError("percent", f"is {percent:g} already")
        self._note(self.ProgressCorrected, act, was_percent=self.percent, now_percent=percent)

    # Decisions on the end.

    def complete(
        self,
        program: TrainingProgram,
        act: Act,
        score_percent: float | None,
        grade: str | None,
        signing: Signing | None = None,
    ) -> None:
        """End the cycle with success, and certify it where `program` does so by itself."""
        self._require_status("completed", *RUNNING)
        _require_score(score_percent)
        limit_length("grade", grade, MAX_NAME_LENGTH)
        needed = program.details.pass_score_percent
        if needed is not None and (score_percent is None or score_percent < needed):
            raise PassScoreError(needed, score_percent)
        completed = self._note(
            self.Completed,
            act,
            score_percent=score_percent,
            grade=grade,
            signature=self._signed(program, act, score_percent, signing),
            printed_name=signing and signing.printed_name,
        )
        certification = program.details.certification
        if certification.offered and certification.issued == "automatically":
            self.issue_certificate(program, act.consequence(completed))

    def _signed(
        self,
        program: TrainingProgram,
        act: Act,
        score_percent: float | None,
        signing: Signing | None,
    ) -> Signature | None:
        if signing is None:
            if program.details.signature_required:
                raise SignatureRequiredError(program.id)
            return None
        require_signer(act.provenance)
        return SignedRecord(
            enrollment_id=self.id,
            program_id=program.id,
            employee_id=self.employee_id,
            cycle=self.cycle,
            follows_version=self.version,
            score_percent=score_percent,
            signed_by=act.provenance.actor,
            meaning=signing.meaning,
        ).signed()

    def fail(self, act: Act, score_percent: float | None) -> None:
        """End the cycle without success."""
        self._require_status("failed", *RUNNING)
        _require_score(score_percent)
        self._note(self.Failed, act, score_percent=score_percent)

    def withdraw(self, act: Act) -> Withdrawn:
        """End the cycle, or the waiting for a place, and return what was recorded.

        Also of an employee who was erased, to free the place; but with no reason then.
        """
        if self.is_erased and act.reason is not None:
            raise EmployeeErasedError(self.employee_id)
        self._require_status("withdrawn", *OPEN, even_erased=True)
        return self._note(self.Withdrawn, act)

    def void_completion(self, act: Act) -> None:
        """Undo a completion recorded in error, and revoke its certificate; a reason is required."""
        self._require_status("voided", EnrollmentStatus.COMPLETED)
        act.require_reason()
        voided = self._note(self.CompletionVoided, act)
        number = self.live_certificates.get(self.cycle)
        if number is not None:
            self._note(self.CertificateRevoked, act.consequence(voided), number=number)

    # Decisions on the certificate.

    def issue_certificate(self, program: TrainingProgram, act: Act) -> None:
        """Give a completed cycle its certificate, with a new number."""
        self._require_status("certified", EnrollmentStatus.COMPLETED)
        certification = program.details.certification
        if not certification.offered:
            raise NoCertificateOfferedError(program.id)
        if self.cycle in self.live_certificates:
            raise CertificateExistsError(self.id, self.live_certificates[self.cycle])
        valid_from = act.effective_on
        self._note(
            self.CertificateIssued,
            act,
            cycle=self.cycle,
            number=new_certificate_number(),
            title=certification.title or program.details.title,
            valid_from=valid_from,
            valid_until=_months_after(valid_from, certification.valid_for_months),
        )

    def revoke_certificate(self, number: str, act: Act) -> None:
        """Take the live certificate `number` back; a reason is required."""
        act.require_reason()
        self._require_not_erased()
        if number not in self.live_certificates.values():
            raise CertificateNotLiveError(number)
        self._note(self.CertificateRevoked, act, number=number)

    # Erasure.

    def erase_text(self, act: Act) -> None:
        """Note that the text about the employee is erased, unless it was noted before.

        `act` has no reason: there is no key any more to seal it with.
        """
        if not self.is_erased:
            self._record(
                self.TextErased, act, program_id=self.program_id, employee_id=self.employee_id
            )

    @property
    def holds_place(self) -> bool:
        """Whether the employee occupies a place in the program: in it, or done with it."""
        return self.status not in {None, EnrollmentStatus.WAITLISTED, EnrollmentStatus.WITHDRAWN}

    def require_program_id(self) -> UUID:
        """Return the program's id. Raises `EnrollmentNotFoundError` for a blank enrollment."""
        if self.program_id is None:
            raise EnrollmentNotFoundError(self.id)
        return self.program_id

    def _note(self, event_class: type[Recorded], act: Act, **facts: object) -> Recorded:
        self._require_after_beginning(act)
        return self._record(
            event_class, act, program_id=self.program_id, employee_id=self.employee_id, **facts
        )

    def _require_after_beginning(self, act: Act) -> None:
        if act.effective_on < self.cycle_began_on:
            raise InvalidValueError(
                "effective_at", f"must not be before the enrollment on {self.cycle_began_on}"
            )

    def _require_not_erased(self) -> None:
        if self.is_erased:
            raise EmployeeErasedError(self.employee_id)

    def _require_status(
        self, action: str, *allowed: EnrollmentStatus, even_erased: bool = False
    ) -> None:
        if self.status is None:
            raise EnrollmentNotFoundError(self.id)
        if not even_erased:
            self._require_not_erased()
        if self.status not in allowed:
            raise EnrollmentStatusError(action, self.id, self.status)

    def apply(self, event: object) -> None:  # noqa: C901  # one case an event
        """Assign what `event` says of the present cycle and the certificates."""
        match event:
            case Enrollment.Enrolled() | Enrollment.Waitlisted():
                self._begin_cycle(event)
            case Enrollment.Promoted():
                self.status = EnrollmentStatus.ENROLLED
            case Enrollment.ProgressRecorded():
                self.status = EnrollmentStatus.IN_PROGRESS
                self.percent = event.percent
            case Enrollment.ProgressCorrected():
                self.percent = event.now_percent
            case Enrollment.Completed():
                self.status = EnrollmentStatus.COMPLETED
            case Enrollment.Failed():
                self.status = EnrollmentStatus.FAILED
            case Enrollment.Withdrawn():
                self.status = EnrollmentStatus.WITHDRAWN
            case Enrollment.CompletionVoided():
                self.status = EnrollmentStatus.IN_PROGRESS
            case Enrollment.TextErased():
                self.is_erased = True
            case Enrollment.CertificateIssued():
                self.live_certificates[event.cycle] = event.number
                self.certificate_versions[event.number] = event.originator_version
            case Enrollment.CertificateRevoked():
                self.live_certificates = {
                    c: n for c, n in self.live_certificates.items() if n != event.number
                }
                self.certificate_versions[event.number] = event.originator_version

    def _begin_cycle(self, event: Enrollment.Enrolled | Enrollment.Waitlisted) -> None:
        is_waiting = isinstance(event, Enrollment.Waitlisted)
        self.program_id = event.program_id
        self.employee_id = event.employee_id
        self.status = EnrollmentStatus.WAITLISTED if is_waiting else EnrollmentStatus.ENROLLED
        self.cycle = event.cycle
        self.cycle_began_on = event.effective_at.date()
        self.percent = 0.0


def _require_score(score_percent: float | None) -> None:
    if score_percent is not None:
        require_percent("score_percent", score_percent)


def _months_after(day: date, months: int | None) -> date | None:
    if months is None:
        return None
    years, month_index = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month_index + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


class EnrollmentNotFoundError(NotFoundError):
    """There is no such enrollment."""

    code = "enrollment_not_found"

    def __init__(self, enrollment_id: UUID) -> None:
        super().__init__("enrollment", enrollment_id)


class EnrollmentStatusError(StateError):
    """The enrollment's status does not allow the action."""

    code = "enrollment_status"

    def __init__(self, action: str, enrollment_id: UUID, status: EnrollmentStatus) -> None:
        super().__init__(f"Enrollment {enrollment_id} is {status} and cannot be {action}.")
        self.enrollment_id = enrollment_id
        self.status = status


class DuplicateEnrollmentError(StateError):
    """The employee is in the program already."""

    code = "duplicate_enrollment"

    def __init__(
        self, enrollment_id: UUID, employee_id: str, status: EnrollmentStatus | None
    ) -> None:
        super().__init__(
            f"Employee {employee_id} has the enrollment {enrollment_id} already, which is {status}."
        )
        self.enrollment_id = enrollment_id
        self.employee_id = employee_id


class ProgressFallsError(InvalidValueError):
    """Progress never falls, except by a correction."""

    code = "progress_falls"

    def __init__(self, was_percent: float, percent: float) -> None:
        super().__init__(
            "percent", f"must not fall from {was_percent:g} to {percent:g}; correct it instead"
        )
        self.was_percent = was_percent


class PassScoreError(InvalidValueError):
    """The score does not reach the program's pass score."""

    code = "pass_score_not_reached"

    def __init__(self, needed: float, score_percent: float | None) -> None:
        got = "none was given" if score_percent is None else f"is {score_percent:g}"
        super().__init__("score_percent", f"must reach the pass score of {needed:g}, but {got}")
        self.needed = needed


class NoCertificateOfferedError(StateError):
    """The program does not certify its completions."""

    code = "no_certificate_offered"

    def __init__(self, program_id: UUID) -> None:
        super().__init__(f"Program {program_id} offers no certificate.")
        self.program_id = program_id


class CertificateExistsError(StateError):
    """The cycle has a live certificate already."""

    code = "certificate_exists"

    def __init__(self, enrollment_id: UUID, number: str) -> None:
        super().__init__(f"Enrollment {enrollment_id} has the live certificate {number} already.")
        self.enrollment_id = enrollment_id
        self.number = number


class CertificateNotFoundError(NotFoundError):
    """No certificate has this number."""

    code = "certificate_not_found"

    def __init__(self, number: str) -> None:
        super().__init__("certificate", number)


class CertificateNotLiveError(StateError):
    """The certificate was revoked before."""

    code = "certificate_not_live"

    def __init__(self, number: str) -> None:
        super().__init__(f"Certificate {number} is revoked already.")
        self.number = number
