"""How a bulk is done: in parts of a transaction each, which are answered as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any

import msgspec
from marshmallow import Schema

from api.acts import act_of
from api.bulk_results import Result, Row, Said, left_out, read_rows, results_of
from api.failures import problem_with, respond
from api.idempotency import REPLAYED, given_key, once
from api.problems import RETRY_SECONDS, Problem, ProblemError
from api.shown import POSITION
from api.wire import Answer, answer
from domain.act import Act
from domain.bulk import Outcome, SomeRefusedError
from domain.enrollment import Enrollment
from domain.errors import DomainError
from domain.training import Receipt

PART_ROWS = 1_000
TIME_SECONDS = 60

OUT_OF_TIME = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "out_of_time",
    f"The rows were not done within {TIME_SECONDS} seconds. Send those that are left again.",
    headers={"Retry-After": str(RETRY_SECONDS)},
)
NONE_DONE = Problem(
    HTTPStatus.CONFLICT,
    SomeRefusedError.code,
    "Some rows are refused, so none was done. The results say which, and why.",
)


@dataclass(frozen=True, slots=True)
class Bulk:
    """One kind of bulk command.

    Attributes:
        schema: how a row is read.
        ask: what the row asks for; may raise a problem of that row.
        command: does what many rows ask for in one action, or none of it when that is asked.
        describe: the outcome, status and ids that an enrollment is told with.
        outcomes: the words for what can become of a row.
        group: what rows have in common that are better done together.

    """

    schema: Schema
    ask: Callable[[Mapping[str, Any]], Any]
    command: Callable[[Sequence[Any], Act, bool], Receipt[list[Outcome]]]
    describe: Callable[[Enrollment], Result]
    outcomes: tuple[str, ...]
    group: Callable[[Mapping[str, Any]], str]


def perform(kind: Bulk, body: Mapping[str, Any]) -> Answer:
    """Return the answer to a bulk: a result for each row.

    Each part has a key of its own, so that a keyed request that was cut off goes on where it
    ended when it is repeated; one without a key tells which rows were left out.
    """
    act, key = act_of(body), given_key()
    # The order within a group stays that of the request.
    rows = sorted(enumerate(body["rows"]), key=lambda row: kind.group(row[1]))
    size = len(rows) if body["atomic"] else PART_ROWS
    deadline = monotonic() + TIME_SECONDS
    parts: list[Answer] = []
    for first in range(0, len(rows), size):
        said = rows[first : first + size]
        part = partial(_part, kind, said, act, deadline, atomic=body["atomic"])
        try:
            parts.append(once(replace(key, part=len(parts)), part) if key else part())
        except Exception as error:
            if key or not parts:
                raise
            # What was done before must be told, whatever went wrong then.
            parts.append(answer({"results": left_out(rows[first:], problem_with(error))}))
            break
    return _together(kind, parts)


def _part(
    kind: Bulk,
    said: Sequence[Said],
    act: Act,
    deadline: float,
    *,
    atomic: bool,
) -> Answer:
    if monotonic() > deadline:
        raise ProblemError(OUT_OF_TIME)
    rows = read_rows(kind.schema, kind.ask, said)
    asked = [row.asked for row in rows if not isinstance(row.asked, Problem)]
    if atomic and len(asked) < len(rows):
        return _none_done(kind, rows, [None] * len(asked))
    try:
        receipt = kind.command(asked, act, atomic)
    except SomeRefusedError as error:
        refusals = [it if isinstance(it, DomainError) else None for it in error.outcomes]
        return _none_done(kind, rows, refusals)
    headers = {} if receipt.position is None else {POSITION: str(receipt.position)}
    return answer({"results": results_of(rows, receipt.subject, kind.describe)}, headers=headers)


def _none_done(
    kind: Bulk, rows: Sequence[Row[Any]], refusals: Sequence[DomainError | None]
) -> Answer:
    results = results_of(rows, refusals, kind.describe)
    return respond(replace(NONE_DONE, facts=_document(kind, results)))


def _together(kind: Bulk, parts: Sequence[Answer]) -> Answer:
    if parts[0].status != HTTPStatus.OK:
        return parts[0]
    headers = {}
    positions = [int(part.headers[POSITION]) for part in parts if POSITION in part.headers]
    if positions:
        headers[POSITION] = str(max(positions))
    if all(REPLAYED in part.headers for part in parts):
        headers[REPLAYED] = "true"
    results = [it for part in parts for it in msgspec.json.decode(part.body)["results"]]
    return answer(_document(kind, results), headers=headers)


def _document(kind: Bulk, results: Sequence[Result]) -> dict[str, object]:
    counted = Counter(result["outcome"] for result in results)
    counts = {outcome: counted[outcome] for outcome in kind.outcomes}
    in_order = sorted(results, key=lambda result: int(result["index"]))
    return {"rows": len(results), "counts": counts, "results": in_order}
