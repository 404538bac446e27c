"""What figures look like."""

from __future__ import annotations

from dataclasses import asdict

from marshmallow import fields

from api.audit_links import figure_explanation
from api.program_shapes import EnrollmentCountsShape
from api.shapes import Shape, given, listed, looked_up, nullable, part, word
from domain.enrollment import EnrollmentStatus
from projections.analytics import CategoryFigures, Overview
from projections.outcomes import Figure, Outcomes
from projections.rankings import Performer


class FigureShape(Shape):
    """A share with what it was made of; an empty denominator gives null."""

    value = nullable(fields.Float, "numerator / denominator; rates are 0 to 1.")
    numerator = given(fields.Float)
    denominator = given(fields.Float)
    excluded = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "What the denominator leaves out, counted by reason."},
    )
    explanation = nullable(
        fields.String, "For auditors: where the rows and events behind it are shown, if it is one."
    )


class RatesShape(Shape):
    """The rates of a set of enrollments."""

    completion_rate = part(FigureShape)
    completion_rate_closed_only = part(FigureShape)
    pass_rate = part(FigureShape)


class ProgramCountsShape(Shape):
    """Programs by status."""

    total = given(fields.Integer)
    draft = given(fields.Integer)
    published = given(fields.Integer)
    closed = given(fields.Integer)
    archived = given(fields.Integer)


class TotalEnrollmentCountsShape(EnrollmentCountsShape):
    """Enrollments by status."""

    total = given(fields.Integer)


class CertificateCountsShape(Shape):
    """Certificates ever issued, and what became of them by today."""

    issued = given(fields.Integer)
    valid = given(fields.Integer)
    expired = given(fields.Integer)
    revoked = given(fields.Integer)
    expiring_within_30_days = given(fields.Integer)


class OverviewShape(RatesShape):
    """The state of training on one screen."""

    programs = part(ProgramCountsShape)
    enrollments = part(TotalEnrollmentCountsShape)
    certificates = part(CertificateCountsShape)
    fill_rate = part(FigureShape)


class CategoryShape(RatesShape):
    """What the programs of one category came to."""

    category = nullable(fields.String, "null for programs without one.")
    programs = given(fields.Integer)
    enrollments = part(TotalEnrollmentCountsShape)


class StatusShape(Shape):
    """The enrollments of one status."""

    status = word(EnrollmentStatus)
    enrollments = given(fields.Integer)
    share = part(FigureShape)


class CompletionRateShape(RatesShape):
    """The rates of one program, category or department, or of all."""

    program_id = nullable(fields.UUID, "What was asked for.")
    category = nullable(fields.String, "What was asked for.")
    department = nullable(fields.String, "What was asked for.")
    enrollments = part(TotalEnrollmentCountsShape)


class CompletionShape(Shape):
    """One completed enrollment."""

    enrollment_id = given(fields.UUID)
    program_id = given(fields.UUID)
    program_code = looked_up(fields.String)
    program_title = looked_up(fields.String)
    employee_id = given(fields.String)
    employee_name = looked_up(fields.String)
    department = nullable(fields.String)
    score_percent = nullable(fields.Float)
    grade = nullable(fields.String)
    certificate_number = nullable(fields.String)
    completed_at = given(fields.DateTime)


class PerformerShape(Shape):
    """An employee by the mean of the best score in each program; ties share a rank."""

    rank = given(fields.Integer)
    employee_id = given(fields.String)
    employee_name = looked_up(fields.String)
    department = looked_up(fields.String)
    programs = given(fields.Integer)
    mean_score_percent = part(FigureShape)


CategoryList = listed(CategoryShape, "CategoryList")
StatusList = listed(StatusShape, "StatusList")
CompletionList = listed(CompletionShape, "CompletionList")
PerformerList = listed(PerformerShape, "PerformerList")


def overview_json(overview: Overview) -> dict[str, object]:
    """Return the overview as it is answered."""
    return {
        "programs": {"total": sum(overview.programs.values()), **overview.programs},
        "enrollments": counts_json(overview.outcomes),
        "certificates": overview.certificates,
        "fill_rate": figure_json(overview.fill_rate, figure_explanation("fill_rate")),
        **rates_json(overview.outcomes),
    }


def category_json(figures: CategoryFigures) -> dict[str, object]:
    """Return one category as it is answered."""
    # Programs without a category cannot be asked for by it.
    has_name = figures.category is not None
    return {
        "category": figures.category,
        "programs": figures.programs,
        "enrollments": counts_json(figures.outcomes),
        **rates_json(figures.outcomes, explain=has_name, category=figures.category),
    }


def statuses_json(outcomes: Outcomes) -> list[dict[str, object]]:
    """Return the enrollments of each status, and their share in all."""
    counts = outcomes.by_status
    return [
        {
            "status": status,
            "enrollments": getattr(counts, status),
            "share": figure_json(
                Figure.of(getattr(counts, status), counts.total),
                figure_explanation("enrollments", part=status),
            ),
        }
        for status in EnrollmentStatus
    ]


def counts_json(outcomes: Outcomes) -> dict[str, object]:
    """Return the counts by status, and their total."""
    counts = outcomes.by_status
    by_status = {str(status): getattr(counts, status) for status in EnrollmentStatus}
    return {"total": counts.total, **by_status}


def rates_json(outcomes: Outcomes, *, explain: bool = True, **scope: object) -> dict[str, object]:
    """Return the rates, each with what it was made of; `scope` is what they were asked of."""
    rates = ("completion_rate", "completion_rate_closed_only", "pass_rate")
    return {
        name: figure_json(
            getattr(outcomes, name), figure_explanation(name, **scope) if explain else None
        )
        for name in rates
    }


def performer_json(performer: Performer) -> dict[str, object]:
    """Return one rank as it is answered."""
    link = figure_explanation("mean_score_percent", employee_id=performer.employee_id)
    mean = figure_json(performer.mean_score_percent, link)
    return {**asdict(performer), "mean_score_percent": mean}


def figure_json(figure: Figure, explanation: str | None) -> dict[str, object]:
    """Return a figure as it is answered, with the link to what is behind it."""
    return {**asdict(figure), "explanation": explanation}
