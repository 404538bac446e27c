"""Whether what was shown once is what would be shown now."""

from __future__ import annotations

from dataclasses import replace

from psycopg_pool import PoolTimeout

from api.kept_answers import KeptAnswer
from api.services import Services
from api.shown import Shown
from projections.sight import State

PATIENCE_SECONDS = 0.1
"""How long it waits for a connection to see what has happened since."""


def as_it_is_now(kept: KeptAnswer, services: Services, position: int) -> KeptAnswer | None:
    """Return what was kept with the state that it shows now, None where it may be another.

    None, too, where that is not at `position` yet. Raises what `borrowed` raises.
    """
    shown = kept.shown
    state = services.sight.state(services.pool, shown.tables, position)
    if shown.tables and (state.position or 0) < position:
        return None
    if state == shown.state:
        return kept
    if not _shows_the_same(shown, state, services):
        return None
    return replace(kept, shown=replace(shown, state=state))


def _shows_the_same(shown: Shown, state: State, services: Services) -> bool:
    """Return whether nothing has happened since that concerns what is shown."""
    before = shown.state
    if not shown.topics or not state.differs_by_events_alone(before):
        return False
    try:
        return not services.recent.are_about(
            services.pool,
            shown.topics,
            after=before.position or 0,
            until=state.latest or 0,
            patience_seconds=PATIENCE_SECONDS,
        )
    except PoolTimeout:
        # It is not known in time; to ask anew waits longer for a connection.
        return False
