"""Events that take effect before others, followed over the stays of a key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from projections.fold import Entry
from projections.history import History
from projections.timeline import Stay, turn

Place = tuple[datetime, datetime]
"""Which of a key's stays: where it begins to be known, and to hold."""

Change = tuple[Stay | None, Stay]
"""A stay that is new or ends otherwise, with what it was before."""


class Path:
    """The stays of one key, followed through a batch: as they were, and as they are.

    Attributes:
        timeline: the stays that are not known differently by now.
        applied: how many events could be applied.
        error: what ended it before the last event.
    """

    def __init__(self, table: History, stays: Sequence[Stay]) -> None:
        self._table = table
        self._before = {_place(stay): stay for stay in stays}
        self._retired = {_place(stay): stay for stay in stays if stay.is_retired}
        self.timeline = [stay for stay in stays if not stay.is_retired]
        self.applied = 0
        self.error: Exception | None = None

    def follow(self, entries: Sequence[Entry]) -> None:
        """Apply the events that can be."""
        try:
            for _, event in entries:
                self._apply(event)
                self.applied += 1
        except Exception as error:  # noqa: BLE001  # whatever it is, the other rows go on
            self.error = error

    def _apply(self, event: Any) -> None:
        turned = turn(self.timeline, event, self._table.evolve)
        self.timeline = turned.timeline
        self._retired |= {_place(stay): stay for stay in turned.retired}

    def changes(self) -> list[Change]:
        """Return what is other than before."""
        now = self._retired | {_place(stay): stay for stay in self.timeline}
        pairs = [(self._before.get(place), stay) for place, stay in now.items()]
        return [(was, stay) for was, stay in pairs if was is not stay]


def _place(stay: Stay) -> Place:
    return stay.bounds.known_from, stay.bounds.effective_from
