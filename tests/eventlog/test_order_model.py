"""The order of the log, proven for three writers and one reader in every interleaving."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement

import pytest

from eventlog.order import Observation
from tests.eventlog.order_model import (
    COMMITS,
    DRAWS_BEFORE_LOCKING,
    INSERTS_TWICE,
    PREPARES,
    ROLLS_BACK,
    UNLOCKS_BEFORE_COMMIT,
    MissedError,
    World,
    behind,
    deliver,
    explore,
    look_at_next_lock,
    read_carefully,
    read_naively,
)

Script = tuple[str, ...]

PAIRS = [(COMMITS, COMMITS), (COMMITS, ROLLS_BACK), (ROLLS_BACK, ROLLS_BACK), (INSERTS_TWICE,)]


@pytest.mark.parametrize(
    "scripts", list(combinations_with_replacement((COMMITS, ROLLS_BACK, PREPARES), 3))
)
def test_no_interleaving_of_three_writers_makes_the_reader_miss_anything(
    scripts: tuple[Script, ...],
) -> None:
    explore(scripts, read_carefully(limit=10))


@pytest.mark.parametrize("others", PAIRS)
def test_nor_does_a_transaction_that_inserts_more_than_once(others: tuple[Script, ...]) -> None:
    explore((INSERTS_TWICE, *others), read_carefully(limit=10))


@pytest.mark.parametrize("others", PAIRS)
def test_nor_does_it_matter_how_many_events_the_reader_takes_at_once(
    others: tuple[Script, ...],
) -> None:
    explore((COMMITS, *others), read_carefully(limit=1))


def test_a_naive_reader_misses_events() -> None:
    with pytest.raises(MissedError):
        explore((COMMITS, COMMITS), read_naively)


# The model would notice if one of the rules that the proof rests on were broken.


@pytest.mark.parametrize("script", [DRAWS_BEFORE_LOCKING, UNLOCKS_BEFORE_COMMIT])
def test_writers_that_do_not_hold_the_lock_for_as_long_as_they_must(script: Script) -> None:
    with pytest.raises(MissedError):
        explore((script, COMMITS), read_carefully(limit=10))


def test_a_reader_that_does_not_recognise_prepared_transactions() -> None:
    with pytest.raises(MissedError):
        explore((PREPARES, COMMITS), read_carefully(limit=10, prepared="prepared/"))


def test_a_reader_that_looks_at_the_locks_before_it_sees_the_gap() -> None:
    with pytest.raises(MissedError):
        explore((COMMITS, COMMITS), looking_before_the_select)


def test_a_reader_that_takes_the_maximum_after_the_locks() -> None:
    with pytest.raises(MissedError):
        explore((COMMITS, COMMITS, COMMITS), taking_the_maximum_last, first_number=2)


def looking_before_the_select(world: World) -> World:
    reader = world.reader
    if reader.step == "locks":
        return replace(world, reader=look_at_next_lock(world))
    seen = behind(world)
    if reader.order.settled(seen) < len(seen):
        observed = Observation(seen[-1], reader.holders)
        world = replace(world, reader=replace(reader, order=reader.order.looked(observed)))
    world = deliver(world, seen)
    return replace(world, reader=replace(world.reader, step="locks", holders=frozenset()))


def taking_the_maximum_last(world: World) -> World:
    reader = world.reader
    if reader.step == "decide":
        highest = max(world.visible, default=0)
        world = replace(world, reader=replace(reader, highest=highest))
    return read_carefully(limit=10)(world)
