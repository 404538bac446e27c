"""What was folded last, so that the next batch need not ask the database for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from projections.fold import Key

FEWEST_REMEMBERED = 20_000


class Remembered:
    """The rows that were folded last, by key: as many as are set at least, twice as many at most.

    Those of the last batch, which may not be written, are among them.

    Attributes:
        unwritten: those of the last batch; None for rows that are gone.
    """

    def __init__(self) -> None:
        self.unwritten: Mapping[Key, Any] = {}
        self._new: dict[Key, Any] = {}
        self._old: dict[Key, Any] = {}

    def of(self, keys: Collection[Key]) -> dict[Key, Any]:
        """Return what is remembered of these keys; None for rows that are gone."""
        found, new, old = {}, self._new, self._old
        for key in keys:
            if key in new:
                found[key] = new[key]
            elif key in old:
                found[key] = old[key]
        return found

    def keep(self, rows: Mapping[Key, Any]) -> None:
        """Take in the rows of the next batch, and let go of those that changed long ago."""
        if len(self._new) > FEWEST_REMEMBERED:
            self._old, self._new = self._new, {}
        self._new.update(rows)
        self.unwritten = rows
