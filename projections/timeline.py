"""What a row was at every effective time, as it was known at every recorded time.

A stay is a row as it was for a while, with the part of the two times in which that
holds. The stays of one key do not overlap: at any pair of an effective and a
recorded time there is one at most. An event in order opens one stay, and ends the
one before it from the event's own two times on. A backdated event cuts into the
stays behind its effective time: each is known differently from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

EVER = datetime.min.replace(tzinfo=UTC)
"""Stands for a beginning that is before all others."""
NEVER = datetime.max.replace(tzinfo=UTC)
"""Stands for an end that is not known: so far there is none."""

Evolve = Callable[[Any, Any], Any]


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """Where in the two times a row holds: the columns that tell it.

    Attributes:
        effective_from: from this effective time on,
        known_from: as known from this recorded time on,
        effective_until: up to before this effective time,
        end_known_from: which is known from this recorded time on; before, no end was known.
        known_until: up to before this recorded time it was known so, at all effective times.
    """

    effective_from: datetime
    known_from: datetime
    effective_until: datetime = NEVER
    end_known_from: datetime = NEVER
    known_until: datetime = NEVER

    @property
    def is_last(self) -> bool:
        """Whether no end is known."""
        return self.effective_until == NEVER

    def ended(self, at: datetime, known: datetime) -> Bounds:
        """Return them with an end at the effective time `at`, as known from `known` on."""
        return Bounds(self.effective_from, self.known_from, at, known, self.known_until)

    def retired(self, known: datetime) -> Bounds:
        """Return them as not known so any more from `known` on."""
        return replace(self, known_until=known)


class Stay(msgspec.Struct, frozen=True, gc=False):
    """A row, and where in the two times it holds."""

    row: Any
    bounds: Bounds

    @property
    def is_last(self) -> bool:
        """Whether nothing is known to have come after it."""
        return self.bounds.is_last

    @property
    def is_retired(self) -> bool:
        """Whether it is known differently by now."""
        return self.bounds.known_until != NEVER


@dataclass(frozen=True, slots=True)
class Turn:
    """What one event does to the stays of a key.

    Attributes:
        timeline: the stays as they are known after it, in order of effective time.
        retired: the stays that are known differently from then on.
    """

    timeline: list[Stay]
    retired: list[Stay]


def turn(timeline: Sequence[Stay], event: Any, evolve: Evolve) -> Turn:
    """Return what `event` does to the stays that are known so far.

    Those that end at or before the event's effective time may be left out.
    """
    at: datetime = event.effective_at
    known = max([event.timestamp, *(stay.bounds.known_from for stay in timeline)])
    after: list[Stay] = []
    retired: list[Stay] = []
    for begin, until, stay in _covering(timeline, at):
        row = None if stay is None else stay.row
        evolved = evolve(row, event) if until > at else row
        if stay is not None and evolved is row:
            after.append(stay)
            continue
        if stay is not None:
            _part(stay, at, known, after, retired)
        if evolved is not None:
            end_known = NEVER if until == NEVER else known
            after.append(Stay(evolved, Bounds(max(begin, at), known, until, end_known)))
    return Turn(after, retired)


def _part(
    stay: Stay, at: datetime, known: datetime, after: list[Stay], retired: list[Stay]
) -> None:
    """Take from `stay` what lies at or behind the effective time `at`, as known from `known`."""
    bounds = stay.bounds
    if bounds.effective_from < at and stay.is_last:
        after.append(Stay(stay.row, bounds.ended(at, known)))
        return
    retired.append(Stay(stay.row, bounds.retired(known)))
    if bounds.effective_from < at:
        after.append(Stay(stay.row, Bounds(bounds.effective_from, known, at, known)))


def _covering(
    timeline: Iterable[Stay], at: datetime
) -> Iterator[tuple[datetime, datetime, Stay | None]]:
    """Yield each stay with its effective times, and the gaps from `at` on, in order."""
    reached = at
    for stay in timeline:
        begin, until = stay.bounds.effective_from, stay.bounds.effective_until
        if begin > reached:
            yield reached, begin, None
        yield begin, until, stay
        reached = max(reached, until)
    if reached < NEVER:
        yield reached, NEVER, None
