"""Which rows stand behind each figure: for every part of it a condition on a read table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.enrollment import EnrollmentStatus
from domain.training_program import ProgramStatus
from projections.analytics import EXPIRING_WITHIN_DAYS
from projections.enrollment_listing import BEST_SCORE

_ENDS = "coalesce(r.valid_until, '9999-12-31'::date)"


@dataclass(frozen=True, slots=True)
class Part:
    """The rows behind one number of a figure.

    Attributes:
        resource: whose rows they are.
        condition: what the rows `r` meet, as SQL.
        decided_by: the fields that say so; the events that set them are the facts behind it.
        amount: what one row adds to the number, as SQL.
        days: the values of the condition, given the day of the asking.
    """

    resource: str
    condition: str
    decided_by: tuple[str, ...]
    amount: str = "1"
    days: Callable[[date], Sequence[date]] = lambda _today: ()


@dataclass(frozen=True, slots=True)
class ExplainedFigure:
    """A figure in words, what its parts are made of, and of what it can be asked."""

    definition: str
    parts: Mapping[str, Part]
    scopes: tuple[str, ...] = ()


ENROLLMENT_SCOPES = ("program_id", "category", "department")

_STATES = {status: f"r.status = '{status}'" for status in map(str, EnrollmentStatus)} | {
    "withdrawn": "(r.status = 'withdrawn' AND r.started_at IS NOT NULL)",
    "cancelled": "(r.status = 'withdrawn' AND r.started_at IS NULL)",
}
_OPEN = ("enrolled", "in_progress")
_JUDGED = ("completed", "failed")
_ENDED = (*_JUDGED, "withdrawn")


def _in(*states: str) -> Part:
    condition = " OR ".join(_STATES[state] for state in states)
    return Part("enrollment", f"({condition})", ("status",))


def _rate(
    definition: str, denominator: Sequence[str], **excluded: Sequence[str]
) -> ExplainedFigure:
    left_out = {reason: _in(*states) for reason, states in excluded.items()}
    parts = {"numerator": _in("completed"), "denominator": _in(*denominator)} | left_out
    return ExplainedFigure(definition, parts, ENROLLMENT_SCOPES)


def _by_status(resource: str, status: str) -> Part:
    return Part(resource, f"r.status = '{status}'", ("status",))


def _certificates(condition: str, days: Callable[[date], Sequence[date]]) -> Part:
    return Part("certificate", f"r.status = 'issued' AND {condition}", ("status",), days=days)


def _scored(amount: str) -> Part:
    decided_by = ("score_percent", "past_score_percent")
    return Part("enrollment", f"{BEST_SCORE} IS NOT NULL", decided_by, amount)


_NOT_YET = {"waitlisted": ("waitlisted",), "cancelled": ("cancelled",)}

FIGURES: Mapping[str, ExplainedFigure] = {
    "completion_rate": _rate(
        "Completed of all enrollments that began: ended or open, but not waiting, and not"
        " withdrawn before they started.",
        (*_ENDED, *_OPEN),
        **_NOT_YET,
    ),
    "completion_rate_closed_only": _rate(
        "Completed of all enrollments that ended.", _ENDED, open=_OPEN, **_NOT_YET
    ),
    "pass_rate": _rate(
        "Completed of all enrollments that were judged.",
        _JUDGED,
        withdrawn=("withdrawn",),
        open=_OPEN,
        **_NOT_YET,
    ),
    "enrollments": ExplainedFigure(
        "Enrollments by the status of their present cycle.",
        {str(status): _by_status("enrollment", status) for status in EnrollmentStatus},
        ENROLLMENT_SCOPES,
    ),
    "mean_score_percent": ExplainedFigure(
        "The mean of an employee's best final score in each program.",
        {"numerator": _scored(BEST_SCORE), "denominator": _scored("1")},
        ("employee_id",),
    ),
    "programs": ExplainedFigure(
        "Programs by status, without deleted ones.",
        {str(status): _by_status("program", status) for status in ProgramStatus},
    ),
    "fill_rate": ExplainedFigure(
        "Seats taken of all seats, in programs of limited capacity.",
        {
            "numerator": Part(
                "program", "r.capacity IS NOT NULL", ("seats_taken",), "r.seats_taken"
            ),
            "denominator": Part("program", "r.capacity IS NOT NULL", ("capacity",), "r.capacity"),
            "unlimited_programs": Part("program", "r.capacity IS NULL", ("capacity", "code")),
        },
    ),
    "certificates": ExplainedFigure(
        "Certificates ever issued, and what became of them by the day of the asking.",
        {
            "issued": Part("certificate", "true", ("status",)),
            "valid": _certificates(f"{_ENDS} >= %s", lambda today: (today,)),
            "expired": _certificates(f"{_ENDS} < %s", lambda today: (today,)),
            "revoked": _by_status("certificate", "revoked"),
            "expiring_within_30_days": _certificates(
                f"{_ENDS} BETWEEN %s AND %s",
                lambda today: (today, today + timedelta(days=EXPIRING_WITHIN_DAYS)),
            ),
        },
    ),
}
