"""Which events a bundle is of: those of a person, of a program, or of a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from eventlog.pool import Connection
from projections import progress
from projections.audit_trail import AUDIT_TRAIL
from proof.tree import Tree

_OF_PERSON: LiteralString = """
stream_id in (
    select stream_id from rollbook_read.audit_trail
    where employee_id = %s and starts_with(topic, 'enrollment.')
) and position <= %s
"""
_OF_PROGRAM: LiteralString = """
stream_id in (select stream_id from rollbook_read.audit_trail where program_id = %s)
and position <= %s
"""
_NEXT_POSITIONS: LiteralString = """
select position from rollbook.events where {} and position > %s order by position limit %s
"""
_BOUNDS: LiteralString = """
select min(position), max(position) from rollbook_read.audit_trail
where recorded_at >= %s and recorded_at < %s and position <= %s
"""


class TrailIsBehind(Exception):
    """The audit trail, by which events are found, has not taken in all that the tree has."""

    def __init__(self, position: int, wanted: int) -> None:
        super().__init__(f"The audit trail is at position {position} of {wanted}: try again soon.")


class NothingSelected(Exception):
    """There is no event of this person, program or period in the tree."""

    def __init__(self) -> None:
        super().__init__(
            "There is no such event, or it is not in the tree yet: `rollbook notary` adds it."
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Events of the log: a condition in SQL with its values, and what the bundle says of them."""

    subject: dict[str, object]
    condition: LiteralString
    values: tuple[object, ...]

    def positions(self, conn: Connection, after: int, limit: int) -> list[int]:
        """The next positions behind one, at most `limit`, in order."""
        query = _NEXT_POSITIONS.format(self.condition)
        rows = conn.execute(query, (*self.values, after, limit), binary=True)
        return [position for (position,) in rows]


def of_person(conn: Connection, tree: Tree, employee_id: str) -> Selection:
    """The whole streams of a person's enrollments, up to the end of the tree.

    Raises `TrailIsBehind`, `NothingSelected` where the tree is empty.
    """
    subject = {"employee_id": employee_id, "whole_streams": True}
    return Selection(subject, _OF_PERSON, (employee_id, _end(conn, tree)))


def of_program(conn: Connection, tree: Tree, program_id: UUID) -> Selection:
    """The whole streams of a program and of all enrollments in it, up to the end of the tree.

    Raises `TrailIsBehind`, `NothingSelected` where the tree is empty.
    """
    subject = {"program_id": program_id, "whole_streams": True}
    return Selection(subject, _OF_PROGRAM, (program_id, _end(conn, tree)))


def of_period(
    conn: Connection, tree: Tree, recorded_from: datetime, recorded_before: datetime
) -> Selection:
    """All events of the log from the first to the last that was recorded in the period.

    Raises `TrailIsBehind`, `NothingSelected`.
    """
    end = _end(conn, tree)
    row = conn.execute(_BOUNDS, (recorded_from, recorded_before, end)).fetchone()
    if row is None or row[0] is None:
        raise NothingSelected
    first, last = row
    subject = {
        "recorded_from": recorded_from,
        "recorded_before": recorded_before,
        "first_leaf": tree.index_of(first),
        "last_leaf": tree.index_of(last),
    }
    return Selection(subject, "position between %s and %s", (first, last))


def _end(conn: Connection, tree: Tree) -> int:
    """The position of the last event in the tree, which the trail must have taken in."""
    if tree.size == 0:
        raise NothingSelected
    end = tree.position_of(tree.size - 1)
    reached = progress.read(conn)[AUDIT_TRAIL.name].position
    if reached < end:
        raise TrailIsBehind(reached, end)
    return end
