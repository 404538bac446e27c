"""What a leaf of the tree holds: the stored event, byte for byte.

An event is the number of its fields (2 bytes) and then each field behind its length (4 bytes):
position (8 bytes), stream id (16), version (4), topic and state (UTF-8). Numbers are big-endian. No
two events have the same bytes. PostgreSQL sends rows in this form (`COPY ... (FORMAT binary)`), so
the whole log is hashed without taking a row apart.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Any, LiteralString
from uuid import UUID

import psycopg

from eventlog.pool import Cursor

_HEAD = Struct(">hiqi16siii")
_LENGTH = Struct(">i")
_POSITION = Struct(">q")
POSITION = slice(6, 14)
"""Where in the bytes of an event its position is."""

# What comes before the first row and behind the last one.
_SIGNATURE_BYTES = 19
_TRAILER = b"\xff\xff"

_SELECT: LiteralString = "select position, stream_id, version, topic, state from rollbook.events"
_COPY: LiteralString = "copy ({} where {} order by position {}) to stdout (format binary)"
_COPY_NEXT = _COPY.format(_SELECT, "position > %s", "limit %s")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One event as it is stored; `state` is the JSON text."""

    position: int
    stream_id: UUID
    version: int
    topic: str
    state: str


def leaf_of(data: bytes) -> Leaf:
    """The event of these bytes."""
    _, _, position, _, stream_id, _, version, length = _HEAD.unpack_from(data)
    topic_end = _HEAD.size + length
    topic = data[_HEAD.size : topic_end].decode()
    state = data[topic_end + _LENGTH.size :].decode()
    return Leaf(position, UUID(bytes=stream_id), version, topic, state)


def position_of(data: bytes) -> int:
    """The position of the event of these bytes."""
    position: int = _POSITION.unpack(data[POSITION])[0]
    return position


def stored_leaves(
    conn: psycopg.Connection[Any], condition: LiteralString, values: tuple[object, ...]
) -> Generator[bytes]:
    """The bytes of the events in the log that meet a condition, in order of position.

    They come as the server finds them, so that memory does not grow with their number. Who does
    not take them all closes the generator before the connection, which waits for it.
    """
    with conn.cursor() as cursor:
        yield from _copied(cursor, _COPY.format(_SELECT, condition, ""), values)


def next_leaves(cursor: Cursor, after: int, limit: int) -> list[bytes]:
    """The bytes of the next events behind a position, at most `limit`; for a `SettledReader`."""
    return [*_copied(cursor, _COPY_NEXT, (after, limit))]


def _copied(
    cursor: Cursor, statement: LiteralString, values: tuple[object, ...]
) -> Iterator[bytes]:
    skipped = _SIGNATURE_BYTES
    with cursor.copy(statement, values) as rows:
        for row in rows:
            data = bytes(row)[skipped:]
            skipped = 0
            if data != _TRAILER:
                yield data
