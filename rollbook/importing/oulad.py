"""Loads the OULAD files as training records. What a row means is in `oulad_plan`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from uuid import UUID, uuid5

from directory.bulk import add_missing
from directory.employees import Employee
from domain.act import Act
from domain.enrollment import Enrollment, EnrollmentStatus, Source
from domain.errors import DomainError
from domain.program_code import ProgramCode
from rollbook.importing.acts import ImportActs
from rollbook.importing.oulad_files import Oulad, Presentation, Result
from rollbook.importing.oulad_plan import (
    Plan,
    employee_id_of,
    enrolled_on,
    plan_enrollment,
    program_of,
)
from rollbook.importing.write_side import ImportSide

ACTOR = "oulad-import"
PROGRAM_IDS = UUID("0d6f3c1e-6f0b-5f0a-9b53-2f4d1c8e7a60")
BATCH_ENROLLMENTS = 100


@dataclass(frozen=True, slots=True)
class Refused:
    """An enrollment that the rules refused: its `line` in studentInfo, and why."""

    line: int
    employee_id: str
    program_code: str
    rule: str


@dataclass(slots=True)
class OuladSummary:
    """What a run added, what was there already, and what was left out.

    Attributes:
        submissions_after_withdrawal: how many submissions of the files are never recorded.
        refused: enrollments that the rules refused.

    """

    programs: int = 0
    programs_already_there: int = 0
    employees: int = 0
    employees_already_there: int = 0
    enrollments: int = 0
    enrollments_already_there: int = 0
    progress: int = 0
    completed: int = 0
    failed: int = 0
    withdrawn: int = 0
    certificates: int = 0
    submissions_after_withdrawal: int = 0
    refused: list[Refused] = field(default_factory=list)


class ProgramOfAnother(Exception):
    """A program's code belongs to a program that this import did not make."""

    def __init__(self, code: str, program_id: UUID) -> None:
        super().__init__(
            f"The code {code} belongs to the program {program_id}, which was not made by this"
            " import. Nothing was written. Give that program another code, then import again."
        )


