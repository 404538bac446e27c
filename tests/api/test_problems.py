"""Every problem has one body, a code with a meaning, and a page."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import api as package
from api.failures import CODES
from api.problem_kinds import problem_kinds
from domain.errors import DomainError
from tests import generated_pages
from tests.api.world import BASE, Api

MEMBERS = {"type", "title", "status", "detail", "code", "errors", "trace_id"}
DRAFT = {"code": "P", "title": "T"}


def test_every_code_has_a_kind_and_every_kind_a_use() -> None:
    used = {*CODES.values(), *codes_in_the_source(), *codes_below(DomainError)}
    assert used == {kind.code for kind in problem_kinds()}


def codes_below(kind: type[DomainError]) -> Iterator[str]:
    for narrower in kind.__subclasses__():
        yield narrower.code
        yield from codes_below(narrower)


def codes_in_the_source() -> Iterator[str]:
    """What `Problem(status, code, ...)` is called with."""
    for file in Path(package.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Problem" and node.args:
                code = node.args[1]
                if isinstance(code, ast.Constant):
                    yield str(code.value)


def test_every_kind_says_what_it_means_and_what_to_do(pytestconfig: pytest.Config) -> None:
    sections = [
        f"## {kind.code}\n\n{int(kind.status)}. {kind.meaning}\n\n{kind.remedy}"
        for kind in problem_kinds()
    ]
    generated_pages.hold(pytestconfig, "problems.md", "kinds", "\n\n".join(sections))


def test_the_type_of_a_problem_leads_to_its_page(api: Api) -> None:
    nobody = api.with_token(None)
    for kind in problem_kinds():
        page = nobody.get(f"{BASE}/problems/{kind.code}")
        assert page.status == 200
        assert f"<title>{kind.title}</title>" in page.data.decode()
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    unknown = nobody.get(f"{BASE}/problems/nothing_known")
    assert (unknown.status, unknown.json["code"]) == (404, "not_found")
    assert nobody.get(unknown.json["type"]).status == 200


def test_a_row_about_nobody_is_refused_alone_and_its_answer_kept(api: Api) -> None:
    rows = [{"program_id": api.published()["id"], "employee_id": "a\0b"}]
    for replayed in (None, "true"):
        answer = api.admin.post(
            "enrollments:bulk", {"rows": rows}, headers={"Idempotency-Key": "about-nobody"}
        )
        assert answer.status == 200, answer.data
        assert answer.json["counts"]["refused"] == 1
        assert answer.headers.get("Idempotency-Replayed") == replayed


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "nowhere", {}, 404),
        ("GET", "/", {}, 404),
        ("PATCH", "certificates", {"json": {}}, 405),
        ("TRACE", "programs", {}, 405),
        ("GET", "programs/17", {}, 404),
        ("GET", "audit/accesses?employee_id=%00", {}, 403),
        ("GET", "programs?limit=many", {}, 422),
        ("GET", "programs?nonsense=1", {}, 422),
        ("POST", "programs", {"data": b"{", "content_type": "application/json"}, 400),
        ("POST", "programs", {"data": b"a=b", "content_type": "text/csv"}, 415),
        ("POST", "programs", {"json": DRAFT | {"description": "x" * 2_000_000}}, 413),
        ("POST", "programs", {"json": DRAFT | {"capacity": -1}}, 422),
    ],
)
def test_every_refusal_has_the_same_body(
    api: Api, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    answer = api.admin.call(method, path, **options)
    problem = answer.json
    assert (answer.status, problem["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(problem) >= MEMBERS
    assert all(set(error) == {"field", "rule", "message"} for error in problem["errors"])
    assert api.with_token(None).get(problem["type"]).status == 200
    for inside in ("Traceback", "werkzeug", "psycopg", "SELECT", ".py", "flask"):
        assert inside not in answer.data.decode()
