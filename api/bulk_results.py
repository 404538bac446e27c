"""The rows of a bulk command: read one by one, done together, answered one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from marshmallow import Schema, ValidationError

from api.correlation import trace_id
from api.parsing import broken_rules
from api.problems import Problem, ProblemError, invalid, problem_of
from domain.bulk import Outcome
from domain.enrollment import Enrollment
from domain.errors import DomainError

Asked = TypeVar("Asked")
Result = dict[str, Any]
Said = tuple[int, Mapping[str, Any]]
"""A row as it came, behind its place in the request."""

REFUSED = "refused"
NOT_DONE = "not_done"
BECAUSE_OF_OTHERS: Result = {"outcome": NOT_DONE, "status": HTTPStatus.FAILED_DEPENDENCY}


@dataclass(frozen=True, slots=True)
class Row(Generic[Asked]):
    """One row: what it said, and what it asks for or why it asks for nothing."""

    index: int
    said: Mapping[str, Any]
    asked: Asked | Problem


def read_rows(
    schema: Schema,
    ask: Callable[[Mapping[str, Any]], Asked],
    said: Iterable[Said],
) -> list[Row[Asked]]:
    """Return the rows; `ask` may raise a problem of the row."""

    def read(row: Mapping[str, Any]) -> Asked | Problem:
        try:
            return ask(schema.load(row))
        except ValidationError as error:
            return invalid(list(broken_rules(error.messages))).problem
        except ProblemError as error:
            return error.problem

    return [Row(index, row, read(row)) for index, row in said]


def results_of(
    rows: Iterable[Row[Asked]],
    outcomes: Iterable[Outcome | None],
    describe: Callable[[Enrollment], Result],
) -> list[Result]:
    """Return a result for each row.

    `outcomes` are those of the rows that ask for something, in their order; None for one that
    was not done because of others.
    """
    each = iter(outcomes)

    def result(row: Row[Asked]) -> Result:
        outcome = row.asked if isinstance(row.asked, Problem) else next(each)
        if isinstance(outcome, Problem):
            return _not_done(row, outcome, REFUSED)
        if isinstance(outcome, DomainError):
            return _not_done(row, problem_of(outcome), REFUSED)
        return _result(row, BECAUSE_OF_OTHERS if outcome is None else describe(outcome))

    return [result(row) for row in rows]


def left_out(said: Iterable[Said], problem: Problem) -> list[Result]:
    """Return the results of rows that `problem` kept from being done."""
    return [_not_done(Row(index, row, problem), problem, NOT_DONE) for index, row in said]


def _not_done(row: Row[Asked], problem: Problem, outcome: str) -> Result:
    document = problem.document(trace_id())
    return _result(row, {"outcome": outcome, "status": problem.status, "problem": document})


def _result(row: Row[Asked], described: Result) -> Result:
    # A refused row is known by what it said, as far as that was text.
    said = {name: row.said.get(name) for name in ("enrollment_id", "employee_id")}
    texts = {name: value if isinstance(value, str) else None for name, value in said.items()}
    return {"index": row.index, **texts, "problem": None, **described}
