"""Events that take effect before others, followed over the stays of a key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from projections.fold import Entry
from projections.history import History
from projections.table import Difference
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


def differences(table: History, changes: Iterable[Change]) -> list[Difference]:
    """Return what changed stays add to the summaries, less what they added before."""
    corners = _Corners()
    for was, stay in changes:
        corners.add(stay, 1)
        if was is not None:
            corners.add(was, -1)
    contributed = {
        number: tuple(summary.contribution(row) for summary in table.summaries)
        for number, row in corners.rows.items()
    }
    found: list[Difference] = []
    for place, signs in corners.signs.items():
        signed = [(contributed[number], sign) for number, sign in signs.items() if sign]
        # One row follows another here; with most events it adds up to the same.
        if len(signed) == 2 and signed[0] == (signed[1][0], -signed[1][1]):  # noqa: PLR2004
            continue
        for parts, sign in signed:
            for number, part in enumerate(parts):
                if part is not None:
                    key, amounts = part
                    found.append((number, (*key, *place), [sign * amount for amount in amounts]))
    return found


class _Corners:
    """Where sums over everything before a pair of times change, and by which rows.

    Attributes:
        rows: the rows by their numbers.
        signs: at each effective and recorded time, how often each row is added.
    """

    def __init__(self) -> None:
        self.rows: dict[int, Any] = {}
        self.signs: dict[tuple[datetime, datetime], dict[int, int]] = {}

    def add(self, stay: Stay, times: int) -> None:
        number = id(stay.row)
        self.rows[number] = stay.row
        for at, known, sign in stay.bounds.corners:
            signs = self.signs.setdefault((at, known), {})
            signs[number] = signs.get(number, 0) + sign * times


def _place(stay: Stay) -> Place:
    return stay.bounds.known_from, stay.bounds.effective_from
