"""Bundles over HTTP: events with all that is needed to check them without this log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response
from psycopg import Connection

from api.audit_log import one_more_page, shows
from api.audit_proofs import issued
from api.enrollment_shapes import MAX_EMPLOYEE_ID_LENGTH
from api.exports import NDJSON, attached
from api.fields import Body, Identifier, Moment, Text
from api.parameters import ABSENT
from api.problems import RETRY_SECONDS, FieldError, Problem, ProblemError, invalid, not_found
from api.resource import Resource, TextAnswer
from api.services import services
from audit.bundling import Pages, people_in
from audit.selection import (
    NothingSelected,
    Selection,
    TrailIsBehind,
    of_period,
    of_person,
    of_program,
)
from domain.permissions import Permission
from projections.audit_trail import AUDIT_TRAIL
from projections.timeline import EVER, NEVER
from proof.bundle import EventIsNotProven, Proven, bundle
from proof.tree import Tree

audit_bundles = Resource("audit-bundles", "Events to take along, with their proofs.")


class BundleParameters(Body):
    """Of whom, of what, or of which time: one of the three."""

    employee_id = Text(
        MAX_EMPLOYEE_ID_LENGTH, **ABSENT, metadata={"description": "A person's enrollments."}
    )
    program_id = Identifier(
        **ABSENT, metadata={"description": "A program and all enrollments in it."}
    )
    recorded_from = Moment(
        **ABSENT, metadata={"description": "All that was recorded from then on."}
    )
    recorded_before = Moment(
        **ABSENT, metadata={"description": "All that was recorded before then."}
    )


@audit_bundles.query(
    "/audit/bundle",
    Permission.READ_HISTORY,
    answer=TextAnswer(NDJSON.media_type),
    tables=(AUDIT_TRAIL,),
    parameters=BundleParameters,
    can_conflict=True,
)
def get_bundle(conn: Connection[Any], parameters: Mapping[str, Any]) -> Response:
    """Write a bundle of events, which can be checked without this log.

    It holds the events of a person, of a program or of a period, the proof of each, a signed
    checkpoint and the key. `rollbook audit verify` or the file `verify_bundle.py` checks it.
    """
    selection = _selected(conn, parameters)
    checkpoint = issued(conn)
    pages = Pages(selection, checkpoint.size)
    # The first is read at once, to tell failures as such.
    first = _next(pages, conn)

    def entries() -> Iterator[Proven]:
        yield from first
        while pages.has_more:
            with services().pool.connection() as own, one_more_page(own):
                page = _next(pages, own)
            yield from page

    lines = bundle(checkpoint, services().signer, selection.subject, entries())
    return attached(NDJSON, lines, ending="bundle")


def _selected(conn: Connection[Any], parameters: Mapping[str, Any]) -> Selection:
    employee_id, program_id = parameters["employee_id"], parameters["program_id"]
    begin, end = parameters["recorded_from"], parameters["recorded_before"]
    if [employee_id is not None, program_id is not None, bool(begin or end)].count(True) != 1:
        rule = "must be given alone, or program_id, or recorded_from and recorded_before"
        raise invalid([FieldError("employee_id", rule)])
    try:
        if employee_id is not None:
            return of_person(conn, Tree(conn), employee_id)
        if program_id is not None:
            return of_program(conn, Tree(conn), program_id)
        return of_period(conn, Tree(conn), begin or EVER, end or NEVER)
    except NothingSelected:
        raise _nothing() from None
    except TrailIsBehind as behind:
        raise ProblemError(
            Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "position_not_reached",
                str(behind),
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        ) from None


def _next(pages: Pages, conn: Connection[Any]) -> list[Proven]:
    try:
        page = pages.next(conn)
    except NothingSelected:
        raise _nothing() from None
    except EventIsNotProven as problem:
        facts = {"position": problem.position}
        raise ProblemError(
            Problem(HTTPStatus.CONFLICT, "event_not_proven", str(problem), facts=facts)
        ) from None
    shows(people_in(page))
    return page


def _nothing() -> ProblemError:
    return not_found("event in the tree", "of this person, program or period")
