"""Who may call what: every operation, with every role and with every broken token."""

from __future__ import annotations

import jwt
import pytest
from flask import Flask

from api.access import Public, UndeclaredAccessError, guard
from domain.permissions import Permission, Role, Scope, scope_of
from tests import generated_pages
from tests.api.broken_tokens import FAULTS, claims
from tests.api.operations import Operation, operations
from tests.api.world import BASE, KEY, Api


@pytest.fixture(scope="module")
def everything(api: Api) -> list[Operation]:
    return operations(api)


def test_a_role_may_call_what_the_table_permits_and_nothing_else(
    api: Api, everything: list[Operation]
) -> None:
    for operation in everything:
        for role in Role:
            answer = operation.call(api.role(role))
            where = f"{operation} as {role}: {answer.status} {answer.data!r}"
            if scope(operation, role) is None:
                assert (answer.status, answer.json["code"]) == (403, "forbidden"), where
                assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
            else:
                assert answer.status < 300 or answer.status in {404, 422}, where


def test_a_broken_token_is_refused_everywhere(api: Api, everything: list[Operation]) -> None:
    for operation in everything:
        if operation.access is Public.ANYBODY:
            continue
        for fault, bearer in FAULTS.items():
            answer = operation.call(api.with_token(bearer()))
            assert (answer.status, answer.json["code"]) == (401, "unauthenticated"), (
                f"{operation}, a token {fault}"
            )
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="rollbook"')


def test_an_employee_meets_nothing_of_somebody_else_anywhere(
    api: Api, everything: list[Operation]
) -> None:
    program = api.published(certification={"offered": True, "issued": "automatically"})["id"]
    somebody = api.hire(name="Somebody Else", department="Elsewhere")
    enrollment = api.enrolled(program, somebody).json["id"]
    completed = api.instructor.post(f"enrollments/{enrollment}/complete", {"score_percent": 77})
    number = completed.json["certificate_number"]
    me = api.employee(api.hire())
    assert me.get("enrollments", at_least=completed).status == 200
    before = api.log_length()
    ids = {"enrollment_id": enrollment, "number": number, "employee_id": somebody}
    for operation in everything:
        is_theirs = not set(ids).isdisjoint(operation.names())
        if operation.method != "GET" and not is_theirs:
            continue
        answer = operation.call(me, program_id=program, **ids)
        if is_theirs and operation.access is not Public.ANYBODY:
            assert answer.status in {403, 404}, f"{operation}: {answer.data!r}"
        elif answer.status < 300:
            told = answer.data.decode(errors="replace")
            assert not [secret for secret in ("Somebody Else", *ids.values()) if secret in told]
    assert api.log_length() == before


def test_the_page_about_access_shows_every_operation(
    everything: list[Operation], pytestconfig: pytest.Config
) -> None:
    rows = [[f"`{one}`", *(cell(one, role) for role in Role), bad(one)] for one in everything]
    header = ["operation", *(str(role) for role in Role), "bad token"]
    generated_pages.hold(
        pytestconfig, "access.md", "operations", generated_pages.table(header, rows)
    )
    faults = "".join(f"- {fault}\n" for fault in FAULTS).rstrip()
    generated_pages.hold(pytestconfig, "access.md", "bad tokens", faults)


def scope(operation: Operation, role: Role) -> Scope | None:
    """On whose records the role may call the operation."""
    if isinstance(operation.access, Permission):
        return scope_of(role, operation.access)
    return Scope.ALL if operation.access is Public.ANYBODY else None


def cell(operation: Operation, role: Role) -> str:
    found = scope(operation, role)
    return "-" if found is None else {Scope.ALL: "yes", Scope.OWN: "own"}[found]


def bad(operation: Operation) -> str:
    return "yes" if operation.access is Public.ANYBODY else "401"


def test_a_token_without_a_known_role_permits_nothing(api: Api) -> None:
    for roles in (None, [], ["emperor"], [7]):
        bearer = jwt.encode(claims(roles=roles), KEY, algorithm="EdDSA")
        assert api.with_token(bearer).get("programs").status == 403


def test_another_scheme_than_bearer_is_no_token(api: Api) -> None:
    basic = {"Authorization": "Basic aHI6aHI="}
    assert api.with_token(None).get("programs", headers=basic).status == 401


def test_somebody_unknown_is_not_told_what_is_wrong_with_the_input(api: Api) -> None:
    nobody = api.with_token(None)
    assert nobody.post("programs", {"capacity": "many"}).status == 401
    assert nobody.get("programs/not-an-id").status == 401
    assert nobody.get("programs?nonsense=1").status == 401


def test_health_and_documentation_ask_for_no_token(api: Api) -> None:
    nobody = api.with_token(None)
    for path in ("/healthz", "/readyz", f"{BASE}/openapi.json", f"{BASE}/docs"):
        assert nobody.get(path).status == 200


def test_an_endpoint_that_declares_nothing_keeps_the_app_from_starting() -> None:
    app = Flask("careless", static_folder=None)
    app.add_url_rule("/secrets", "secrets", lambda: "all of them")
    with pytest.raises(UndeclaredAccessError) as caught:
        guard(app)
    assert "secrets" in str(caught.value)
