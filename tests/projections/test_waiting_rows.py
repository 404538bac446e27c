"""Whose turn is when, by the program's own order."""

from __future__ import annotations

from domain.enrollment import Enrollment
from projections.waiting_list import WAITING_LIST
from tests.domain.facts import PROGRAM_ID, left_waitlist, promoted, waitlisted
from tests.domain.scenario import Fact
from tests.projections.rows import events_of, rows_after


def waiting(*facts: Fact) -> dict[str, int]:
    """Turns by employee."""
    rows = rows_after(WAITING_LIST, events_of(PROGRAM_ID, *facts))
    assert {Enrollment.id_of(PROGRAM_ID, row.employee_id) for row in rows.values()} == set(rows)
    return {row.employee_id: row.turn for row in rows.values()}


def test_one_waits_from_coming_onto_the_list_until_leaving_it() -> None:
    assert waiting(waitlisted("ann"), waitlisted("bob"), waitlisted("cyd")) == {
        "ann": 1,
        "bob": 2,
        "cyd": 3,
    }
    assert waiting(waitlisted("ann"), waitlisted("bob"), promoted("ann")) == {"bob": 2}
    assert waiting(waitlisted("ann"), left_waitlist("ann")) == {}


def test_who_comes_again_is_the_last() -> None:
    assert waiting(
        waitlisted("ann"), waitlisted("bob"), left_waitlist("ann"), waitlisted("ann")
    ) == {
        "bob": 2,
        "ann": 4,
    }
