"""Histories over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection

from api.audit_export import exported, searched_pages
from api.audit_log import shows
from api.audit_parameters import EventParameters, HistoryParameters, order, searched, wanted
from api.audit_shapes import EventList, event_json, person_of
from api.exports import wanted_format
from api.paging import link_to
from api.parameters import DEFAULT_LIMIT
from api.problems import not_found
from api.resource import Resource
from api.services import services
from api.wire import Answered, answer
from audit.history import Step, history_of
from audit.trail import TrailWindow, search
from audit.wanted import Wanted, WantedOfAll
from domain.permissions import Permission
from projections.audit_trail import AUDIT_TRAIL

audit_history = Resource("audit", "What happened, who did it, why, and what it changed.")


@audit_history.query(
    "/audit/enrollments/<id:enrollment_id>",
    Permission.READ_HISTORY,
    answer=EventList,
    parameters=HistoryParameters,
)
def get_enrollment_history(
    conn: Connection[Any], parameters: Mapping[str, Any], enrollment_id: UUID
) -> Answered:
    """Show everything that happened to an enrollment, from its first event on."""
    return _stream(conn, parameters, "enrollment", enrollment_id)


@audit_history.query(
    "/audit/programs/<id:program_id>",
    Permission.READ_HISTORY,
    answer=EventList,
    parameters=HistoryParameters,
)
def get_program_history(
    conn: Connection[Any], parameters: Mapping[str, Any], program_id: UUID
) -> Answered:
    """Show everything that happened to a program, also to one that was deleted."""
    return _stream(conn, parameters, "program", program_id)


@audit_history.query(
    "/audit/employees/<employee:employee_id>",
    Permission.READ_HISTORY,
    answer=EventList,
    tables=(AUDIT_TRAIL,),
    parameters=HistoryParameters,
)
def get_employee_history(
    conn: Connection[Any], parameters: Mapping[str, Any], employee_id: str
) -> Answered:
    """Show everything that concerns a person, in all programs, whether in the directory or not.

    That is the enrollments, the certificates, and the seats and places on waiting lists. It is
    the oldest first.
    """
    of_all = WantedOfAll(**wanted(parameters), employee_id=employee_id)
    return _searched(conn, parameters, of_all, "position")


@audit_history.query(
    "/audit/events",
    Permission.READ_HISTORY,
    answer=EventList,
    tables=(AUDIT_TRAIL,),
    parameters=EventParameters,
)
def get_events(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answered:
    """Search the whole log, the newest first unless told otherwise.

    Without `sort` that is by the time that is filtered by, or else by when they were recorded.
    """
    of_all = WantedOfAll(**wanted(parameters), **searched(parameters))
    return _searched(conn, parameters, of_all, order(parameters))


def _stream(
    conn: Connection[Any], parameters: Mapping[str, Any], kind: str, stream_id: UUID
) -> Answered:
    steps = list(history_of(conn, services().mapper, stream_id))
    if not steps or not steps[0].stored.topic.startswith(f"{kind}."):
        raise not_found(kind, str(stream_id))
    matching = list(filter(Wanted(**wanted(parameters)).wants, steps))
    rest = [step for step in matching if step.stored.id > (parameters["cursor"] or 0)]
    form = wanted_format(parameters["format"])
    if form is not None:
        return exported(form, iter([rest[: parameters["limit"]]]))
    shown = rest[: parameters["limit"] or DEFAULT_LIMIT]
    return _page(shown, len(matching), shown[-1].stored.id if len(shown) < len(rest) else None)


def _searched(
    conn: Connection[Any], parameters: Mapping[str, Any], of_all: WantedOfAll, sort: str
) -> Answered:
    window = TrailWindow(
        limit=parameters["limit"] or DEFAULT_LIMIT,
        after=parameters["cursor"],
        sort=sort.removeprefix("-"),
        newest_first=sort.startswith("-"),
    )
    form = wanted_format(parameters["format"])
    if form is not None:
        return exported(form, searched_pages(conn, of_all, window, parameters["limit"]))
    page = search(conn, services().mapper, of_all, window)
    return _page(page.steps, None, page.after)


def _page(steps: Sequence[Step], total: int | None, after: int | None) -> Answered:
    following = None if after is None else link_to(str(after))
    shows(map(person_of, steps))
    items = [event_json(step) for step in steps]
    return answer({"items": items, "total": total, "next": following}, headers={"Vary": "Accept"})
