"""Read tables that stand at different positions, each kept up without holding up the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from projections.batch import Lockstep, Stored
from projections.fold import Entry
from projections.lease import Lease
from workers.feed import Feed
from workers.tracing import batch_span

_GLANCE_SECONDS = 0.001


class Lanes:
    """Tables at one position move in lockstep; those behind catch up beside and then join.

    The front is the lane that is furthest. A table that is new, or was taken back,
    begins in a lane of its own.
    """

    def __init__(self, conninfo: str, codec: EventCodec, conn: Connection, lease: Lease) -> None:
        self._conninfo = conninfo
        self._codec = codec
        self._conn = conn
        self._lease = lease
        self._lanes: list[_Lane] = []

    @property
    def busy(self) -> bool:
        """Whether there is any table to keep up."""
        return bool(self._lanes)

    @property
    def position(self) -> int:
        """The position that all of the tables have reached; 0 without any."""
        return min((lane.lockstep.position for lane in self._lanes), default=0)

    def add(self, taken: Iterable[Stored]) -> None:
        """Keep these tables up, too."""
        by_position: dict[int, list[Stored]] = {}
        for stored in taken:
            by_position.setdefault(stored.progress.position, []).append(stored)
        for position, stored_there in by_position.items():
            feed = Feed(self._conninfo, self._codec, position)
            self._lanes.append(_Lane(Lockstep(self._lease, stored_there), feed))
        self._lanes.sort(key=lambda lane: lane.lockstep.position, reverse=True)

    def work(self, timeout_seconds: float, up_to: int | None = None) -> bool:
        """Apply what is there, or comes within the time. Return whether there was anything.

        Events behind `up_to` are left out; with one given, the lanes are of no use beyond it.
        Raises `LeaseLost`, and errors of the database; begin anew then.
        """
        if not self._lanes:
            return False
        front, *behind = self._lanes
        for lane in behind:
            self._catch_up(lane, front, up_to)
        entries = front.feed.take(0 if behind else timeout_seconds)
        return front.apply(self._conn, _up_to(up_to, entries))

    def close(self) -> None:
        """Stop reading."""
        for lane in self._lanes:
            lane.feed.close()

    def _catch_up(self, lane: _Lane, front: _Lane, up_to: int | None) -> None:
        goal = front.lockstep.position
        entries = lane.feed.take(_GLANCE_SECONDS)
        lane.apply(self._conn, _up_to(up_to, _up_to(goal, entries)))
        if lane.lockstep.position == goal:
            lane.feed.close()
            self._lanes.remove(lane)
            front.join(lane, self._lease)


def _up_to(position: int | None, entries: list[Entry]) -> list[Entry]:
    if position is None or not entries or entries[-1][0] <= position:
        return entries
    return [entry for entry in entries if entry[0] <= position]


class _Lane:
    def __init__(self, lockstep: Lockstep, feed: Feed) -> None:
        self.lockstep = lockstep
        self.feed = feed

    def apply(self, conn: Connection, entries: Sequence[Entry]) -> bool:
        if entries:
            with batch_span(entries, [one.table.name for one in self.lockstep.stored]):
                self.lockstep.apply(conn, entries)
        return bool(entries)

    def join(self, other: _Lane, lease: Lease) -> None:
        stored = (*self.lockstep.stored, *other.lockstep.stored)
        self.lockstep = Lockstep(lease, stored)
