"""Reads the OULAD files, all of them before anything is written.

They are not sorted by student, so all that is needed of them is held in memory:
for each enrollment about 400 bytes, for each submission about 100. The real
files (32,593 enrollments, 173,912 submissions) take some 35 MB.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from sys import intern
from typing import NamedTuple, TypeVar

from rollbook.importing.csv_file import BadFile, CsvFile

LONGEST_DAYS = 10_000
MOST_PERCENT = 100
FIRST_MONTHS = {"B": 2, "J": 10}

Value = TypeVar("Value")


class Result(StrEnum):
    """How a student's presentation ended."""

    PASS = "Pass"  # noqa: S105  # the opposite of failing
    DISTINCTION = "Distinction"
    FAIL = "Fail"
    WITHDRAWN = "Withdrawn"


@dataclass(slots=True)
class Presentation:
    """One presentation of a module; `graded` counts its assessments that are no exams."""

    module: str
    code: str
    starts_on: date
    ends_on: date
    graded: int = 0


class Submission(NamedTuple):
    """What a student handed in; `day` counts from the start of the presentation."""

    day: int
    assessment: int
    is_exam: bool
    score_percent: float | None


@dataclass(slots=True)
class Student:
    """One student in one presentation: a row of studentInfo, and what the others say of it.

    Days count from the start of the presentation, None is unknown. `line` is that in studentInfo.
    """

    line: int
    id: str
    presentation: Presentation
    region: str
    result: Result
    registered_day: int | None = None
    unregistered_day: int | None = None
    submissions: list[Submission] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Oulad:
    """All that the files say, the students in the order of studentInfo."""

    presentations: list[Presentation]
    students: list[Student]


def read_oulad(folder: Path) -> Oulad:
    """Read and check the files of `folder`. Raises `BadFile` for the first thing that is wrong."""
    return _Reading(folder).read()


class _Reading:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._presentations: dict[tuple[str, str], Presentation] = {}
        self._students: dict[tuple[str, str, str], Student] = {}
        self._assessments: dict[str, tuple[Presentation, int, bool]] = {}

    def read(self) -> Oulad:
        self._read_courses()
        self._read_assessments()
        self._read_students()
        self._read_registrations()
        self._read_submissions()
        return Oulad(list(self._presentations.values()), list(self._students.values()))

    def _read_courses(self) -> None:
        columns = ("code_module", "code_presentation", "module_presentation_length")
        for row in self._rows("courses", columns):
            module, code, _ = row.values
            if (module, code) in self._presentations:
                raise row.problem("code_presentation", f"{module}-{code} is there twice")
            starts_on = row.parse(1, _first_day)
            ends_on = starts_on + timedelta(row.parse(2, _length))
            self._presentations[module, code] = Presentation(
                row.parse(0, _name), f"{module}-{code}", starts_on, ends_on
            )

    def _read_assessments(self) -> None:
        columns = ("code_module", "code_presentation", "id_assessment", "assessment_type")
        for row in self._rows("assessments", columns):
            presentation = self._presentation(row)
            is_exam = row.parse(3, _is_exam)
            number = row.parse(2, _whole)
            if row.values[2] in self._assessments:
                raise row.problem("id_assessment", f"{number} is there twice")
            self._assessments[row.values[2]] = (presentation, number, is_exam)
            presentation.graded += not is_exam

    def _read_students(self) -> None:
        columns = ("code_module", "code_presentation", "id_student", "region", "final_result")
        for row in self._rows("studentInfo", columns):
            module, code, student_id, region, _ = row.values
            presentation = self._presentation(row)
            key = (intern(module), intern(code), intern(row.parse(2, _id)))
            if key in self._students:
                rule = f"{student_id} is there twice in {module}-{code}"
                raise row.problem("id_student", rule)
            self._students[key] = Student(
                row.line, key[2], presentation, intern(region), row.parse(4, _result)
            )

    def _read_registrations(self) -> None:
        columns = ("code_module", "code_presentation", "id_student", "date_registration")
        seen: set[int] = set()
        for row in self._rows("studentRegistration", (*columns, "date_unregistration")):
            module, code, student_id = row.values[:3]
            student = self._student(row, module, code, student_id)
            if student.line in seen:
                raise row.problem("id_student", f"{student.id} is there twice")
            seen.add(student.line)
            student.registered_day = row.parse(3, _day)
            student.unregistered_day = row.parse(4, _day)
        for student in self._students.values():
            if student.line not in seen:
                rule = f"{student.id} of {student.presentation.code} has no row"
                raise BadFile("studentRegistration.csv", None, "id_student", rule)

    def _read_submissions(self) -> None:
        columns = ("id_assessment", "id_student", "date_submitted", "score")
        for row in self._rows("studentAssessment", columns):
            known = self._assessments.get(row.values[0])
            if known is None:
                raise row.problem("id_assessment", "must be in assessments")
            presentation, number, is_exam = known
            module, code = presentation.code.rsplit("-", 1)
            student = self._student(row, module, code, row.values[1])
            day = row.parse(2, _day)
            if day is None:
                raise row.problem("date_submitted", "must not be empty")
            student.submissions.append(Submission(day, number, is_exam, row.parse(3, _score)))

    def _presentation(self, row: _Row) -> Presentation:
        found = self._presentations.get((row.values[0], row.values[1]))
        if found is None:
            raise row.problem("code_presentation", "must be in courses")
        return found

    def _student(self, row: _Row, module: str, code: str, student_id: str) -> Student:
        found = self._students.get((module, code, student_id))
        if found is None:
            raise row.problem("id_student", f"must be in studentInfo for {module}-{code}")
        return found

    def _rows(self, name: str, columns: tuple[str, ...]) -> Iterator[_Row]:
        plain = self._folder / f"{name}.csv"
        path = plain if plain.exists() else self._folder / f"{name}.csv.gz"
        if not path.exists():
            rule = f"is missing in {self._folder}, plain and as .csv.gz"
            raise BadFile(plain.name, None, None, rule)
        file = CsvFile(path, columns, others_allowed=True)
        for row in file.rows():
            yield _Row(file, columns, row.line, row.values)


