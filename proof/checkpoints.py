"""Checkpoints: made of the stored tree, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.rows import class_row

from eventlog.pool import Connection
from proof.notes import Signer
from proof.tree import Tree
from proof.verify_bundle import checkpoint_of

_COLUMNS = "number, size, key, note, made_at"
_PAGE = 1_000

_ADD: LiteralString = """
insert into rollbook.checkpoints (size, key, note) values (%s, %s, %s)
on conflict (size, key) do nothing
"""
_OF_SIZE: LiteralString = f"""
select {_COLUMNS} from rollbook.checkpoints where size = %s and key = %s
"""  # noqa: S608  # a constant
_LATEST: LiteralString = f"""
select {_COLUMNS} from rollbook.checkpoints order by number desc limit 1
"""  # noqa: S608  # a constant
_BEFORE: LiteralString = f"""
select {_COLUMNS} from rollbook.checkpoints
where number < %s order by number desc limit %s
"""  # noqa: S608  # a constant
_AFTER: LiteralString = f"""
select {_COLUMNS} from rollbook.checkpoints
where number > %s order by number limit %s
"""  # noqa: S608  # a constant


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as it was made: `size` events, the verifier key, and the signed note."""

    number: int
    size: int
    key: str
    note: str
    made_at: datetime

    @property
    def root(self) -> bytes:
        """The root of the tree over the events, as the note states it. Raises `Broken`."""
        return checkpoint_of(self.note.split("\n")).root


class TreeWasChanged(Exception):
    """The stored tree is not the one of an earlier checkpoint: nothing is signed any more.

    Attributes:
        size: how many events the earlier checkpoint was of.
    """

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The tree over the first {size} events is not the one that was signed."
            " Run `rollbook audit verify --live`."
        )
        self.size = size


def issue(conn: Connection, signer: Signer) -> StoredCheckpoint:
    """The checkpoint of all events that the tree holds now: made, or the one that is there.

    Raises `TreeWasChanged` when the tree does not go on from the latest checkpoint.
    """
    tree, before = Tree(conn), latest(conn)
    if before is not None and (before.size > tree.size or tree.root(before.size) != before.root):
        raise TreeWasChanged(before.size)
    note = signer.checkpoint(tree.size, tree.root(tree.size))
    conn.execute(_ADD, (tree.size, signer.verifier_key, note))
    (made,) = _listed(conn, _OF_SIZE, (tree.size, signer.verifier_key))
    return made


def latest(conn: Connection) -> StoredCheckpoint | None:
    """The newest checkpoint; None when there is none yet."""
    return next(iter(_listed(conn, _LATEST, ())), None)


def before(conn: Connection, number: int, limit: int) -> list[StoredCheckpoint]:
    """Those with lower numbers, the newest first, at most `limit`."""
    return _listed(conn, _BEFORE, (number, limit))


def after(conn: Connection, number: int, limit: int = _PAGE) -> list[StoredCheckpoint]:
    """Those with higher numbers, the oldest first, at most `limit`."""
    return _listed(conn, _AFTER, (number, limit))


def keys(conn: Connection) -> list[str]:
    """The verifier keys that any of them was signed for."""
    rows = conn.execute("select distinct key from rollbook.checkpoints order by key")
    return [key for (key,) in rows]


def every(conn: Connection) -> Iterator[StoredCheckpoint]:
    """All of them, the oldest first."""
    number = 0
    while page := after(conn, number):
        yield from page
        number = page[-1].number


def _listed(
    conn: Connection, statement: LiteralString, values: tuple[object, ...]
) -> list[StoredCheckpoint]:
    with conn.cursor(row_factory=class_row(StoredCheckpoint)) as cursor:
        return cursor.execute(statement, values).fetchall()