class OuladImport:
    """One run over the files. It may be killed and run again: it goes on where it stopped."""

    def __init__(self, side: ImportSide, oulad: Oulad, advanced: Callable[[int], None]) -> None:
        """Write what `oulad` holds through `side`; tell `advanced` of enrollments as they are done.

        `advanced` gets the number of enrollments done since it was called before.
        """
        self._side = side
        self._oulad = oulad
        self._advanced = advanced
        self._acts = ImportActs(ACTOR)
        self._programs: dict[str, UUID] = {}
        self.summary = OuladSummary()

    def run(self) -> OuladSummary:
        """Add all that is not there yet. Raises `ProgramOfAnother` before anything is written."""
        self._programs = self._existing_programs()
        self._add_employees()
        self._add_programs()
        plans = map(plan_enrollment, self._oulad.students)
        while batch := list(islice(plans, BATCH_ENROLLMENTS)):
            self._add_enrollments(batch)
            self._advanced(len(batch))
        return self.summary

    def _existing_programs(self) -> dict[str, UUID]:
        existing: dict[str, UUID] = {}
        for presentation in self._oulad.presentations:
            holder = self._holder_of(presentation.code)
            if holder is not None:
                existing[presentation.code] = holder
        return existing

    def _holder_of(self, code: str) -> UUID | None:
        program_code = ProgramCode.blank(ProgramCode.id_of(code))
        for event in self._side.training.history(program_code.id):
            event.mutate(program_code)
        if program_code.holder is None:
            return None
        created = next(self._side.training.history(program_code.holder))
        if created.provenance.actor != ACTOR:
            raise ProgramOfAnother(code, program_code.holder)
        return program_code.holder

    def _add_employees(self) -> None:
        regions = {employee_id_of(s): s.region for s in self._oulad.students}
        employees = (Employee(id=key, department=region) for key, region in regions.items())
        with self._side.pool.connection() as conn:
            self.summary.employees = add_missing(conn, employees)
        self.summary.employees_already_there = len(regions) - self.summary.employees

    def _add_programs(self) -> None:
        self.summary.programs_already_there = len(self._programs)
        needed_on = _first_days(self._oulad)
        for presentation in self._oulad.presentations:
            if presentation.code not in self._programs:
                act = self._acts.on(needed_on[presentation.code])
                self._programs[presentation.code] = self._add_program(presentation, act)
                self.summary.programs += 1

    def _add_program(self, presentation: Presentation, act: Act) -> UUID:
        training = self._side.training

        def create_and_publish() -> UUID:
            program_id = self._unused_id(presentation)
            program = training.create_program(program_of(presentation), act, program_id).subject
            training.publish_program(program.id, act)
            return program.id

        return training.together(create_and_publish).subject

    def _unused_id(self, presentation: Presentation) -> UUID | None:
        """Return the id that every import gives the program, unless one was deleted under it."""
        own = uuid5(PROGRAM_IDS, presentation.code)
        return None if any(True for _ in self._side.training.history(own)) else own

    def _add_enrollments(self, plans: list[Plan]) -> None:
        self._side.know_employees([plan.employee_id for plan in plans])
        existing = self._side.existing([self._enrollment_id(plan) for plan in plans])
        missing = [plan for plan in plans if self._enrollment_id(plan) not in existing]
        for plan, enrollment in self._side.perform(missing, self._record, self._refuse):
            self._count(plan, enrollment)
        self.summary.enrollments_already_there += len(existing)
        self.summary.submissions_after_withdrawal += sum(plan.skipped for plan in plans)

    def _enrollment_id(self, plan: Plan) -> UUID:
        return Enrollment.id_of(self._programs[plan.code], plan.employee_id)

    def _record(self, plan: Plan) -> tuple[Plan, Enrollment]:
        training, program_id = self._side.training, self._programs[plan.code]
        act = self._acts.on(plan.enrolled_on)
        enrollment = training.enroll(program_id, plan.employee_id, act, Source.IMPORT).subject
        for step in plan.steps:
            act = self._acts.on(step.on)
            training.record_progress(enrollment.id, act, step.percent, step.score_percent)
        self._end(enrollment.id, plan, self._acts.on(plan.ended_on))
        return plan, enrollment

    def _end(self, enrollment_id: UUID, plan: Plan, act: Act) -> None:
        training = self._side.training
        match plan.result:
            case Result.PASS | Result.DISTINCTION:
                grade = plan.result.value.lower()
                training.complete(enrollment_id, act, plan.score_percent, grade)
            case Result.FAIL:
                training.fail(enrollment_id, act)
            case Result.WITHDRAWN:
                training.withdraw(enrollment_id, act)

    def _refuse(self, plan: Plan, error: DomainError) -> None:
        refused = Refused(plan.line, plan.employee_id, plan.code, str(error))
        self.summary.refused.append(refused)

    def _count(self, plan: Plan, enrollment: Enrollment) -> None:
        self.summary.enrollments += 1
        self.summary.progress += len(plan.steps)
        self.summary.completed += enrollment.status is EnrollmentStatus.COMPLETED
        self.summary.failed += enrollment.status is EnrollmentStatus.FAILED
        self.summary.withdrawn += enrollment.status is EnrollmentStatus.WITHDRAWN
        self.summary.certificates += len(enrollment.live_certificates)


def _first_days(oulad: Oulad) -> dict[str, date]:
    """The earliest day that each program is needed; its first day where nobody is in it."""
    today = datetime.now(UTC).date()
    unused = {p.code: min(p.starts_on, today) for p in oulad.presentations}
    used: dict[str, date] = {}
    for student in oulad.students:
        code, day = student.presentation.code, enrolled_on(student)
        used[code] = min(used.get(code, day), day)
    return unused | used
