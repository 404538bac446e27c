"""Conditional reads (RFC 9110, section 13): what the caller has already is not sent again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from http import HTTPStatus

import msgspec

from api.access import caller
from api.asked import asked
from api.etags import ETAG, etag_of
from api.shown import is_about
from api.wire import JSON_TYPE, Answer, Answered
from api.words import HELD
from projections.recent_events import Topic

CACHE_CONTROL = "private, no-cache"
"""For the caller's own cache alone, which asks each time whether it is still so."""

_AND = "."
_TAG_LENGTH = 16


def state_tag(state: Sequence[object]) -> str:
    """Return what stands for all that this caller sees of this request's query in a state.

    Whatever is seen follows from the state of the tables, the query and who asks.
    """
    identity = caller().identity
    scope = [identity.subject, identity.employee_id, *map(str, identity.roles)]
    how = [asked().full_path, asked().headers.get("Accept")]
    seen = msgspec.json.encode([*state, scope, how])
    return hashlib.blake2b(seen, digest_size=12).hexdigest()


def etag_in(state: str, answer: Answered) -> str:
    """Return the ETag of an answer in the state of that tag, and of its bytes, if it is whole."""
    if not isinstance(answer, Answer):
        return f'"{state}"'
    # It tells bodies of the same list apart, and nothing hangs on that nobody can make two alike.
    content = hashlib.sha1(answer.body, usedforsecurity=False).hexdigest()[:_TAG_LENGTH]
    return f'"{state}{_AND}{content}"'


def held_in(state: str, held: Sequence[str]) -> str | None:
    """Return the ETag among those that are `held` which is of the state of that tag."""
    return next((one for one in held if one.strip('"').partition(_AND)[0] == state), None)


def held_etags() -> Sequence[str]:
    """Return the ETags of what the caller has said to hold, `*` for whatever there is."""
    given: str | None = asked().environ.get(HELD)
    return () if given is None else etags_in(given)


def etags_in(header: str) -> list[str]:
    """Return the ETags that a header lists, to be compared weakly."""
    return [tag.strip().removeprefix("W/") for tag in header.split(",")]


def is_held(etag: str, held: Sequence[str]) -> bool:
    """Return whether what `etag` stands for is among what the caller holds.

    It is the same when the bytes are, whatever the state in which they were answered.
    """
    if etag in held or held == ["*"]:
        return True
    content = etag.partition(_AND)[2]
    return bool(content) and any(one.partition(_AND)[2] == content for one in held)


def cached(answer: Answered, etag: str) -> Answered:
    """Return the answer with its ETag, to be kept by the caller."""
    answer.headers[ETAG] = etag
    answer.headers["Cache-Control"] = CACHE_CONTROL
    answer.headers["Vary"] = "Accept"
    return answer


def not_modified(etag: str) -> Answered:
    """Return the answer for what the caller holds."""
    return cached(Answer(b"", HTTPStatus.NOT_MODIFIED, {}), etag)


def resource_answer(document: object, version: int, topics: Iterable[Topic] = ()) -> Answered:
    """Return a resource at its version, with an ETag for all that is shown of it.

    Events of other `topics` change nothing of that; without topics any event may.
    """
    is_about(topics)
    body = msgspec.json.encode(document)
    etag = etag_of(version, hashlib.blake2b(body, digest_size=6).hexdigest())
    if is_held(etag, held_etags()):
        return not_modified(etag)
    return cached(Answer(body, HTTPStatus.OK, {"Content-Type": JSON_TYPE}), etag)
