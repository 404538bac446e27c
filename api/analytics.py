"""Figures over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from api.analytics_shapes import (
    CategoryList,
    CompletionList,
    CompletionRateShape,
    OverviewShape,
    PerformerList,
    StatusList,
    category_json,
    counts_json,
    overview_json,
    performer_json,
    rates_json,
    statuses_json,
)
from api.clock import today
from api.fields import Body, Identifier, Text
from api.parameters import ABSENT, WholeParameter
from api.resource import Resource
from api.wire import Answer, answer
from domain.permissions import Permission
from domain.program_details import MAX_NAME_LENGTH
from projections import analytics as figures
from projections import rankings
from projections.certificate_register import CERTIFICATE_REGISTER
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.program_listing import PROGRAM_LISTING

TABLES = (PROGRAM_LISTING, ENROLLMENT_LISTING)
MAX_RANKED = 500
DEFAULT_RANKED = 10
MAX_PROGRAMS = 1_000_000

analytics = Resource("analytics", "Figures, each with its numerator, denominator and exclusions.")


class RecentParameters(Body):
    """How many are wanted."""

    limit = WholeParameter(1, MAX_RANKED, load_default=DEFAULT_RANKED)


class TopParameters(RecentParameters):
    """How many are wanted, and over how many programs they must have scores."""

    min_programs = WholeParameter(1, MAX_PROGRAMS, load_default=1)


class RateParameters(Body):
    """Whose rate is wanted; what is left out does not matter."""

    program_id = Identifier(**ABSENT)
    category = Text(MAX_NAME_LENGTH, **ABSENT)
    department = Text(MAX_NAME_LENGTH, **ABSENT)


def _overview(conn: Connection[Any]) -> Answer:
    return answer(overview_json(figures.overview(conn, today())))


@analytics.query(
    "/analytics",
    Permission.READ_ANALYTICS,
    answer=OverviewShape,
    tables=(*TABLES, CERTIFICATE_REGISTER),
    is_cached=True,
)
def get_analytics(conn: Connection[Any]) -> Answer:
    """Show the state of training on one screen."""
    return _overview(conn)


@analytics.query(
    "/analytics/overview",
    Permission.READ_ANALYTICS,
    answer=OverviewShape,
    tables=(*TABLES, CERTIFICATE_REGISTER),
    is_cached=True,
)
def get_overview(conn: Connection[Any]) -> Answer:
    """Show the state of training on one screen."""
    return _overview(conn)


@analytics.query(
    "/analytics/by-category",
    Permission.READ_ANALYTICS,
    answer=CategoryList,
    tables=TABLES,
    is_cached=True,
)
def get_by_category(conn: Connection[Any]) -> Answer:
    """Compare the categories of programs."""
    return _whole_list([category_json(one) for one in figures.by_category(conn)])


@analytics.query(
    "/analytics/by-status",
    Permission.READ_ANALYTICS,
    answer=StatusList,
    tables=TABLES,
    is_cached=True,
)
def get_by_status(conn: Connection[Any]) -> Answer:
    """Count the enrollments by status."""
    return _whole_list(statuses_json(figures.outcomes(conn)))


@analytics.query(
    "/analytics/recent-completions",
    Permission.READ_ANALYTICS,
    answer=CompletionList,
    tables=TABLES,
    parameters=RecentParameters,
    is_cached=True,
)
def get_recent_completions(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answer:
    """Show who completed what last, the latest first."""
    completions = rankings.recent_completions(conn, parameters["limit"])
    return _first_of(completions, figures.outcomes(conn).completed)


@analytics.query(
    "/analytics/top-performers",
    Permission.READ_ANALYTICS,
    answer=PerformerList,
    tables=TABLES,
    parameters=TopParameters,
    is_cached=True,
)
def get_top_performers(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answer:
    """Rank employees by the mean of their best scores.

    Those with scores in fewer than `min_programs` are left out. `total` is how many are ranked.
    """
    top = rankings.top_performers(conn, parameters["min_programs"], parameters["limit"])
    return _first_of(list(map(performer_json, top.performers)), top.ranked)


@analytics.query(
    "/analytics/completion-rate",
    Permission.READ_ANALYTICS,
    answer=CompletionRateShape,
    tables=TABLES,
    parameters=RateParameters,
    is_cached=True,
)
def get_completion_rate(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answer:
    """Show the rates of one program, category or department, or of all."""
    outcomes = figures.outcomes(conn, **parameters)
    return answer(
        {**parameters, "enrollments": counts_json(outcomes), **rates_json(outcomes, **parameters)}
    )


def _whole_list(items: Sequence[object]) -> Answer:
    return _first_of(items, len(items))


def _first_of(items: Sequence[object], total: int) -> Answer:
    return answer({"items": items, "total": total, "next": None})
