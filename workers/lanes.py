"""Read tables that stand at different positions, each kept up without holding up the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from eventlog.codec import EventCodec
from eventlog.pool import Connection
from projections.batch import Lockstep, Stored
from projections.fold import Entry
from projections.lease import Lease
from projections.store import CLOSE_EVENTS, last_position
from workers.ahead import Ahead, Writer
from workers.feed import Feed
from workers.finishing import Finishing

_GLANCE_SECONDS = 0.001


class Lanes:
    """Tables at one position move in lockstep; those behind catch up beside and then join.

    A table that is new, or was taken back, begins in a lane of its own. Tables that are not
    finished, without summaries or indexes, get them when they are close to the end of the log:
    their lane stands still meanwhile, so it joins none of finished tables before.
    """

    def __init__(self, conninfo: str, codec: EventCodec, conn: Connection, lease: Lease) -> None:
        self._conninfo = conninfo
        self._codec = codec
        self._conn = conn
        self._lease = lease
        self._writer = Writer(conninfo)
        self._lanes: list[_Lane] = []
        self._finishings: list[Finishing] = []

    @property
    def busy(self) -> bool:
        """Whether there is any table to keep up."""
        return bool(self._lanes)

    @property
    def position(self) -> int:
        """The position that all of the tables have reached; 0 without any."""
        return min((lane.position for lane in self._lanes), default=0)

    def add(self, taken: Iterable[Stored], to_finish: Collection[str] = ()) -> None:
        """Keep these tables up, too; those `to_finish` lack summaries or indexes."""
        by_position: dict[int, list[Stored]] = {}
        for stored in taken:
            by_position.setdefault(stored.progress.position, []).append(stored)
        for position, stored_there in by_position.items():
            feed = Feed(self._conninfo, self._codec, position)
            unfinished = [one for one in stored_there if one.table.name in to_finish]
            self._lanes.append(_Lane(self._lockstep(stored_there), feed, unfinished))

    def work(self, timeout_seconds: float, up_to: int | None = None) -> bool:
        """Apply what is there, or comes within the time. Return whether there was anything.

        Events behind `up_to` are left out; with one given, the lanes are of no use beyond it.
        Raises `LeaseLost`, and errors of the database; begin anew then.
        """
        going = [lane for lane in self._lanes if not lane.is_held_up]
        if not going:
            if self._lanes:
                self._lanes[0].wait(timeout_seconds)
            return False
        patience_seconds = timeout_seconds if len(going) == 1 else _GLANCE_SECONDS
        unfinished = [lane for lane in going if lane.unfinished]
        finished = [lane for lane in going if not lane.unfinished]
        alike = [lanes for lanes in (finished, unfinished) if lanes]
        moved = [self._advance(lanes, patience_seconds, up_to) for lanes in alike]
        return any(moved)

    def keep(self) -> None:
        """Keep the lease on all of the tables, as every batch does on its own.

        Raises `LeaseLost`, and errors of the database.
        """
        self._finishings = [one for one in self._finishings if not one.is_done]
        if [lane.is_writing for lane in self._lanes] != [True]:
            for lane in self._lanes:
                lane.settle(self._conn)
            self._lease.renew(self._conn)

    def close(self) -> None:
        """Stop reading, and wait for what is being written."""
        self._writer.close()
        for finishing in self._finishings:
            finishing.close()
        for lane in self._lanes:
            lane.close()

    def _lockstep(self, stored: Sequence[Stored]) -> Ahead:
        return Ahead(Lockstep(self._lease, stored), self._writer, self._codec)

    def _advance(self, lanes: Sequence[_Lane], timeout_seconds: float, up_to: int | None) -> bool:
        """Work on lanes of which all are finished, or none. Return whether the first moved on."""
        front, *behind = sorted(lanes, key=lambda lane: lane.reached, reverse=True)
        for lane in behind:
            self._catch_up(lane, front, up_to)
        if front.unfinished and last_position(self._conn) - front.reached <= CLOSE_EVENTS:
            front.settle(self._conn)
            self._finishings.append(front.finish(self._conninfo, self._lease))
            return False
        entries = front.feed.take(self._conn, 0 if behind or front.is_writing else timeout_seconds)
        return front.apply(self._conn, _up_to(up_to, entries))

    def _catch_up(self, lane: _Lane, front: _Lane, up_to: int | None) -> None:
        goal = front.reached
        entries = lane.feed.take(self._conn, _GLANCE_SECONDS)
        lane.apply(self._conn, _up_to(up_to, _up_to(goal, entries)))
        if lane.reached == goal:
            for one in (front, lane):
                one.settle(self._conn)
            lane.close()
            self._lanes.remove(lane)
            front.tables = self._lockstep((*front.stored, *lane.stored))
            front.unfinished = (*front.unfinished, *lane.unfinished)


def _up_to(position: int | None, entries: list[Entry]) -> list[Entry]:
    if position is None or not entries or entries[-1][0] <= position:
        return entries
    return [entry for entry in entries if entry[0] <= position]


class _Lane:
    def __init__(self, tables: Ahead, feed: Feed, unfinished: Sequence[Stored]) -> None:
        self.tables = tables
        self.feed = feed
        self.unfinished = unfinished
        self._finishing: Finishing | None = None

    @property
    def position(self) -> int:
        return self.tables.lockstep.position

    @property
    def reached(self) -> int:
        return self.tables.lockstep.reached

    @property
    def stored(self) -> tuple[Stored, ...]:
        return self.tables.lockstep.stored

    @property
    def is_writing(self) -> bool:
        return self.tables.is_writing

    @property
    def is_held_up(self) -> bool:
        """Whether nothing may be written while its tables are finished."""
        if self._finishing is not None and not self._finishing.holds_up:
            for one in self.unfinished:
                one.note_filled()
            self._finishing, self.unfinished = None, ()
        return self._finishing is not None

    def wait(self, timeout_seconds: float) -> None:
        """Wait for what holds it up, no longer than this."""
        if self._finishing is not None:
            self._finishing.wait(timeout_seconds)

    def finish(self, conninfo: str, lease: Lease) -> Finishing:
        self._finishing = Finishing(conninfo, lease, self.unfinished)
        return self._finishing

    def close(self) -> None:
        self.feed.close()

    def apply(self, conn: Connection, entries: Sequence[Entry]) -> bool:
        if entries:
            self.tables.apply(conn, entries)
        else:
            self.settle(conn)
        return bool(entries)

    def settle(self, conn: Connection) -> None:
        self.tables.settle(conn)
