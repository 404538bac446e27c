"""Every answer with audit data is logged before it is given; else it is not given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, request
from psycopg import Connection

from api.access import caller, known_caller
from api.correlation import correlation_id
from api.employee_shapes import EMPLOYEE_ID
from api.failures import respond_to
from api.services import services
from audit import accesses
from audit.accesses import Access
from domain.permissions import Permission


def log_accesses(app: Flask) -> None:
    """Log every request of `app` that asks for the permission to read history."""
    app.after_request(_log)


def shows(employees: Iterable[str | None]) -> None:
    """Say whose data the answer to this request shows."""
    if not _is_about_history():
        return
    known = _employees()
    known.update(dict.fromkeys(employee for employee in employees if employee is not None))


@contextmanager
def one_more_page(conn: Connection[Any]) -> Iterator[None]:
    """Log whose data the block shows, as a page more of an answer that has begun.

    Nothing is logged where the request is not about history. Raises psycopg.Error.
    """
    _employees().clear()
    yield
    if _is_about_history():
        accesses.add(conn, _access(HTTPStatus.OK))


def asks_for_history() -> None:
    """Say that this request asks for what records said before, on whatever path."""
    g.asks_for_history = True


def _log(response: Response) -> Response:
    if not _is_about_history():
        return response
    try:
        with services().pool.connection() as conn:
            accesses.add(conn, _access(response.status_code))
    except Exception as error:  # noqa: BLE001  # whatever it is, nothing must be shown
        return respond_to(error).response(type(response))
    return response


def _is_about_history() -> bool:
    known = known_caller()
    return known is not None and (
        known.permission is Permission.READ_HISTORY or "asks_for_history" in g
    )


def _access(status: int) -> Access:
    asked_for = f"{quote(request.path)}?{request.query_string.decode('latin-1')}".rstrip("?")
    return Access(
        reader=caller().identity.subject,
        roles=[str(role) for role in caller().identity.roles],
        operation=str(request.endpoint).rpartition(".")[2],
        asked_for=asked_for,
        employees=list(_employees()),
        status=status,
        correlation_id=correlation_id(),
    )


def _employees() -> dict[str, None]:
    """Return whose data this request is about, in order: first whom it names itself."""
    if "audited_employees" not in g:
        named = ((request.view_args or {}).get("employee_id"), request.args.get("employee_id"))
        # What cannot be an id is about nobody, and might not even be stored.
        ids = (name for name in named if isinstance(name, str) and EMPLOYEE_ID.fullmatch(name))
        g.audited_employees = dict.fromkeys(ids)
    found: dict[str, None] = g.audited_employees
    return found
