"""What a command answers: its resource as its own events say, without waiting for anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from api.etags import ETAG, etag_of
from api.services import services
from api.shown import POSITION
from api.wire import Answer, answer
from domain.aggregate import Aggregate
from domain.training import Receipt

Row = TypeVar("Row")


def folded(aggregate: Aggregate, evolve: Callable[[Row | None, Any], Row | None]) -> Row:
    """Return the row that the events of `aggregate` make, up to the version it has here.

    Later events are passed over: the answer shows what the command came to.
    """
    row: Row | None = None
    for event in services().training.history(aggregate.id):
        if event.originator_version <= aggregate.version:
            row = evolve(row, event)
    if row is None:
        raise NothingToShowError(aggregate.id)
    return row


def command_answer(
    receipt: Receipt[Any],
    document: Mapping[str, Any] | None,
    status: HTTPStatus = HTTPStatus.OK,
    location: str | None = None,
) -> Answer:
    """Return the answer to the command of `receipt`, with its position and its version."""
    headers: dict[str, str] = {}
    if receipt.position is not None:
        headers[POSITION] = str(receipt.position)
    if location is not None:
        headers["Location"] = location
    if document is not None:
        headers[ETAG] = etag_of(document["version"])
    if document is None:
        return Answer(b"", status, headers)
    return answer(document, status, headers=headers)


class NothingToShowError(Exception):
    """A command succeeded on an aggregate that has no events, which cannot be."""

    def __init__(self, stream_id: UUID) -> None:
        super().__init__(f"The stream {stream_id} has no row to show.")
        self.stream_id = stream_id
