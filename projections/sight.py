"""What a process that answers queries has seen of the read tables, for a few milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from math import inf
from threading import Lock
from time import monotonic, sleep
from typing import NamedTuple

from eventlog.fetching import Row, fetch
from eventlog.pool import Pool, borrowed
from projections.names import LIVE, TODAY

SIGHT_SECONDS = 0.005

# Parked events that are applied after all change rows, and no position.
_LOOK = f"""
SELECT {TODAY}, parked.count, directory.changes,
       progress.table_name, progress.position, progress.built, progress.filled
FROM (SELECT count(*) FROM {LIVE}.parked) AS parked,
     (SELECT sum(changes)::bigint AS changes FROM rollbook.employee_counts) AS directory
LEFT JOIN {LIVE}.progress ON true
"""  # noqa: S608  # a constant


class State(NamedTuple):
    """What decides what reads of some tables show: when it is the same, so are they.

    Attributes:
        day: what day it is by the clock of the database, in UTC.
        position: that all of them have reached; None without tables.
        reached: what each has reached, as a sum: one may be ahead of another, or stand still.
        latest: that any of them has reached; None without tables.
        built: when each was begun, or put in the place of another, as a sum.
        filled: whether none of them is still filled for the first time.
        parked: how many events are parked, of any table.
        directory: how often the directory of employees was changed.
    """

    day: date
    position: int | None
    reached: int | None
    latest: int | None
    built: int | None
    filled: bool
    parked: int
    directory: int | None

    def differs_by_events_alone(self, other: State) -> bool:
        """Return whether nothing lies between two states but events that were applied in order."""
        return (self.day, self.built, self.parked, self.directory) == (
            other.day,
            other.built,
            other.parked,
            other.directory,
        )


@dataclass(frozen=True, slots=True)
class _Look:
    began: float
    rows: Sequence[Row]
    states: dict[Sequence[str], State] = field(default_factory=dict)

    def state(self, tables: Sequence[str]) -> State:
        state = self.states.get(tables)
        if state is None:
            found = [
                (position, built, filled)
                for *_, name, position, built, filled in self.rows
                if name in tables
            ]
            positions, builds, fillings = zip(*found, strict=True) if found else ((), (), ())
            day, parked, directory, *_ = self.rows[0]
            state = self.states[tables] = State(
                day=day,
                position=min(positions, default=None),
                reached=sum(positions) if found else None,
                latest=max(positions, default=None),
                built=sum(builds) if found else None,
                filled=all(fillings),
                parked=parked,
                directory=directory,
            )
        return state


class Sight:
    """The state of the tables as this process saw it last.

    It is relied on for `SIGHT_SECONDS`, so a read may show what was there so long before it was
    asked. Who waits for a position is shown that, and who writes what has none waits with the
    answer (`outlive`), so that everybody sees their own writes, whichever process they ask.
    """

    def __init__(self) -> None:
        self._last = _Look(-inf, ())
        self._lock = Lock()

    def state(
        self,
        pool: Pool,
        tables: tuple[str, ...],
        position: int = 0,
        patience_seconds: float | None = None,
    ) -> State:
        """Return the state of `tables`, which have reached `position`.

        Where it must be looked at, it waits so long for a connection, or as the pool does. Raises
        what `borrowed` raises.
        """
        last = self._last
        if monotonic() - last.began < SIGHT_SECONDS:
            state = last.state(tables)
            if (state.position or 0) >= position:
                return state
        with borrowed(pool, patience_seconds) as conn:
            look = _Look(monotonic(), fetch(conn, _LOOK))
        with self._lock:
            if look.began > self._last.began:
                self._last = look
        return look.state(tables)

    @staticmethod
    def outlive() -> None:
        """Wait until no process relies on what it saw before."""
        sleep(SIGHT_SECONDS)
