"""Reading training programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg import Connection

from api.access import caller
from api.caching import resource_answer
from api.fields import Day
from api.lists import list_answer
from api.parameters import (
    ABSENT,
    FlagParameter,
    ListParameters,
    SearchParameter,
    SeveralParameter,
    SortParameter,
    TextsParameter,
)
from api.problems import not_found
from api.program_shapes import ProgramShape
from api.resource import Resource
from api.selection import Showing
from api.shapes import listed, shown
from api.wire import Answered
from domain.permissions import Permission
from domain.program_details import MAX_NAME_LENGTH, MAX_TAG_LENGTH, DeliveryMode, Level
from domain.training_program import ProgramStatus
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.keyset import Order
from projections.program_listing import PROGRAM_LISTING
from projections.program_queries import (
    PROGRAMS,
    RANGES,
    ProgramFilter,
    count_programs,
    find_program,
)
from projections.ranges import Range
from projections.recent_events import of_enrollments_in, of_stream

TABLES = (PROGRAM_LISTING, ENROLLMENT_LISTING)
VISIBLE_TO_ALL = (ProgramStatus.PUBLISHED, ProgramStatus.CLOSED)
DEFAULT_ORDER = Order("title", descending=False)

ShownProgram = shown(ProgramShape, "ShownProgram")
SHOWING = Showing(PROGRAMS, ShownProgram)

programs = Resource("programs", "What is offered, and its life from draft to archive.")


class ProgramParameters(ListParameters):
    """Which programs are wanted, and in which order."""

    status = SeveralParameter(ProgramStatus, **ABSENT)
    category = TextsParameter(MAX_NAME_LENGTH, **ABSENT)
    level = SeveralParameter(Level, **ABSENT)
    delivery_mode = SeveralParameter(DeliveryMode, **ABSENT)
    provider = TextsParameter(MAX_NAME_LENGTH, **ABSENT)
    instructor = TextsParameter(MAX_NAME_LENGTH, **ABSENT)
    tag = TextsParameter(MAX_TAG_LENGTH, **ABSENT)
    mandatory = FlagParameter(**ABSENT)
    certification_offered = FlagParameter(**ABSENT)
    has_free_seats = FlagParameter(**ABSENT)
    starts_from = Day(**ABSENT)
    starts_to = Day(**ABSENT)
    ends_from = Day(**ABSENT)
    ends_to = Day(**ABSENT)
    deadline_from = Day(**ABSENT)
    deadline_to = Day(**ABSENT)
    q = SearchParameter("title, code and category")
    sort = SortParameter(PROGRAMS.sorts, "title")


@programs.query(
    "/programs",
    Permission.READ_PROGRAMS,
    answer=listed(ShownProgram, "ProgramList"),
    tables=TABLES,
    parameters=SHOWING.parameters(ProgramParameters),
    is_cached=True,
)
def get_programs(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answered:
    """List programs.

    Employees see the published and the closed ones.
    """
    wanted = ProgramFilter(
        visible=visible(),
        statuses=parameters["status"],
        categories=parameters["category"],
        levels=parameters["level"],
        delivery_modes=parameters["delivery_mode"],
        providers=parameters["provider"],
        instructors=parameters["instructor"],
        tags=parameters["tag"],
        mandatory=parameters["mandatory"],
        certification_offered=parameters["certification_offered"],
        has_free_seats=parameters["has_free_seats"],
        ranges=ranges(parameters, RANGES),
        search=parameters["q"],
    )
    conditions = wanted.conditions
    return list_answer(
        conn,
        parameters,
        SHOWING,
        conditions,
        count_programs(conditions),
        DEFAULT_ORDER,
    )


@programs.query(
    "/programs/<id:program_id>",
    Permission.READ_PROGRAMS,
    stream_of=lambda program_id: program_id,
    answer=ShownProgram,
    tables=TABLES,
    parameters=SHOWING.parameters(),
    is_cached=True,
)
def get_program(conn: Connection[Any], parameters: Mapping[str, Any], program_id: UUID) -> Answered:
    """Show a program."""
    selection = SHOWING.select(parameters)
    found = find_program(conn, [*selection.columns, "version"], program_id, visible())
    if found is None:
        raise not_found("program", str(program_id))
    *row, version = found
    [document] = selection.documents(conn, [row])
    return resource_answer(
        document, version, [of_stream(program_id), of_enrollments_in(program_id)]
    )


def require_visible(conn: Connection[Any], program_id: UUID) -> None:
    """Raise a 404 problem when there is no such program, or none that the caller may see."""
    if find_program(conn, ["id"], program_id, visible()) is None:
        raise not_found("program", str(program_id))


def visible() -> tuple[ProgramStatus, ...] | None:
    """Return the statuses of the programs that the caller may see, None for all."""
    return None if caller().may(Permission.READ_HIDDEN_PROGRAMS) else VISIBLE_TO_ALL


def ranges(parameters: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Range]:
    """Return the ranges of `names` that `parameters` give, each as `name_from` and `name_to`."""
    found = {
        name: Range(parameters[f"{name}_from"], parameters[f"{name}_to"])
        for name in names
        if f"{name}_from" in parameters
    }
    return {name: one for name, one in found.items() if one != Range()}
