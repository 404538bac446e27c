"""What was folded last, so that the next batch need not ask the database for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from projections.fold import Key

FEWEST_REMEMBERED = 10_000

UNKNOWN = object()
"""Stands for a row that nothing is known of."""


class Remembered:
    """The rows that were folded last, by key: as many as are set at least, twice as many at most.

    Those of the last batch, which may not be written, are among them; where they are more, there
    are no others.

    Attributes:
        unwritten: those of the last batch; None for rows that are gone.
    """

    def __init__(self) -> None:
        self.unwritten: Mapping[Key, Any] = {}
        self._new: dict[Key, Any] = {}
        self._old: dict[Key, Any] = {}

    def of(self, keys: Collection[Key]) -> list[Any]:
        """Return what is remembered of each key: None for a row that is gone, or `UNKNOWN`."""
        new, old = self._new.get, self._old.get
        return [old(key, UNKNOWN) if (row := new(key, UNKNOWN)) is UNKNOWN else row for key in keys]

    def keep(self, rows: Mapping[Key, Any]) -> None:
        """Take in the rows of the next batch, and let go of those that changed long ago."""
        if len(rows) > FEWEST_REMEMBERED:
            self._old, self._new = {}, {}
        elif len(self._new) > FEWEST_REMEMBERED:
            self._old, self._new = self._new, {}
        self._new.update(rows)
        self.unwritten = rows
