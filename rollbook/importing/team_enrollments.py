"""Takes over a team's enrollments, each as a whole or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

from domain.act import Act
from domain.enrollment import (
    DuplicateEnrollmentError,
    Enrollment,
    EnrollmentStatusError,
    Source,
)
from domain.errors import DomainError, InvalidValueError, NotFoundError
from domain.training_program import EnrollmentDeadlineError, ProgramStatusError
from rollbook.importing.acts import ImportActs
from rollbook.importing.columns import Report, Sheet
from rollbook.importing.csv_file import BadFile
from rollbook.importing.sheets import Outcome
from rollbook.importing.taken_over import EnrollmentRow, TakenOver
from rollbook.importing.team_programs import holder_of
from rollbook.importing.write_side import ImportSide

BATCH_ENROLLMENTS = 100

COLUMN_OF: dict[type[DomainError], str] = {
    DuplicateEnrollmentError: "employee_id",
    EnrollmentDeadlineError: "enrolled_on",
    EnrollmentStatusError: "outcome",
    NotFoundError: "program_code",
    ProgramStatusError: "program_code",
}


class Wanted(NamedTuple):
    """A row that is good in itself, and the enrollment it is about."""

    row: EnrollmentRow
    program_id: UUID
    enrollment_id: UUID


class EnrollmentImport:
    """Takes over the enrollments of one file, which is streamed."""

    def __init__(
        self, side: ImportSide, acts: ImportActs, sheet: Sheet, advanced: Callable[[int], None]
    ) -> None:
        """Write through `side`; tell `advanced` of rows as they are done, by their number."""
        self._side = side
        self._training = side.training
        self._acts = acts
        self._sheet = sheet
        self._advanced = advanced
        self._program_ids: dict[str, UUID | None] = {}

    def run(self, report: Report) -> Counter[str]:
        """Count what was recorded, and the rows that are unchanged. Bad rows are reported."""
        counts: Counter[str] = Counter()
        for batch in _batches(self._good_rows(report)):
            counts += self._take_over(batch, report)
            self._advanced(len(batch))
        return counts

    def _good_rows(self, report: Report) -> Iterator[Wanted]:
        for parsed in self._sheet.rows(report):
            try:
                yield self._wanted(EnrollmentRow(parsed.line, **parsed.values))
            except DomainError as error:
                report(self._problem(parsed.line, error))

    def _wanted(self, row: EnrollmentRow) -> Wanted:
        row.require_consistency()
        code = row.program_code
        if code not in self._program_ids:
            self._program_ids[code] = holder_of(self._training, code)
        program_id = self._program_ids[code]
        if program_id is None:
            raise InvalidValueError("program_code", f"must be the code of a program; {code} is not")
        return Wanted(row, program_id, Enrollment.id_of(program_id, row.employee_id))

    def _take_over(self, batch: list[Wanted], report: Report) -> Counter[str]:
        def refuse(wanted: Wanted, error: DomainError) -> None:
            report(self._problem(wanted.row.line, error))

        self._side.know_employees([wanted.row.employee_id for wanted in batch])
        self._side.know_streams([wanted.enrollment_id for wanted in batch])
        return sum(self._side.perform(batch, self._record, refuse), Counter())

    def _record(self, wanted: Wanted) -> Counter[str]:
        row, enrollment_id = wanted.row, wanted.enrollment_id
        known = TakenOver(self._training.history(enrollment_id), row)
        known.require_no_contradiction()
        recorded: Counter[str] = Counter()
        if not known.is_enrolled:
            self._enroll(wanted)
            recorded["enrolled"] += 1
        if row.percent is not None and row.progressed_on and not known.has_progress:
            act = self._acts.on(row.progressed_on)
            self._training.record_progress(enrollment_id, act, row.percent)
            recorded["progress"] += 1
        if row.outcome is not None and row.ended_on and not known.has_outcome:
            self._end(enrollment_id, row, self._acts.on(row.ended_on, row.reason))
            recorded[row.outcome] += 1
        return recorded or Counter(unchanged=1)

    def _enroll(self, wanted: Wanted) -> None:
        row = wanted.row
        act = self._acts.on(row.enrolled_on)
        self._training.enroll(wanted.program_id, row.employee_id, act, Source.IMPORT, row.due_on)

    def _end(self, enrollment_id: UUID, row: EnrollmentRow, act: Act) -> None:
        match row.outcome:
            case Outcome.COMPLETED:
                self._training.complete(enrollment_id, act, row.score_percent, row.grade)
            case Outcome.FAILED:
                self._training.fail(enrollment_id, act, row.score_percent)
            case Outcome.WITHDRAWN:
                self._training.withdraw(enrollment_id, act)

    def _problem(self, line: int, error: DomainError) -> BadFile:
        rule = error.rule if isinstance(error, InvalidValueError) else str(error)
        return self._sheet.problem(line, _column(error), rule)


def _batches(rows: Iterator[Wanted]) -> Iterator[list[Wanted]]:
    # What the log knows of an enrollment is read before a batch, so it is in a batch only once.
    batch: dict[UUID, Wanted] = {}
    for wanted in rows:
        if wanted.enrollment_id in batch or len(batch) == BATCH_ENROLLMENTS:
            yield list(batch.values())
            batch = {}
        batch[wanted.enrollment_id] = wanted
    if batch:
        yield list(batch.values())


def _column(error: DomainError) -> str | None:
    if error.field == "effective_at":
        return "enrolled_on"
    known = (column for kind, column in COLUMN_OF.items() if isinstance(error, kind))
    return error.field or next(known, None)
