"""The events of a bundle page by page, so that no connection is kept while a page is sent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from audit.selection import NothingSelected, Selection
from eventlog.pool import Connection
from proof.bundle import Proven, proven
from proof.leaf import stored_leaves
from proof.tree import Tree

PAGE = 500

# To look for the events of a program anew for each page would take longer the more it has.
FOUND_AT_ONCE = 100_000


class _About(msgspec.Struct):
    employee_id: str | None = None


class Pages:
    """The selected events, proven to be among the first `size` of the tree.

    Attributes:
        has_more: whether there may be another page.
    """

    def __init__(self, selection: Selection, size: int) -> None:
        """Begin before the first page."""
        self._selection = selection
        self._size = size
        self._found: list[int] = []
        self._after = 0
        self._is_found_whole = False
        self.has_more = True

    def next(self, conn: Connection) -> list[Proven]:
        """Return the next page in order of position; only one behind the last can be empty.

        Raises `NothingSelected` instead of giving nothing at all, and `EventIsNotProven`.
        """
        if not self._found:
            self._found = self._selection.positions(conn, self._after, FOUND_AT_ONCE)
            self._is_found_whole = len(self._found) < FOUND_AT_ONCE
        if not self._found and self._after == 0:
            raise NothingSelected
        positions, self._found = self._found[:PAGE], self._found[PAGE:]
        self._after = positions[-1] if positions else self._after
        self.has_more = bool(self._found) or not self._is_found_whole
        # Taken whole, for the tree is asked over the connection on which the rows come.
        rows = list(stored_leaves(conn, "position = any(%s)", (positions,)))
        return list(proven(Tree(conn), self._size, rows)) if rows else []


def people_in(page: Sequence[Proven]) -> list[str]:
    """Return the employees whom the events are about, in order."""
    about = (msgspec.json.decode(one.event.state, type=_About).employee_id for one in page)
    return list(dict.fromkeys(employee for employee in about if employee is not None))
