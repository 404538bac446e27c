"""Decides which events are settled: no event with a lower position can appear any more.

Pure, so that tests/eventlog/test_order_model.py can try it against every interleaving of writers.
Why it is correct is written down in docs/log-order.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

PREPARED = "-1/"


@dataclass(frozen=True)
class Observation:
    """What the database showed at one moment.

    ``highest_position``: of the events that could be seen before the writers were looked at.
    ``writers``: the transactions that held the lock which every writer takes before it draws its
    first number, and keeps until its commit can be seen.
    """

    highest_position: int
    writers: frozenset[str]


@dataclass(frozen=True)
class Order:
    """How far a reader has come, and what it knows of the numbers that are missing.

    ``position``: of the last event that was delivered. ``settled_to``: up to here nothing new can
    appear. ``gap``: the missing numbers that are being waited for.
    """

    position: int
    settled_to: int
    gap: Observation | None = None

    def settled(self, positions: Sequence[int]) -> int:
        """How many of the events of one select, in order of position, are settled."""
        last = self.position
        for count, position in enumerate(positions):
            if position > self.settled_to and position != last + 1:
                return count
            last = position
        return len(positions)

    def delivered(self, position: int) -> Order:
        """After the settled events up to this position were handed out."""
        return replace(self, position=position)

    def looked(self, now: Observation) -> Order:
        """After a look at the writers.

        The first one must come after the select that showed the gap: whoever drew one of the
        missing numbers has held the lock since before that select. When all who held it then are
        gone, whatever they stored can be seen by the next select, and nobody else has a number
        below the highest position of then.
        """
        gap = now if self.gap is None else replace(self.gap, writers=_left(self.gap.writers, now))
        if gap.writers:
            return replace(self, gap=gap)
        return replace(self, gap=None, settled_to=gap.highest_position)


def _left(writers: frozenset[str], now: Observation) -> frozenset[str]:
    left = writers & now.writers
    if any(not writer.startswith(PREPARED) for writer in writers - now.writers):
        # PREPARE TRANSACTION carries a transaction on under another name, so one that is gone may
        # still be there as any of the prepared ones.
        left |= {writer for writer in now.writers if writer.startswith(PREPARED)}
    return left
