"""What a student's rows mean: which commands, on which days. Pure; see docs/importing.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from domain.program_details import Certification, DeliveryMode, ProgramDetails
from rollbook.importing.oulad_files import Presentation, Result, Student, Submission

EMPLOYEE_PREFIX = "oulad-"


@dataclass(frozen=True, slots=True)
class Step:
    """One submission as progress; `percent` and `score_percent` are 0 to 100."""

    on: date
    percent: float
    score_percent: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One enrollment, from its beginning to its end.

    Attributes:
        code: the program's.
        ended_on: the day of the completion, the failure or the withdrawal, as `result` says.
        score_percent: the mean of the known scores that count.
        skipped: submissions after the withdrawal, which are left out.
        line: where the enrollment is in studentInfo.
    """

    code: str
    employee_id: str
    enrolled_on: date
    steps: tuple[Step, ...]
    result: Result
    ended_on: date
    score_percent: float | None
    skipped: int
    line: int


def plan_enrollment(student: Student) -> Plan:
    """Return what is to be recorded of `student`."""
    presentation = student.presentation
    first_on = enrolled_on(student)
    counting = [s for s in student.submissions if _counts(s, student)]
    counting.sort(key=lambda s: (s.day, s.assessment))
    steps = tuple(_steps(counting, presentation, first_on))
    scores = [s.score_percent for s in counting if s.score_percent is not None]
    return Plan(
        code=presentation.code,
        employee_id=employee_id_of(student),
        enrolled_on=first_on,
        steps=steps,
        result=student.result,
        ended_on=_ended_on(student, steps),
        score_percent=round(sum(scores) / len(scores), 2) if scores else None,
        skipped=len(student.submissions) - len(counting),
        line=student.line,
    )


def program_of(presentation: Presentation) -> ProgramDetails:
    """Return the program that a presentation is."""
    return ProgramDetails(
        code=presentation.code,
        title=presentation.code,
        category=presentation.module,
        delivery_mode=DeliveryMode.ONLINE,
        starts_on=presentation.starts_on,
        ends_on=presentation.ends_on,
        certification=Certification(offered=True),
    )


def employee_id_of(student: Student) -> str:
    """Return the employee's id of a student."""
    return f"{EMPLOYEE_PREFIX}{student.id}"


def enrolled_on(student: Student) -> date:
    """Return the day on which the student enrolled, as far as that is known."""
    starts_on = student.presentation.starts_on
    if student.registered_day is not None:
        return starts_on + timedelta(student.registered_day)
    return min(starts_on, _left_on(student) or starts_on)


def _left_on(student: Student) -> date | None:
    # Nine students failed although they had left; what they handed in afterwards counts no more
    # than that of those who withdrew.
    if student.unregistered_day is not None:
        return student.presentation.starts_on + timedelta(student.unregistered_day)
    return student.presentation.ends_on if student.result is Result.WITHDRAWN else None


def _counts(submission: Submission, student: Student) -> bool:
    left_on = _left_on(student)
    submitted_on = student.presentation.starts_on + timedelta(submission.day)
    return left_on is None or submitted_on <= left_on


def _steps(
    submissions: list[Submission], presentation: Presentation, first_on: date
) -> Iterator[Step]:
    done: set[int] = set()
    for submission in submissions:
        if not submission.is_exam:
            done.add(submission.assessment)
        percent = 100 * len(done) // presentation.graded if presentation.graded else 0
        on = max(presentation.starts_on + timedelta(submission.day), first_on)
        yield Step(on, float(percent), submission.score_percent)


def _ended_on(student: Student, steps: tuple[Step, ...]) -> date:
    ends_on = student.presentation.ends_on
    if student.result is Result.WITHDRAWN:
        return _left_on(student) or ends_on
    return max(ends_on, steps[-1].on) if steps else ends_on
