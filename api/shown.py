"""What an answer shows, which decides how long it stays right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import g

from projections.recent_events import Topic
from projections.sight import State

POSITION = "Rollbook-Position"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a query's answer follows from, besides the words of the request and who asks.

    Attributes:
        tables: what was read.
        state: that of the tables.
        topics: the only ones whose events change it; none where any event may.
    """

    tables: tuple[str, ...]
    state: State
    topics: frozenset[Topic] = frozenset()


def shows_only(shown: Shown) -> None:
    """Say that the answer to the present request shows nothing but this."""
    g.shown = shown


def is_about(topics: Iterable[Topic]) -> None:
    """Say that events of other topics change nothing of what the answer shows."""
    shown = what_is_shown()
    if shown is not None:
        g.shown = Shown(shown.tables, shown.state, frozenset(topics))


def what_is_shown() -> Shown | None:
    """Return what the answer shows, None where that was not said."""
    shown: Shown | None = g.get("shown")
    return shown
