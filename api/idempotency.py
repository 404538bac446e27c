"""Keyed requests: whoever repeats one gets the first answer, and nothing is done twice.

After draft-ietf-httpapi-idempotency-key-header. What a request did and what it was answered
are committed together, so no crash comes between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import msgspec
from flask import request

from api.access import caller
from api.conditions import IF_MATCH, IF_NONE_MATCH
from api.employee_shapes import EMPLOYEE_ID
from api.failures import respond
from api.problems import (
    RETRY_SECONDS,
    FieldError,
    Problem,
    ProblemError,
    invalid,
    problem_of,
)
from api.services import services
from api.wire import Answer
from domain.errors import ContentionError, DomainError
from eventlog.answers import AnswerKey, KeptAnswer, find_answer, keep_answer, lock, try_lock

KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY_LENGTH = 255
# Visible ASCII but what has a meaning in a structured field.
KEY_PATTERN = r"[!#-+\--\[\]-~]+"
KEY_RULE = f'must be 1 to {MAX_KEY_LENGTH} visible ASCII characters other than " , and \\'
KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Rollbook-Position")

_KEY = re.compile(rf'(?P<quote>"?)(?P<key>{KEY_PATTERN})(?P=quote)')

RUNNING = Problem(
    HTTPStatus.CONFLICT,
    "request_running",
    "The first request with this Idempotency-Key is still running. Try again.",
    [FieldError(KEY, "must not be of a request that is still running")],
    headers={"Retry-After": str(RETRY_SECONDS)},
)
REUSED = Problem(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "idempotency_key_reused",
    "This Idempotency-Key came with another request before.",
    [FieldError(KEY, "must be a new one for another method, path, condition or body")],
)


class _Person(msgspec.Struct):
    employee_id: str | None = None


class _Said(_Person):
    results: list[_Person] = []


def answered_once(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """Let `view` answer each key once, and give that answer to all who repeat it.

    A refusal by the rules is an answer too; what never came to be decided (a body that is
    not valid, a caller who may not) or could not be (503) is not kept.
    """

    @wraps(view)
    def answer(*args: Any, **ids: Any) -> Answer:
        key = given_key()
        if key is None:
            return view(*args, **ids)
        return once(key, lambda: view(*args, **ids))

    return answer


def given_key() -> AnswerKey | None:
    """Return the request's key, which is the caller's own. Raises a 400 problem."""
    given = request.headers.get(KEY)
    if given is None:
        return None
    match = _KEY.fullmatch(given.strip())
    if match is None or len(match["key"]) > MAX_KEY_LENGTH:
        raise invalid([FieldError(KEY, KEY_RULE)], HTTPStatus.BAD_REQUEST)
    return AnswerKey(caller().identity.subject, match["key"])


def once(key: AnswerKey, work: Callable[[], Answer]) -> Answer:
    """Return what `work`, which gives one command, answers, or what it answered before.

    Raises a 409 problem while another request is at it, a 422 problem for another request.
    """
    fingerprint = _fingerprint()

    def attempt() -> Answer:
        log = services().log
        with log.connection() as conn:
            # Only the first part is refused to those who come second: the others follow from it.
            is_alone = lock(conn, key) if key.part else try_lock(conn, key)
            kept = find_answer(conn, key)
        if kept is not None:
            return _again(kept, fingerprint)
        if not is_alone:
            raise ProblemError(RUNNING)
        answer = _answer_or_refusal(work)
        with log.connection() as conn:
            keep_answer(conn, key, _kept(answer, fingerprint))
        return answer

    return services().training.in_one_transaction(attempt)


def _answer_or_refusal(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except ContentionError:
        raise
    except DomainError as error:
        return respond(problem_of(error))


def _fingerprint() -> bytes:
    conditions = (request.headers.get(name, "") for name in (IF_MATCH, IF_NONE_MATCH))
    head = "\n".join((request.method, request.full_path, *conditions, ""))
    return sha256(head.encode() + request.get_data(cache=True)).digest()


def _kept(answer: Answer, fingerprint: bytes) -> KeptAnswer:
    headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    said = msgspec.json.decode(answer.body, type=_Said) if answer.body else _Said()
    told = {person.employee_id for person in (said, *said.results)}
    # What cannot be an id was refused: it concerns nobody, and might not even be stored.
    concerning = [person for person in told if person and EMPLOYEE_ID.fullmatch(person)]
    return KeptAnswer(fingerprint, answer.status, headers, answer.body, concerning)


def _again(kept: KeptAnswer, fingerprint: bytes) -> Answer:
    if kept.fingerprint != fingerprint:
        raise ProblemError(REUSED)
    return Answer(kept.body, HTTPStatus(kept.status), {**kept.headers, REPLAYED: "true"})
