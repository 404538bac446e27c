"""Random but lawful histories whose events took effect before they were recorded, or did not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from msgspec.structs import replace

from domain.aggregate import Event
from domain.errors import DomainError
from domain.program_details import Certification, ProgramDetails
from domain.training_program import TrainingProgram
from projections.as_of import Moment
from projections.program_listing import PLACES, PROGRAM_LISTING, ProgramRow
from projections.table import ReadTable
from tests.projections.histories import ACT, history, steps
from tests.projections.rows import rows_after

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITED_ID = UUID(int=8)

program_steps = st.lists(
    st.tuples(
        st.sampled_from(("admit", "release", "revise", "publish", "close", "archive", "restore")),
        st.integers(0, 5),
    ),
    max_size=25,
)

# How many hours after the event before it each is recorded, and how late that is. A few hours late
# it often took effect together with one before.
delays = st.lists(
    st.tuples(st.integers(0, 3), st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 60))),
    min_size=120,
    max_size=120,
)


def limited_program(given: Iterable[tuple[str, int]]) -> list[Event]:
    """The events of a program with two places, or as many as it was revised to."""
    program = TrainingProgram.blank(LIMITED_ID)
    program.create(_details(2), ACT)
    program.publish(ACT)
    for step, number in given:
        with suppress(DomainError):
            _take(program, step, number)
    return [event for event in program.collect_events() if isinstance(event, Event)]


def _take(program: TrainingProgram, step: str, number: int) -> None:
    match step:
        case "admit":
            # Who waits is in a cycle already, and does not come this far.
            if f"e{number}" not in program.waiting:
                program.admit(f"e{number}", BEGIN.date(), ACT)
        case "release":
            program.release(f"e{number}", ACT)
        case "revise":
            program.revise(_details(number or None), ACT, frozenset(program.seats))
        case _:
            getattr(program, step)(ACT)


def _details(capacity: int | None) -> ProgramDetails:
    return ProgramDetails(
        code="L",
        title=f"For {capacity}",
        capacity=capacity,
        tags=("limited",),
        certification=Certification(offered=True),
    )


def told_late(events: Sequence[Event], lateness: Sequence[tuple[int, int]]) -> list[Event]:
    """The same events, recorded one after the other and each as late as is said."""
    recorded = accumulate((hours for hours, _ in lateness), initial=0)
    return [
        type(event)(
            **vars(event)
            | {
                "timestamp": BEGIN + after * HOUR,
                "effective_at": BEGIN + (after - late) * HOUR,
            }
        )
        for event, after, (_, late) in zip(events, recorded, lateness, strict=False)
    ]


@st.composite
def late_histories(draw: st.DrawFn) -> list[Event]:
    """The events of two programs and three employees, in the order in which they were recorded."""
    ours, theirs = history(draw(steps)), limited_program(draw(program_steps))
    return told_late([*ours[:70], *theirs[:50]], draw(delays))


# Of a few, so that the same person comes and goes.
comings_and_goings = st.lists(
    st.tuples(st.sampled_from(("admit", "release", "revise")), st.integers(0, 3)), max_size=25
)


@st.composite
def late_places(draw: st.DrawFn) -> list[Event]:
    """The events of a limited program that was published before anybody came or went."""
    first = [(0, 60), (0, 60)]
    return told_late(limited_program(draw(comings_and_goings)), [*first, *draw(delays)])


def moments(events: Sequence[Event]) -> list[Moment]:
    """All pairs of times at which anything changes, and those just before."""
    effective = {event.effective_at for event in events}
    recorded = {event.timestamp for event in events}
    return [Moment(as_of, known) for as_of in effective for known in recorded]


def by_hand(table: ReadTable[Any], events: Iterable[Event], moment: Moment) -> dict[Any, Any]:
    """The rows that the definition asks for: a fold in order of what counts at the moment."""
    counted = [
        e for e in events if e.effective_at <= moment.as_of and e.timestamp <= moment.known_at
    ]
    rows = rows_after(table, counted)
    if table is PROGRAM_LISTING:
        return {key: with_places(row, counted) for key, row in rows.items()}
    return rows


def with_places(row: ProgramRow, counted: Iterable[Any]) -> ProgramRow:
    """The program with its seats and waiting list as the last event of each person has them."""
    last = {
        event.employee_id: type(event)
        for event in counted
        if type(event) in PLACES and event.originator_id == row.id
    }
    gave_seat = (TrainingProgram.SeatTaken, TrainingProgram.EmployeePromoted)
    seats_taken = sum(kind in gave_seat for kind in last.values())
    waiting = sum(kind is TrainingProgram.EmployeeWaitlisted for kind in last.values())
    return replace(row, seats_taken=seats_taken, waiting=waiting)
