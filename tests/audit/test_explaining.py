"""Whatever happened: the events that explain a row make that row, and no others were needed."""

from __future__ import annotations

from typing import Any

import pytest
from eventsourcing.persistence import Notification
from hypothesis import given

from audit.changes import BOOKKEEPING, RESOURCES, Fold
from audit.explaining import explained
from audit.history import Step
from domain.aggregate import Event
from tests.projections.histories import history, steps
from tests.projections.rows import rows_after


def told(events: list[Event]) -> list[Step]:
    """The events with what they changed, in the order of a log."""
    fold = Fold()
    return [
        Step(_stored(event, position), event, fold.apply(event))
        for position, event in enumerate(events, start=1)
    ]


def _stored(event: Any, position: int) -> Notification:
    return Notification(event.originator_id, event.originator_version, event.TOPIC, b"", position)


@pytest.mark.parametrize("resource", RESOURCES)
@given(given_steps=steps)
def test_the_events_that_explain_a_row_reproduce_it(
    resource: str, given_steps: list[tuple[str, str, int]]
) -> None:
    events = history(given_steps)
    for key, row in rows_after(RESOURCES[resource], events).items():
        found = explained(told(events), resource, key)
        assert found is not None
        assert found.row == row


@pytest.mark.parametrize("resource", RESOURCES)
@given(given_steps=steps)
def test_every_field_has_the_value_that_the_event_behind_it_set(
    resource: str, given_steps: list[tuple[str, str, int]]
) -> None:
    events = history(given_steps)
    log = told(events)
    for key, row in rows_after(RESOURCES[resource], events).items():
        found = explained(log, resource, key)
        assert found is not None
        for name in {*row.__struct_fields__} - BOOKKEEPING:
            position = found.set_by.get(name)
            set_last = [
                change.after
                for change in (log[position - 1].changes if position else ())
                if (change.resource, change.key, change.field) == (resource, key, name)
            ]
            assert set_last in ([], [getattr(row, name)])
            assert bool(set_last) or getattr(row, name) is None


def test_no_row_is_explained_where_nothing_happened() -> None:
    assert explained([], "program", "nothing") is None
