"""The Redis Stream that holds the log, entry for entry.

The id of an entry is `{position}-0`, its fields are `position`, `id`
(`{stream_id}/{version}`), `stream_id`, `version`, `topic` and `data`, which is
the stored JSON byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from eventsourcing.persistence import Notification
from redis import Redis
from redis.exceptions import ResponseError

STREAM = "rollbook:events"

# One script is one step of Redis: nobody else writes between the look at the top and the entries,
# and the first entry that fails ends it, so that none behind it is stored. A pipeline would go on.
_APPEND = """
local function top()
    if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    local info = redis.call('XINFO', 'STREAM', KEYS[1])
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then
            return tonumber(string.match(info[i + 1], '^%d+'))
        end
    end
end
local held = top()
if held < tonumber(ARGV[1]) then return 0 end
for i = 2, #ARGV, 6 do
    if tonumber(ARGV[i]) > held then
        redis.call('XADD', KEYS[1], ARGV[i] .. '-0',
            'position', ARGV[i], 'id', ARGV[i + 1], 'stream_id', ARGV[i + 2],
            'version', ARGV[i + 3], 'topic', ARGV[i + 4], 'data', ARGV[i + 5])
    end
end
return 1
"""


class StreamFellBack(Exception):
    """The stream holds less than it did: Redis lost the end of it. Read its top again."""


@dataclass(frozen=True, slots=True)
class Top:
    """The end of the stream.

    Attributes:
        position: the highest position it ever held; 0 when it is new.
        entry: the fields of the entry there; None when it is new, or that entry was deleted.

    """

    position: int
    entry: dict[bytes, bytes] | None


class EventStream:
    """Writes to the stream of one Redis database. Errors are those of `redis`."""

    def __init__(self, client: Redis) -> None:
        """Write through `client`, which must leave answers as bytes."""
        self._client = client
        self._append = client.register_script(_APPEND)

    def top(self) -> Top:
        """Return where the stream ends."""
        try:
            info: dict[str, Any] = self._client.xinfo_stream(STREAM)
        except ResponseError as error:
            if "no such key" in str(error):
                return Top(0, None)
            raise
        last_id: bytes = info["last-generated-id"]
        newest_id, entry = info["last-entry"] or (None, None)
        return Top(_position(last_id), entry if newest_id == last_id else None)

    def append(self, after: int, events: Sequence[Notification]) -> None:
        """Append `events`, which are those that follow the position `after` in the log.

        Those that the stream holds already are left out. With no events it only makes sure that
        the stream reaches `after`. Raises `StreamFellBack` when it does not.
        """
        arguments = [after, *(value for event in events for value in _values(event))]
        if not self._append(keys=[STREAM], args=arguments):
            raise StreamFellBack(f"The stream {STREAM} ends before position {after}.")


def fields_of(event: Notification) -> dict[bytes, bytes]:
    """Return the entry of an event as Redis gives it back."""
    names = (b"position", b"id", b"stream_id", b"version", b"topic", b"data")
    values = (
        value if isinstance(value, bytes) else str(value).encode() for value in _values(event)
    )
    return dict(zip(names, values, strict=True))


def _values(event: Notification) -> Iterator[str | int | bytes]:
    yield event.id
    yield f"{event.originator_id}/{event.originator_version}"
    yield str(event.originator_id)
    yield event.originator_version
    yield event.topic
    yield event.state


def _position(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
