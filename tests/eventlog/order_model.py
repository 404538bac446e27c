"""Every way in which writers and a reader of the log can interleave, step by step.

The database is reduced to what the order depends on: who holds the writers' lock, which numbers
were drawn, and which events can be seen. The reader's decisions are those of ``eventlog.order``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from eventlog.order import PREPARED, Observation, Order

# What one transaction does, in order. An autocommitted INSERT takes the same steps.
COMMITS = ("lock", "draw", "commit", "unlock")
ROLLS_BACK = ("lock", "draw", "roll back", "unlock")
INSERTS_TWICE = ("lock", "draw", "draw", "commit", "unlock")
PREPARES = ("lock", "draw", "prepare", "commit", "unlock")

# What PostgreSQL does not do, and what the order would not survive.
DRAWS_BEFORE_LOCKING = ("draw", "lock", "commit", "unlock")
UNLOCKS_BEFORE_COMMIT = ("lock", "draw", "unlock", "commit")


@dataclass(frozen=True)
class Writer:
    script: tuple[str, ...]
    step: int = 0
    drawn: tuple[int, ...] = ()

    @property
    def done(self) -> bool:
        return self.step == len(self.script)

    @property
    def past(self) -> tuple[str, ...]:
        return self.script[: self.step]

    @property
    def holds_lock(self) -> bool:
        return "lock" in self.past and "unlock" not in self.past


@dataclass(frozen=True)
class Reader:
    """``step`` is what it does next; the rest is what its last look has shown so far."""

    order: Order
    step: str = "select"
    highest: int = 0
    looked_at: int = 0
    holders: frozenset[str] = frozenset()


@dataclass(frozen=True)
class World:
    writers: tuple[Writer, ...]
    reader: Reader
    next_number: int = 1
    visible: tuple[int, ...] = ()
    delivered: tuple[int, ...] = ()


ReaderStep = Callable[[World], World]


class MissedError(Exception):
    """An event became visible that the reader had passed, or it never got what it should."""


def write(world: World, index: int) -> World:
    """One step of one writer."""
    writer = world.writers[index]
    match writer.script[writer.step]:
        case "draw":
            writer = replace(writer, drawn=(*writer.drawn, world.next_number))
            world = replace(world, next_number=world.next_number + 1)
        case "commit":
            world = replace(world, visible=tuple(sorted(world.visible + writer.drawn)))
            passed = [n for n in writer.drawn if n <= world.reader.order.position]
            if passed:
                raise MissedError(passed)
    writer = replace(writer, step=writer.step + 1)
    others = world.writers
    return replace(world, writers=(*others[:index], writer, *others[index + 1 :]))


def read_carefully(limit: int, *, prepared: str = PREPARED) -> ReaderStep:
    """The reader of ``eventlog.reader``, one look at the database at a time.

    ``prepared`` is how the database's names of prepared transactions begin.
    """

    def step(world: World) -> World:
        reader = world.reader
        match reader.step:
            case "select":
                return deliver(world, behind(world)[:limit])
            case "snapshot":
                highest = max(world.visible, default=0)
                reader = replace(reader, step="locks", highest=highest)
            case "locks":
                reader = look_at_next_lock(world, prepared)
            case _:
                order = reader.order.looked(Observation(reader.highest, reader.holders))
                reader = Reader(order)
        return replace(world, reader=reader)

    return step


def behind(world: World) -> tuple[int, ...]:
    return tuple(n for n in world.visible if n > world.reader.order.position)


def deliver(world: World, seen: tuple[int, ...]) -> World:
    reader = world.reader
    count = reader.order.settled(seen)
    order = reader.order.delivered(seen[count - 1]) if count else reader.order
    # It looks at the writers when it has met a gap, and before each select until that is closed.
    looks = count < len(seen) or order.gap is not None
    reader = replace(reader, order=order, step="snapshot" if looks else "select")
    return replace(world, reader=reader, delivered=world.delivered + seen[:count])


def look_at_next_lock(world: World, prepared: str = PREPARED) -> Reader:
    """One after the other, for PostgreSQL does not look at all locks at one moment either."""
    reader, index = world.reader, world.reader.looked_at
    writer = world.writers[index]
    name = f"{prepared}{index}" if "prepare" in writer.past else f"{index}/1"
    holders = reader.holders | ({name} if writer.holds_lock else set())
    last = index + 1 == len(world.writers)
    step = "decide" if last else "locks"
    return replace(reader, holders=holders, looked_at=0 if last else index + 1, step=step)


def read_naively(world: World) -> World:
    """Takes whatever is there behind its position."""
    seen = behind(world)
    if not seen:
        return world
    order = world.reader.order.delivered(seen[-1])
    return replace(
        world, reader=replace(world.reader, order=order), delivered=world.delivered + seen
    )


def explore(
    scripts: tuple[tuple[str, ...], ...], read: ReaderStep, *, first_number: int = 1
) -> None:
    """Visits every state that any interleaving of these transactions and the reader leads to.

    Numbers below ``first_number`` were drawn by transactions that have been rolled back.
    Raises MissedError when the reader can miss an event, or deliver one twice or out of order.
    """
    reader = Reader(Order(position=0, settled_to=0))
    start = World(tuple(map(Writer, scripts)), reader, first_number)
    known, open_ = {start}, [start]
    while open_:
        world = open_.pop()
        if all(writer.done for writer in world.writers):
            check_end(world, read)
        for following in steps_from(world, read):
            if following not in known:
                known.add(following)
                open_.append(following)


def steps_from(world: World, read: ReaderStep) -> Iterator[World]:
    for index, writer in enumerate(world.writers):
        if not writer.done:
            yield write(world, index)
    yield read(world)
    # A reader that was killed starts again with nothing but its position.
    position = world.reader.order.position
    yield replace(world, reader=Reader(Order(position=position, settled_to=position)))


def check_end(world: World, read: ReaderStep) -> None:
    """When the writers are done, the reader gets the rest by itself, in order and each once."""
    looks = 4 * (len(world.writers) + 3) + 2 * len(world.visible)
    for _ in range(looks):
        world = read(world)
    if world.delivered != world.visible:
        raise MissedError(world.delivered, world.visible)