class _Row(NamedTuple):
    file: CsvFile
    columns: tuple[str, ...]
    line: int
    values: list[str]

    def parse(self, place: int, parse: Callable[[str], Value]) -> Value:
        try:
            return parse(self.values[place])
        except ValueError as error:
            raise self.problem(self.columns[place], str(error)) from None

    def problem(self, column: str, rule: str) -> BadFile:
        return self.file.problem(self.line, column, rule)


def _name(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


def _id(text: str) -> str:
    _whole(text)
    return text


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise ValueError(f"must be a whole number, not {text!r}")
    return int(text)


def _first_day(text: str) -> date:
    if not re.fullmatch(r"[1-9]\d{3}[BJ]", text, re.ASCII):
        raise ValueError(f"must be a year and B or J, as in 2013J, not {text!r}")
    return date(int(text[:4]), FIRST_MONTHS[text[4]], 1)


def _length(text: str) -> int:
    length = _whole(text)
    if not 1 <= length <= LONGEST_DAYS:
        raise ValueError(f"must be 1 to {LONGEST_DAYS} days, not {text!r}")
    return length


def _day(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"-?\d{1,5}", text, re.ASCII) or abs(int(text)) > LONGEST_DAYS:
        limits = f"from -{LONGEST_DAYS} to {LONGEST_DAYS}"
        raise ValueError(f"must be a whole number of days {limits}, or empty, not {text!r}")
    return int(text)


def _score(text: str) -> float | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{1,3}(\.\d{1,2})?", text, re.ASCII) or float(text) > MOST_PERCENT:
        rule = "must be 0 to 100 with at most two decimals, or empty"
        raise ValueError(f"{rule}, not {text!r}")
    return float(text)


def _is_exam(text: str) -> bool:
    if text not in {"TMA", "CMA", "Exam"}:
        raise ValueError(f"must be TMA, CMA or Exam, not {text!r}")
    return text == "Exam"


def _result(text: str) -> Result:
    try:
        return Result(text)
    except ValueError:
        rule = f"must be one of {', '.join(Result)}"
        raise ValueError(f"{rule}, not {text!r}") from None
