"""Answers that were given to keyed requests, kept so that a repeated one gets the first again.

They are stored in the transaction of the events they tell of, and live for a day.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, LiteralString

from eventlog.pool import Connection

TABLE: LiteralString = """
create table rollbook.kept_answers (
    caller text not null,
    key text not null,
    part integer not null,
    fingerprint bytea not null,
    status integer not null,
    headers json not null,
    body bytea not null,
    concerning text[] not null,
    kept_at timestamptz not null default now(),
    primary key (caller, key, part)
);
create index kept_answers_kept_at on rollbook.kept_answers (kept_at);
create index kept_answers_concerning on rollbook.kept_answers using gin (concerning)
"""

_FIND: LiteralString = """
select fingerprint, status, headers, body, concerning from rollbook.kept_answers
where caller = %s and key = %s and part = %s and kept_at > now() - interval '24 hours'
"""

_KEEP: LiteralString = """
insert into rollbook.kept_answers
    (caller, key, part, fingerprint, status, headers, body, concerning)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (caller, key, part) do update set
    fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
    body = excluded.body, concerning = excluded.concerning, kept_at = excluded.kept_at
"""

# A few with each new one: more leave than arrive, and no request is burdened with all of them.
_EXPIRE: LiteralString = """
delete from rollbook.kept_answers where (caller, key, part) in (
    select caller, key, part from rollbook.kept_answers
    where kept_at <= now() - interval '24 hours'
    order by kept_at limit 20 for update skip locked
)
"""

_FORGET: LiteralString = """
delete from rollbook.kept_answers where caller = %s or concerning @> array[%s]
"""


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """Under what an answer is kept: who called, the key they gave, and which part of it this is."""

    caller: str
    key: str
    part: int = 0


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer, the fingerprint of its request, and the ids of those whom it concerns."""

    fingerprint: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes
    concerning: Sequence[str] = ()


def try_lock(conn: Connection, wanted: AnswerKey) -> bool:
    """Whether nobody else is at the caller's key; if so, it is held until the transaction ends."""
    query = "select pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
    row = conn.execute(query, (_lock_name(wanted),)).fetchone()
    return bool(row and row[0])


def lock(conn: Connection, wanted: AnswerKey) -> Literal[True]:
    """Waits until nobody else is at the caller's key, and holds it as ``try_lock`` does."""
    query = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
    conn.execute(query, (_lock_name(wanted),))
    return True


def _lock_name(wanted: AnswerKey) -> str:
    # A key holds no blank, so that the text names one key of one caller.
    return f"{wanted.key} {wanted.caller}"


def find_answer(conn: Connection, wanted: AnswerKey) -> KeptAnswer | None:
    """What was answered within the last 24 hours."""
    row = conn.execute(_FIND, (wanted.caller, wanted.key, wanted.part)).fetchone()
    if row is None:
        return None
    fingerprint, status, headers, body, concerning = row
    return KeptAnswer(fingerprint, status, json.loads(headers), body, concerning)


def keep_answer(conn: Connection, wanted: AnswerKey, answer: KeptAnswer) -> None:
    """Keeps the answer, in the place of an expired one, and removes a few other expired ones."""
    conn.execute(_EXPIRE)
    values = (answer.fingerprint, answer.status, json.dumps(dict(answer.headers)), answer.body)
    place = (wanted.caller, wanted.key, wanted.part)
    conn.execute(_KEEP, (*place, *values, list(answer.concerning)))


def forget_answers(conn: Connection, person: str) -> int:
    """Removes all that is kept for a person, or about one; returns how many answers it was."""
    return conn.execute(_FORGET, (person, person)).rowcount
