"""Legal holds and erasure over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from psycopg import Connection

from api.acts import ReasonedBody, act_of
from api.answering import command_answer, folded
from api.lists import list_answer
from api.parameters import ListParameters, SortParameter
from api.personal_data_shapes import ErasureShape, HoldShape, LiftedShape, hold_json
from api.problems import not_found
from api.resource import Resource
from api.selection import Showing
from api.services import services
from api.shapes import listed, shown
from api.wire import Answer, Answered, answer
from audit.erasures import ErasureReceipt, erasure_receipt
from domain.permissions import Permission
from projections.conditions import Conditions
from projections.keyset import Order
from projections.legal_holds import HOLDS, LEGAL_HOLDS, count_holds, evolve

NEWEST_FIRST = Order("placed_at", descending=True)
ShownHold = shown(HoldShape, "ShownHold")
SHOWING = Showing(HOLDS, ShownHold)

personal_data = Resource("personal data", "Legal holds on it, and its erasure.")


class HoldParameters(ListParameters):
    """In which order the holds are wanted."""

    sort = SortParameter(HOLDS.sorts, "-placed_at")


@personal_data.query(
    "/legal-holds",
    Permission.READ_DIRECTORY,
    answer=listed(ShownHold, "HoldList"),
    tables=(LEGAL_HOLDS,),
    parameters=SHOWING.parameters(HoldParameters),
)
def get_legal_holds(conn: Connection[Any], parameters: Mapping[str, Any]) -> Answered:
    """List the legal holds in force."""
    return list_answer(conn, parameters, SHOWING, Conditions(), count_holds(), NEWEST_FIRST)


@personal_data.command(
    "POST",
    "/employees/<employee:employee_id>/hold",
    Permission.ERASE,
    body=ReasonedBody,
    answers={HTTPStatus.OK: HoldShape},
)
def place_hold(body: Mapping[str, Any], employee_id: str) -> Answer:
    """Forbid the erasure of an employee's data.

    The reason is read as long as the person is not erased.
    """
    receipt = services().training.place_hold(employee_id, act_of(body))
    return command_answer(receipt, hold_json(folded(receipt.subject, evolve)))


@personal_data.command(
    "POST",
    "/employees/<employee:employee_id>/lift-hold",
    Permission.ERASE,
    body=ReasonedBody,
    answers={HTTPStatus.OK: LiftedShape},
)
def lift_hold(body: Mapping[str, Any], employee_id: str) -> Answer:
    """Allow the erasure of an employee's data again."""
    receipt = services().training.lift_hold(employee_id, act_of(body))
    return command_answer(receipt, {"employee_id": employee_id, "version": receipt.subject.version})


@personal_data.command(
    "POST",
    "/employees/<employee:employee_id>/erase",
    Permission.ERASE,
    body=ReasonedBody,
    answers={HTTPStatus.OK: ErasureShape},
)
def erase_employee(body: Mapping[str, Any], employee_id: str) -> Answer:
    """Erase all personal data of an employee, for ever.

    All text about the employee and the directory's entry are gone; facts, figures and proofs
    stay. Erased again, it answers with the first receipt. The reason stays readable: name a
    case, not a person.
    """
    receipt = services().training.erase_person(employee_id, act_of(body))
    services().sight.outlive()
    with services().log.connection() as conn:
        erasure = erasure_receipt(conn, services().mapper, employee_id)
    return command_answer(receipt, _document(employee_id, erasure))


@personal_data.query(
    "/employees/<employee:employee_id>/erasure", Permission.READ_DIRECTORY, answer=ErasureShape
)
def get_erasure(conn: Connection[Any], employee_id: str) -> Answer:
    """Show the receipt of an employee's erasure."""
    return answer(_document(employee_id, erasure_receipt(conn, services().mapper, employee_id)))


def _document(employee_id: str, erasure: ErasureReceipt | None) -> dict[str, object]:
    if erasure is None:
        raise not_found("erasure of employee", employee_id)
    return {name: getattr(erasure, name) for name in ErasureShape().fields}
