"""Takes over a team's programs: those that are missing are created and published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from domain.act import Act
from domain.errors import DomainError, InvalidValueError
from domain.program_code import ProgramCode
from domain.program_details import Certification, ProgramDetails
from domain.training import Training
from domain.training_program import TrainingProgram
from rollbook.importing.acts import ImportActs
from rollbook.importing.columns import Parsed, Report, Sheet

CERTIFICATION = "certification_"


def holder_of(training: Training, code: str) -> UUID | None:
    """Return the id of the program that has the code, or None."""
    program_code = ProgramCode.blank(ProgramCode.id_of(code))
    for event in training.history(program_code.id):
        event.mutate(program_code)
    return program_code.holder


class ProgramImport:
    """Takes over the programs of one file. It is held in memory: programs are few."""

    def __init__(
        self, training: Training, acts: ImportActs, sheet: Sheet, first_days: Mapping[str, date]
    ) -> None:
        """Create programs on their day in `first_days`, by code, unless the file says another."""
        self._training = training
        self._acts = acts
        self._sheet = sheet
        self._first_days = first_days

    def run(self, report: Report) -> Counter[str]:
        """Count the programs that were added, and those unchanged. Bad rows are reported."""
        counts: Counter[str] = Counter()
        for row in self._sheet.rows(report):
            try:
                counts[self._take_over(row)] += 1
            except DomainError as error:
                report(self._sheet.problem(row.line, _column(error), _rule(error)))
        return counts

    def _take_over(self, row: Parsed) -> str:
        details = _details(row.values)
        details.validate()
        holder = holder_of(self._training, details.code)
        if holder is not None:
            _require_same(row, self._details_of(holder))
            return "unchanged"
        self._add(details, self._act(row))
        return "added"

    def _add(self, details: ProgramDetails, act: Act) -> None:
        def create_and_publish() -> None:
            program = self._training.create_program(details, act).subject
            self._training.publish_program(program.id, act)

        self._training.together(create_and_publish)

    def _act(self, row: Parsed) -> Act:
        code: str = row.values["code"]
        return self._acts.on(
            row.values.get("published_on") or self._first_days.get(code.casefold())
        )

    def _details_of(self, program_id: UUID) -> ProgramDetails:
        program = TrainingProgram.blank(program_id)
        for event in self._training.history(program_id):
            event.mutate(program)
        return program.details


def _details(values: Mapping[str, Any]) -> ProgramDetails:
    given = {name: value for name, value in values.items() if value is not None}
    given.pop("published_on", None)
    certification = {
        name.removeprefix(CERTIFICATION): given.pop(name)
        for name in [*given]
        if name.startswith(CERTIFICATION)
    }
    return ProgramDetails(**given, certification=Certification(**certification))


def _require_same(row: Parsed, existing: ProgramDetails) -> None:
    wanted = _details(row.values)
    for name in row.values:
        if name in {"code", "published_on"}:
            continue
        theirs, ours = _field(wanted, name), _field(existing, name)
        if theirs != ours:
            rule = f"is {_shown(ours)} in Rollbook already; programs are changed through the API"
            raise InvalidValueError(name, rule)


def _field(details: ProgramDetails, column: str) -> object:
    if column.startswith(CERTIFICATION):
        return getattr(details.certification, column.removeprefix(CERTIFICATION))
    return getattr(details, column)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return repr(";".join(map(str, value)))
    return "empty" if value is None else repr(str(value))


def _column(error: DomainError) -> str | None:
    return error.field.replace("certification.", CERTIFICATION) if error.field else None


def _rule(error: DomainError) -> str:
    return error.rule if isinstance(error, InvalidValueError) else str(error)


def first_days(rows: Iterator[Parsed]) -> dict[str, date]:
    """Return the first day of enrollment in each program, by its code in lower case."""
    days: dict[str, date] = {}
    for row in rows:
        code, day = row.values["program_code"].casefold(), row.values["enrolled_on"]
        days[code] = min(days.get(code, day), day)
    return days
