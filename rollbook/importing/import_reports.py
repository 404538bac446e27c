"""What an import did, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from rollbook.counted import counted
from rollbook.importing.csv_file import BadFile
from rollbook.importing.oulad import OuladSummary
from rollbook.importing.oulad_files import Oulad
from rollbook.importing.oulad_oddities import count_oddities
from rollbook.importing.team import TeamSummary

ADDED = (
    "programs",
    "employees",
    "enrollments",
    "progress",
    "completed",
    "failed",
    "withdrawn",
    "certificates",
)
ALREADY_THERE = ("programs", "employees", "enrollments")


@dataclass(frozen=True, slots=True)
class OuladReport:
    """A run over the OULAD files `oulad`, which took `seconds`."""

    oulad: Oulad
    summary: OuladSummary
    seconds: float

    def as_json(self) -> str:
        """Return it as one JSON object; its members are described in docs/importing.md."""
        return _json(
            {
                "found": self._found(),
                "added": self._added(),
                "already_there": self._already_there(),
                "skipped": self._skipped(),
                "refused": [asdict(refused) for refused in self.summary.refused],
                "seconds": round(self.seconds, 1),
            }
        )

    def as_text(self) -> str:
        """Return it as lines."""
        lines = [
            _line("Found", self._found()),
            _line("Added", self._added()),
            _line("Already there", self._already_there()),
            _line("Skipped", self._skipped()),
            *(
                f"Refused: studentInfo line {r.line}, {r.employee_id} in {r.program_code}: {r.rule}"
                for r in self.summary.refused
            ),
            f"It took {self.seconds:.1f} seconds.",
        ]
        return "\n".join(lines)

    def _found(self) -> dict[str, int]:
        students = self.oulad.students
        return {
            "enrollments": len(students),
            "submissions": sum(len(student.submissions) for student in students),
            **asdict(count_oddities(self.oulad)),
        }

    def _added(self) -> dict[str, int]:
        return {name: getattr(self.summary, name) for name in ADDED}

    def _already_there(self) -> dict[str, int]:
        return {name: getattr(self.summary, f"{name}_already_there") for name in ALREADY_THERE}

    def _skipped(self) -> dict[str, int]:
        return {
            "submissions_after_withdrawal": self.summary.submissions_after_withdrawal,
            "enrollments_refused": len(self.summary.refused),
        }


@dataclass(frozen=True, slots=True)
class TeamReport:
    """A run over a team's own files, which took `seconds`; a dry one wrote nothing."""

    summary: TeamSummary
    is_dry: bool
    seconds: float

    def as_json(self) -> str:
        """Return it as one JSON object; its members are described in docs/importing.md."""
        return _json(
            {
                "dry_run": self.is_dry,
                **self._counts(),
                "bad_rows": [_place(problem) for problem in self.summary.bad],
                "seconds": round(self.seconds, 1),
            }
        )

    def as_text(self) -> str:
        """Return it as lines, the bad rows first."""
        heading = "Would be" if self.is_dry else "Done"
        bad = len(self.summary.bad)
        lines = [
            *map(str, self.summary.bad),
            *(_line(f"{heading}: {name}", counts) for name, counts in self._counts().items()),
            f"{counted(bad, 'bad field')}." if bad else "No bad rows.",
        ]
        if self.is_dry:
            lines.append("This was a dry run: nothing was written.")
        return "\n".join(lines)

    def _counts(self) -> dict[str, dict[str, int]]:
        return {
            "employees": dict(self.summary.employees),
            "programs": dict(self.summary.programs),
            "enrollments": dict(self.summary.enrollments),
        }


def _place(problem: BadFile) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "rule": problem.rule,
    }


def _line(heading: str, counts: Mapping[str, int]) -> str:
    return f"{heading}: {', '.join(_shown(counts)) or 'nothing'}"


def _shown(counts: Mapping[str, int]) -> Iterator[str]:
    for name, number in counts.items():
        if number:
            yield f"{name.replace('_', ' ')} {number:,}"


def _json(document: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(document)).decode()
