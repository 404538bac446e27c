"""Takes over a team's own records: employees, programs, enrollments, in that order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rollbook.importing.acts import ImportActs
from rollbook.importing.columns import Report, Sheet
from rollbook.importing.csv_file import BadFile
from rollbook.importing.sheets import EMPLOYEES, ENROLLMENTS, PROGRAMS
from rollbook.importing.team_employees import import_employees
from rollbook.importing.team_enrollments import EnrollmentImport
from rollbook.importing.team_programs import ProgramImport, first_days
from rollbook.importing.write_side import ImportSide

ACTOR = "csv-import"


@dataclass(frozen=True, slots=True)
class TeamSummary:
    """What a run recorded, counted for each kind of record, and the rows that are bad."""

    employees: Counter[str] = field(default_factory=Counter)
    programs: Counter[str] = field(default_factory=Counter)
    enrollments: Counter[str] = field(default_factory=Counter)
    bad: list[BadFile] = field(default_factory=list)


class TeamFiles:
    """The files of a team, each of which may be left out."""

    def __init__(
        self, employees: Path | None, programs: Path | None, enrollments: Path | None
    ) -> None:
        """Look at their columns. Raises `BadFile` when those are not as documented."""
        self.employees = Sheet(employees, EMPLOYEES) if employees else None
        self.programs = Sheet(programs, PROGRAMS) if programs else None
        self.enrollments = Sheet(enrollments, ENROLLMENTS) if enrollments else None

    def require_well_formed(self) -> int:
        """Read all files once, and return the number of enrollments.

        Raises `BadFile` for a file that is not in UTF-8 or not CSV to its end.
        """
        for sheet in (self.employees, self.programs):
            if sheet is not None:
                sheet.count()
        return self.enrollments.count() if self.enrollments else 0


def import_team(side: ImportSide, files: TeamFiles, advanced: Callable[[int], None]) -> TeamSummary:
    """Take over what is good in `files`, and return what was done and which rows are bad.

    `advanced` is told how many more rows of enrollments were read. Raises `BadFile` before
    anything is written.
    """
    summary, acts = TeamSummary(), ImportActs(ACTOR)
    if files.employees:
        with _by_line(summary.bad) as report:
            summary.employees.update(import_employees(side.staff, files.employees, report))
    if files.programs:
        days = first_days(files.enrollments.rows(_ignore)) if files.enrollments else {}
        programs = ProgramImport(side.training, acts, files.programs, days)
        with _by_line(summary.bad) as report:
            summary.programs.update(programs.run(report))
    if files.enrollments:
        enrollments = EnrollmentImport(side, acts, files.enrollments, advanced)
        with _by_line(summary.bad) as report:
            summary.enrollments.update(enrollments.run(report))
    return summary


@contextmanager
def _by_line(into: list[BadFile]) -> Iterator[Report]:
    # What the commands refuse is known only at the end of a batch.
    bad: list[BadFile] = []
    yield bad.append
    into.extend(sorted(bad, key=lambda problem: problem.line or 0))


def _ignore(_problem: BadFile) -> None:
    """Leave it to the pass that reports."""
