"""Training: the one door through which anything is ever written.

Every method is one command. It loads what it needs from the log, lets the
aggregates decide, and saves all they recorded in one transaction. When others
changed the same aggregates meanwhile, it decides again on what is true now.

Rules across the aggregates of a program hold by that program's lock: a command
that relies on the program holds it shared, one that changes it holds it alone.
Both wait in line; nobody holds a lock while a person thinks.
"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID, uuid4

from eventsourcing.persistence import RecordConflictError

from domain.act import Act
from domain.action import Action, LockTooWeakError
from domain.bulk import Enrolling, Outcome, Progress, SomeRefusedError
from domain.directory import require_active
from domain.enrollment import CertificateNotFoundError, Enrollment, Source
from domain.errors import ContentionError, DomainError
from domain.loading import Loader
from domain.personal_record import LegalHoldError, PersonalRecord, UnknownPersonError
from domain.program_code import ProgramCode
from domain.snapshots import NoSnapshots, Snapshots
from domain.training_program import Admission, TrainingProgram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from domain.aggregate import Event
    from domain.directory import Directory, Employee, PersonalData
    from domain.log import Log
    from domain.program_details import ProgramDetails
    from domain.signature import Signing
    from domain.stored_events import StoredEvents

ATTEMPTS = 10
FIRST_PAUSE_SECONDS = 0.002

Decided = TypeVar("Decided")


@dataclass(frozen=True, slots=True)
class Receipt(Generic[Decided]):
    """What a command did.

    Attributes:
        subject: what the command was about, as it is now.
        position: position of its last event in the log; None when nothing was to be
            recorded, or when the command is part of a larger action.

    """

    subject: Decided
    position: int | None


class Training:
    """Commands on programs, enrollments and certificates."""

    def __init__(
        self,
        log: Log,
        events: StoredEvents,
        directory: Directory,
        personal_data: PersonalData,
        snapshots: Snapshots | None = None,
    ) -> None:
        """Write `events` into the log behind `log`; ask `directory` who may be enrolled.

        `personal_data` is what is kept of people outside of the log. With `snapshots`, long
        streams need not be read from their start.
        """
        self._personal_data = personal_data
        self._log = log
        self._events = events
        self._loader = Loader(log, events, snapshots or NoSnapshots())
        self._directory = directory
        self._current: ContextVar[Action | None] = ContextVar("action", default=None)
        # The locks to be taken alone in the transaction that is open; None outside of one.
        self._alone: ContextVar[AbstractSet[UUID] | None] = ContextVar("alone", default=None)

    def together(self, commands: Callable[[], Decided]) -> Receipt[Decided]:
        """Run several commands as one action: all are saved, or none.

        `commands` may be called again when others interfered, so it must give
        nothing but commands, and let their refusals through.
        """
        return self._perform(lambda _action: commands())

    def in_one_transaction(self, work: Callable[[], Decided]) -> Decided:
        """Return what `work` returns: one command, and what the caller stores along with it.

        All of it is committed at the end. Unlike in `together`, the command is saved where it
        is given, so that its position is known to `work`; which may be called again when
        others interfered.
        """

        def attempt(alone: AbstractSet[UUID]) -> Decided:
            token = self._alone.set(alone)
            try:
                with self._log.transaction():
                    return work()
            finally:
                self._alone.reset(token)

        return self._until_undisturbed(attempt)

    def history(self, stream_id: UUID) -> Iterator[Event]:
        """Return the events of one aggregate in their order, with their personal text."""
        return iter(self._events.read(stream_id))  # type: ignore[arg-type]  # the log holds our events alone

    def event(self, stream_id: UUID, version: int) -> Event | None:
        """Return the event of one aggregate with which it was at `version`; None without one."""
        found = self._events.get(stream_id, gt=version - 1, lte=version)
        return next(iter(found), None)  # type: ignore[return-value]  # as above

    # Programs.

    def create_program(
        self, details: ProgramDetails, act: Act, program_id: UUID | None = None
    ) -> Receipt[TrainingProgram]:
        """Draft a program, under a new id unless an unused `program_id` is given.

        Raises `InvalidValueError`, `CodeTakenError`, `ProgramExistsError`.
        """
        program_id = program_id or uuid4()

        def decide(action: Action) -> TrainingProgram:
            details.validate()
            action.load(ProgramCode, ProgramCode.id_of(details.code)).claim(
                details.code, program_id, act
            )
            program = action.load(TrainingProgram, program_id)
            program.create(details, act)
            return program

        return self._perform(decide)

    def revise_program(
        self, program_id: UUID, details: ProgramDetails, act: Act
    ) -> Receipt[TrainingProgram]:
        """Replace a program's details. Raises `CapacityBelowSeatsError` and as `create_program`."""
        return self.amend_program(program_id, lambda _: details, act)

    def amend_program(
        self, program_id: UUID, amend: Callable[[ProgramDetails], ProgramDetails], act: Act
    ) -> Receipt[TrainingProgram]:
        """Replace a program's details by what `amend` makes of them. Raises as `revise_program`."""

        def decide(action: Action) -> TrainingProgram:
            program = self._program_alone(action, program_id, act)
            details = amend(program.details)
            old_code, was_unlimited = program.details.code, program.is_unlimited
            holders = (
                self._seat_holders(action, program)
                if was_unlimited and details.capacity
                else frozenset()
            )
            promoted = program.revise(details, act, holders)
            if old_code != details.code:
                self._move_code(action, program, old_code, act)
            self._promote(action, program, promoted)
            return program

        return self._perform(decide)

    def publish_program(self, program_id: UUID, act: Act) -> Receipt[TrainingProgram]:
        """Open enrollment. Raises `ProgramStatusError`, `ProgramNotFoundError`."""

        def decide(action: Action) -> TrainingProgram:
            program = self._program_alone(action, program_id, act)
            self._promote(action, program, program.publish(act))
            return program

        return self._perform(decide)

    def close_program(self, program_id: UUID, act: Act) -> Receipt[TrainingProgram]:
        """End enrollment. Raises `ProgramStatusError`, `ProgramNotFoundError`."""
        return self._change_program(program_id, act, lambda program: program.close(act))

    def archive_program(self, program_id: UUID, act: Act) -> Receipt[TrainingProgram]:
        """Take a closed program out of use. Raises `ProgramStatusError`, `ProgramNotFoundError`."""
        return self._change_program(program_id, act, lambda program: program.archive(act))

    def restore_program(self, program_id: UUID, act: Act) -> Receipt[TrainingProgram]:
        """Bring an archived program back, closed. Raises as `archive_program`."""
        return self._change_program(program_id, act, lambda program: program.restore(act))

    def delete_program(self, program_id: UUID, act: Act) -> Receipt[TrainingProgram]:
        """Delete a program in which nobody ever enrolled. Raises `ProgramHasEnrollmentsError`."""

        def decide(action: Action) -> TrainingProgram:
            program = self._program_alone(action, program_id, act)
            program.delete(act)
            code = program.details.code
            action.load(ProgramCode, ProgramCode.id_of(code)).release(code, act)
            return program

        return self._perform(decide)

    # Enrollments.

    def enroll(
        self,
        program_id: UUID,
        employee_id: str,
        act: Act,
        source: Source,
        due_on: date | None = None,
    ) -> Receipt[Enrollment]:
        """Give an employee a seat in a program, or a place on its waiting list.

        Raises `UnknownEmployeeError`, `InactiveEmployeeError`, `ProgramNotFoundError`,
        `ProgramStatusError`, `EnrollmentDeadlineError`, `DuplicateEnrollmentError`.
        """
        wanted = Enrolling(program_id, employee_id, source, due_on)
        employee = require_active(self._directory.find_many([employee_id]), employee_id)
        return self._perform(lambda action: self._enroll(action, wanted, employee, act))

    def enroll_many(
        self, wanted: Sequence[Enrolling], act: Act, *, all_or_none: bool = False
    ) -> Receipt[list[Outcome]]:
        """Enroll many in one action and in this order; return for each what became of it.

        One that `enroll` would refuse does not stop the others, unless `all_or_none`: then
        `SomeRefusedError` is raised.
        """
        known = self._directory.find_many({one.employee_id for one in wanted})

        def decide_one(action: Action, one: Enrolling) -> Enrollment:
            return self._enroll(action, one, require_active(known, one.employee_id), act)

        def decide(action: Action) -> list[Outcome]:
            # All who lock several programs do so in the order of their ids.
            for program_id in sorted({one.program_id for one in wanted}):
                self._program_for_enrolling(action, program_id)
            ids = [Enrollment.id_of(one.program_id, one.employee_id) for one in wanted]
            action.load_ahead(Enrollment, ids)
            outcomes = [action.attempt(partial(decide_one, one=one)) for one in wanted]
            return _outcomes(outcomes, all_or_none)

        return self._perform(decide)

    def withdraw(self, enrollment_id: UUID, act: Act) -> Receipt[Enrollment]:
        """End an enrollment; its seat goes to the first who waits.

        Raises `EnrollmentStatusError`.
        """

        def decide(action: Action) -> Enrollment:
            enrollment = self._existing(action, enrollment_id, act)
            program = self._program_for_withdrawing(action, enrollment)
            withdrawn = enrollment.withdraw(act)
            promoted = program.release(enrollment.employee_id, act.consequence(withdrawn))
            self._promote(action, program, promoted)
            return enrollment

        return self._perform(decide)

    def record_progress(
        self,
        enrollment_id: UUID,
        act: Act,
        percent: float,
        score_percent: float | None = None,
        note: str | None = None,
    ) -> Receipt[Enrollment]:
        """Record progress.

        Raises `EnrollmentStatusError`, `ProgressFallsError`, `InvalidValueError`.
        """
        return self._change(
            enrollment_id, act, lambda e: e.record_progress(act, percent, score_percent, note)
        )

    def record_progress_many(
        self, progress: Sequence[Progress], act: Act, *, all_or_none: bool = False
    ) -> Receipt[list[Outcome]]:
        """Record the progress of many; else as `enroll_many`."""

        def decide_one(action: Action, one: Progress) -> Enrollment:
            enrollment = self._existing(action, one.enrollment_id, act)
            enrollment.record_progress(act, one.percent, one.score_percent, one.note)
            return enrollment

        def decide(action: Action) -> list[Outcome]:
            action.load_ahead(Enrollment, [one.enrollment_id for one in progress])
            outcomes = [action.attempt(partial(decide_one, one=one)) for one in progress]
            return _outcomes(outcomes, all_or_none)

        return self._perform(decide)

    def correct_progress(
        self, enrollment_id: UUID, act: Act, percent: float
    ) -> Receipt[Enrollment]:
        """Put a wrong progress right. Raises `EnrollmentStatusError`, `InvalidValueError`."""
        return self._change(enrollment_id, act, lambda e: e.correct_progress(act, percent))

    def complete(
        self,
        enrollment_id: UUID,
        act: Act,
        score_percent: float | None = None,
        grade: str | None = None,
        signing: Signing | None = None,
    ) -> Receipt[Enrollment]:
        """End an enrollment with success.

        Raises `EnrollmentStatusError`, `PassScoreError`, `SignatureRequiredError`.
        """

        def decide(action: Action) -> Enrollment:
            enrollment = self._existing(action, enrollment_id, act)
            program = self._program_of(action, enrollment)
            enrollment.complete(program, act, score_percent, grade, signing)
            return enrollment

        return self._perform(decide)

    def fail(
        self, enrollment_id: UUID, act: Act, score_percent: float | None = None
    ) -> Receipt[Enrollment]:
        """End an enrollment without success. Raises `EnrollmentStatusError`."""
        return self._change(enrollment_id, act, lambda e: e.fail(act, score_percent))

    def void_completion(self, enrollment_id: UUID, act: Act) -> Receipt[Enrollment]:
        """Undo a completion, and revoke its certificate. Raises `EnrollmentStatusError`."""
        return self._change(enrollment_id, act, lambda e: e.void_completion(act))

    # Certificates.

    def issue_certificate(self, enrollment_id: UUID, act: Act) -> Receipt[Enrollment]:
        """Certify a completion.

        Raises `EnrollmentStatusError`, `NoCertificateOfferedError`, `CertificateExistsError`.
        """

        def decide(action: Action) -> Enrollment:
            enrollment = self._existing(action, enrollment_id, act)
            enrollment.issue_certificate(self._program_of(action, enrollment), act)
            return enrollment

        return self._perform(decide)

    def revoke_certificate(self, number: str, act: Act) -> Receipt[Enrollment]:
        """Take a certificate back. Raises `CertificateNotFoundError`, `CertificateNotLiveError`."""
        streams = self._log.find(Enrollment.CertificateIssued.TOPIC, "number", number)
        if not streams:
            raise CertificateNotFoundError(number)

        def decide(action: Action) -> Enrollment:
            enrollment = action.load(Enrollment, streams[0])
            act.require_expected(enrollment.certificate_versions[number])
            enrollment.revoke_certificate(number, act)
            return enrollment

        return self._perform(decide)

    # Personal data.

    def place_hold(self, employee_id: str, act: Act) -> Receipt[PersonalRecord]:
        """Forbid the erasure of a person. Raises `LegalHoldError`, `UnknownPersonError`."""

        def decide(action: Action) -> PersonalRecord:
            record = self._personal_record(action, employee_id, act)
            if not record.exists:
                self._require_known(employee_id, self._enrollments_of(employee_id))
            with self._reason_told(record):
                record.place_hold(employee_id, act)
            return record

        return self._perform(decide)

    def lift_hold(self, employee_id: str, act: Act) -> Receipt[PersonalRecord]:
        """Allow the erasure of a person again. Raises `NoLegalHoldError`."""

        def decide(action: Action) -> PersonalRecord:
            record = self._personal_record(action, employee_id, act)
            record.lift_hold(employee_id, act)
            return record

        return self._perform(decide)

    def erase_person(self, employee_id: str, act: Act) -> Receipt[PersonalRecord]:
        """Erase all personal data of an employee, for ever; facts and figures stay.

        Erasing again records nothing, but for enrollments that came meanwhile.
        Raises `LegalHoldError`, `UnknownPersonError`.
        """

        def decide(action: Action) -> PersonalRecord:
            record = self._personal_record(action, employee_id, act)
            streams = self._enrollments_of(employee_id)
            with self._reason_told(record):
                record.require_no_hold(employee_id)
            enrollments = [action.load(Enrollment, stream_id) for stream_id in streams]
            consequence = Act(act.provenance)
            if not record.is_erased:
                self._require_known(employee_id, streams)
                events = sum(enrollment.version for enrollment in enrollments)
                erased = record.erase(employee_id, act, len(enrollments), events)
                consequence = act.consequence(erased)
            for enrollment in enrollments:
                enrollment.erase_text(consequence)
            self._personal_data.erase(employee_id)
            return record

        return self._perform(decide)

    # How an action is performed.

    def _perform(self, decide: Callable[[Action], Decided]) -> Receipt[Decided]:
        current = self._current.get()
        if current is not None:
            return Receipt(current.part(decide), None)
        alone = self._alone.get()
        if alone is not None:
            return self._attempt(decide, alone)
        return self._until_undisturbed(lambda alone: self._attempt(decide, alone))

    def _until_undisturbed(self, attempt: Callable[[AbstractSet[UUID]], Decided]) -> Decided:
        alone: set[UUID] = set()
        for number in range(ATTEMPTS):
            try:
                return attempt(alone)
            except LockTooWeakError as error:
                alone.add(error.key)
            except RecordConflictError:
                time.sleep(random.uniform(0, FIRST_PAUSE_SECONDS * 2**number))  # noqa: S311  # spreads retries only
        raise ContentionError(ATTEMPTS)

    def _attempt(
        self, decide: Callable[[Action], Decided], alone: AbstractSet[UUID]
    ) -> Receipt[Decided]:
        with ExitStack() as transaction:
            action = Action(self._log, self._events, self._loader, transaction, alone)
            token = self._current.set(action)
            try:
                subject = decide(action)
            finally:
                self._current.reset(token)
            return Receipt(subject, action.save())

    def _change(
        self, enrollment_id: UUID, act: Act, change: Callable[[Enrollment], object]
    ) -> Receipt[Enrollment]:
        def decide(action: Action) -> Enrollment:
            enrollment = self._existing(action, enrollment_id, act)
            change(enrollment)
            return enrollment

        return self._perform(decide)

    def _change_program(
        self, program_id: UUID, act: Act, change: Callable[[TrainingProgram], None]
    ) -> Receipt[TrainingProgram]:
        def decide(action: Action) -> TrainingProgram:
            program = self._program_alone(action, program_id, act)
            change(program)
            return program

        return self._perform(decide)

    def _enroll(
        self, action: Action, wanted: Enrolling, employee: Employee, act: Act
    ) -> Enrollment:
        program = self._program_for_enrolling(action, wanted.program_id)
        employee_id = wanted.employee_id
        enrollment = action.load(Enrollment, Enrollment.id_of(program.id, employee_id))
        enrollment.require_no_open_cycle()
        admission = program.admit(employee_id, act.effective_on, act)
        enrollment.enroll(
            program,
            employee_id,
            act,
            waiting=admission is Admission.WAITING,
            source=wanted.source,
            due_on=wanted.due_on,
            department=employee.department,
        )
        return enrollment

    # What an action loads, and under which lock.

    def _program_alone(self, action: Action, program_id: UUID, act: Act) -> TrainingProgram:
        program = action.load(TrainingProgram, program_id)
        action.lock(program, shared=False)
        program.require_existence()
        act.require_expected(program.version)
        return program

    def _program_for_enrolling(self, action: Action, program_id: UUID) -> TrainingProgram:
        """Load the program under the lock that enrolling needs: alone where it writes there."""
        program = action.load(TrainingProgram, program_id)
        action.lock(program, shared=not program.is_written_by_enrolling)
        if program.is_written_by_enrolling:
            action.lock(program, shared=False)
        return program

    def _program_for_withdrawing(self, action: Action, enrollment: Enrollment) -> TrainingProgram:
        program = self._program_of(action, enrollment)
        action.lock(program, shared=program.is_unlimited)
        if not program.is_unlimited:
            action.lock(program, shared=False)
        return program

    def _program_of(self, action: Action, enrollment: Enrollment) -> TrainingProgram:
        return action.load(TrainingProgram, enrollment.require_program_id())

    def _existing(self, action: Action, enrollment_id: UUID, act: Act) -> Enrollment:
        enrollment = action.load(Enrollment, enrollment_id)
        enrollment.require_program_id()
        act.require_expected(enrollment.version)
        return enrollment

    def _personal_record(self, action: Action, employee_id: str, act: Act) -> PersonalRecord:
        record = action.load(PersonalRecord, PersonalRecord.id_of(employee_id))
        action.lock(record, shared=False)
        act.require_expected(record.version)
        return record

    @contextmanager
    def _reason_told(self, record: PersonalRecord) -> Iterator[None]:
        """Let the refusal for a legal hold tell its reason, which is sealed to `record` itself."""
        try:
            yield
        except LegalHoldError as refusal:
            reasons = {it.originator_version: it.reason for it in self.history(record.id)}
            version = refusal.hold_version
            raise LegalHoldError(refusal.employee_id, version, reasons.get(version)) from None

    def _enrollments_of(self, employee_id: str) -> list[UUID]:
        began = (Enrollment.Enrolled.TOPIC, Enrollment.Waitlisted.TOPIC)
        found = (self._log.find(topic, "employee_id", employee_id) for topic in began)
        return sorted({stream_id for streams in found for stream_id in streams})

    def _require_known(self, employee_id: str, enrollments: Sequence[UUID]) -> None:
        if not enrollments and employee_id not in self._directory.find_many([employee_id]):
            raise UnknownPersonError(employee_id)

    # What follows from changing a program.

    def _promote(self, action: Action, program: TrainingProgram, promoted: Iterable[str]) -> None:
        causes = {
            event.employee_id: event
            for event in program.pending_events
            if isinstance(event, TrainingProgram.EmployeePromoted)
        }
        for employee_id in promoted:
            cause = causes[employee_id]
            enrollment = action.load(Enrollment, Enrollment.id_of(program.id, employee_id))
            provenance = cause.provenance.caused_by(cause.reference)
            enrollment.promote(Act(provenance, effective_at=cause.effective_at))

    def _move_code(self, action: Action, program: TrainingProgram, old_code: str, act: Act) -> None:
        new_code = program.details.code
        if ProgramCode.id_of(old_code) == ProgramCode.id_of(new_code):
            return
        action.load(ProgramCode, ProgramCode.id_of(old_code)).release(old_code, act)
        action.load(ProgramCode, ProgramCode.id_of(new_code)).claim(new_code, program.id, act)

    def _seat_holders(self, action: Action, program: TrainingProgram) -> frozenset[str]:
        """Count from the log who holds a place, for a program that nobody counted in."""
        enrolled = self._log.find(Enrollment.Enrolled.TOPIC, "program_id", str(program.id))
        known = (Enrollment.id_of(program.id, employee_id) for employee_id in program.seats)
        unsaved = (e.id for e in action.loaded(Enrollment) if e.program_id == program.id)
        enrollments = action.look_at(Enrollment, {*enrolled, *known, *unsaved})
        return frozenset(e.employee_id for e in enrollments if e.holds_place)


def _outcomes(outcomes: list[Outcome], all_or_none: bool) -> list[Outcome]:  # noqa: FBT001  # its one argument
    if all_or_none and any(isinstance(outcome, DomainError) for outcome in outcomes):
        raise SomeRefusedError(outcomes)
    return outcomes
