"""What is odd in the OULAD files, and was handled as docs/importing.md says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rollbook.importing.oulad_files import Oulad, Result, Student


@dataclass(frozen=True, slots=True)
class Oddities:
    """How many of each kind the files hold, whatever was loaded of them."""

    registrations_without_a_day: int
    withdrawn_without_a_day: int
    failed_with_a_withdrawal_day: int
    submissions_without_a_score: int
    submissions_before_registration: int
    students_in_several_programs: int


def count_oddities(oulad: Oulad) -> Oddities:
    """Count them."""
    students = oulad.students
    programs = Counter(student.id for student in students)
    return Oddities(
        registrations_without_a_day=sum(s.registered_day is None for s in students),
        withdrawn_without_a_day=sum(
            s.result is Result.WITHDRAWN and s.unregistered_day is None for s in students
        ),
        failed_with_a_withdrawal_day=sum(
            s.result is Result.FAIL and s.unregistered_day is not None for s in students
        ),
        submissions_without_a_score=sum(
            submission.score_percent is None for s in students for submission in s.submissions
        ),
        submissions_before_registration=sum(map(_submissions_before_registration, students)),
        students_in_several_programs=sum(number > 1 for number in programs.values()),
    )


def _submissions_before_registration(student: Student) -> int:
    registered = student.registered_day
    if registered is None:
        return 0
    return sum(submission.day < registered for submission in student.submissions)
