"""`rollbook demo`: something to look at, made through the commands like everything else."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import click

from domain.act import IMPORT_ROLE, Act
from domain.enrollment import OPEN, RUNNING, Enrollment, EnrollmentStatus
from domain.program_code import CodeTakenError
from domain.program_details import Issuing
from domain.provenance import Provenance
from domain.training import Training
from rollbook.assembly import write_side
from rollbook.demo_catalog import OFFERS, employees
from rollbook.demo_story import Deed, Moment, tell
from rollbook.ready_database import ready_database, told_plainly
from rollbook.settings import Settings

PROVENANCE = Provenance("demo", IMPORT_ROLE)
NOT_EMPTY = "The log is not empty: the demo was not made."


@click.command()
@click.pass_obj
def demo(settings: Settings) -> None:
    """Make a small catalog with employees and enrollments, on an empty log only."""
    ready_database(settings)
    with told_plainly(), write_side(settings, 2) as side:
        if side.recorder.max_notification_id() is not None:
            click.echo(NOT_EMPTY)
            return
        people = list(employees())
        side.employees.put_many(people)
        story = tell(OFFERS, [person.id for person in people], datetime.now(UTC))
        try:
            enrollments = make_demo(side.training, story)
        except CodeTakenError:
            # Another one was faster.
            click.echo(NOT_EMPTY)
            return
    click.echo(
        f"The demo has {len(OFFERS)} programs, {len(people)} employees, {enrollments} enrollments."
    )


def make_demo(training: Training, story: list[Moment]) -> int:
    """Give the commands of `story` as one action; return how many enrollments there are.

    Raises `CodeTakenError` when a program of it is there already.
    """
    return training.together(lambda: _Playing(training).play(story)).subject


class _Playing:
    """What the story came to so far."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._program_ids: dict[str, UUID] = {}
        self._enrollments: dict[UUID, Enrollment] = {}

    def play(self, story: list[Moment]) -> int:
        for moment in story:
            act = Act(PROVENANCE, effective_at=moment.at)
            if moment.employee_id is None:
                self._change_program(moment, act)
            elif moment.deed is Deed.ENROLL:
                self._enroll(moment, moment.employee_id, act)
            else:
                self._go_on(moment, moment.employee_id)
        return len(self._enrollments)

    def _change_program(self, moment: Moment, act: Act) -> None:
        code = moment.offer.details.code
        match moment.deed:
            case Deed.CREATE:
                program = self._training.create_program(moment.offer.details, act).subject
                self._program_ids[code] = program.id
                if moment.offer.opened is not None:
                    self._training.publish_program(program.id, act)
            case Deed.CLOSE:
                self._training.close_program(self._program_ids[code], act)
            case Deed.ARCHIVE:
                self._training.archive_program(self._program_ids[code], act)

    def _enroll(self, moment: Moment, employee_id: str, act: Act) -> None:
        program_id = self._program_ids[moment.offer.details.code]
        known = self._enrollments.get(Enrollment.id_of(program_id, employee_id))
        if known is not None and known.status in OPEN:
            return
        enrollment = self._training.enroll(
            program_id, employee_id, act, moment.source, moment.due_on
        ).subject
        self._enrollments[enrollment.id] = enrollment

    def _go_on(self, moment: Moment, employee_id: str) -> None:
        program_id = self._program_ids[moment.offer.details.code]
        enrollment = self._enrollments[Enrollment.id_of(program_id, employee_id)]
        act = Act(PROVENANCE, moment.text, moment.at)
        # Who waits for a place when something should happen goes on waiting.
        match moment.deed:
            case Deed.PROGRESS if enrollment.status in RUNNING:
                self._record_progress(enrollment, moment)
            case Deed.COMPLETE if enrollment.status in RUNNING:
                self._training.complete(enrollment.id, act, moment.score_percent)
            case Deed.FAIL if enrollment.status in RUNNING:
                self._training.fail(enrollment.id, act, moment.score_percent)
            case Deed.WITHDRAW if enrollment.status in OPEN:
                self._training.withdraw(enrollment.id, act)
            case Deed.VOID if enrollment.status is EnrollmentStatus.COMPLETED:
                self._training.void_completion(enrollment.id, act)
            case Deed.CERTIFY if _awaits_certificate(enrollment, moment):
                self._training.issue_certificate(enrollment.id, act)

    def _record_progress(self, enrollment: Enrollment, moment: Moment) -> None:
        act = Act(PROVENANCE, effective_at=moment.at)
        percent = max(moment.percent or 0.0, enrollment.percent)
        self._training.record_progress(enrollment.id, act, percent, note=moment.text)


def _awaits_certificate(enrollment: Enrollment, moment: Moment) -> bool:
    return (
        moment.offer.details.certification.issued is Issuing.MANUALLY
        and enrollment.status is EnrollmentStatus.COMPLETED
        and enrollment.cycle not in enrollment.live_certificates
    )
