"""Bad input on every endpoint: a clear problem that names field and rule, nothing in the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from api.parsing import MAX_LARGE_BODY_BYTES
from tests.api.world import BASE, Api, Caller

ID = "0a1aeffc-54a7-4886-826e-dfbf37b10149"
NUMBER = "RB-7K2QD-9XMVA-0RT4C-HWZ31"

GOOD_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "programs"): {"code": "BAD-1", "title": "Bad"},
    ("PUT", f"programs/{ID}"): {"code": "BAD-1", "title": "Bad"},
    ("DELETE", f"programs/{ID}"): {},
    ("POST", f"programs/{ID}/publish"): {},
    ("POST", f"programs/{ID}/close"): {},
    ("POST", f"programs/{ID}/archive"): {},
    ("POST", f"programs/{ID}/restore"): {},
    ("POST", "enrollments"): {"program_id": ID, "employee_id": "e"},
    ("POST", f"enrollments/{ID}/progress"): {"percent": 10},
    ("POST", f"enrollments/{ID}/correct"): {"percent": 10, "reason": "r"},
    ("POST", f"enrollments/{ID}/complete"): {},
    ("POST", f"enrollments/{ID}/fail"): {},
    ("POST", f"enrollments/{ID}/withdraw"): {},
    ("POST", f"enrollments/{ID}/void"): {"reason": "r"},
    ("POST", "certificates"): {"enrollment_id": ID},
    ("POST", f"certificates/{NUMBER}/revoke"): {"reason": "r"},
    ("PUT", "employees/bad-1"): {"name": "Bad"},
    ("PATCH", f"programs/{ID}"): {"title": "Bad"},
    ("POST", "enrollments:bulk"): {"rows": [{"program_id": ID, "employee_id": "e"}]},
    ("POST", "enrollments:bulk-progress"): {"rows": [{"enrollment_id": ID, "percent": 10}]},
    ("PATCH", "employees/bad-1"): {"name": "Bad"},
    ("POST", "audit/checkpoints"): {},
    ("POST", "employees/bad-1/hold"): {"reason": "r"},
    ("POST", "employees/bad-1/lift-hold"): {"reason": "r"},
    ("POST", "employees/bad-1/erase"): {"reason": "r"},
}
COMMANDS = sorted(GOOD_BODIES)
DEEP = b"[" * 100_000
NOT_JSON = (
    b"{",
    b"{}{}",
    b"nonsense",
    b'{"reason": NaN}',
    b'{"reason": 1e999}',
    b'{"reason": Infinity}',
    b'{"reason": "\\ud800"}',
    b'{"reason": "\xff"}',
    b"\xef\xbb\xbf{}",
    DEEP,
    b'{"reason": ' + DEEP,
    b" ",
)
WRONG: dict[str, tuple[Any, ...]] = {
    "string": (1, 1.5, True, [], {}, [""], "", " \t", "a\x00b", "x" * 30_000),
    "integer": ("1", 1.5, True, [], {}, 0, -1, 10**30, 10**400, 1e300),
    "number": ("1", True, [], {}, -0.01, 10**400, 1e300),
    "boolean": ("true", 1, 0, [], {}),
    "array": ("a", 1, True, {}, [1], [None], [""], ["a\x00"], ["x"] * 1000),
    "object": ("a", 1, True, [], {"surprise": 1}),
    "uuid": ("", "abc", ID[:-1], f"{{{ID}}}", f"urn:uuid:{ID}", ID.replace("-", "")),
    "date": (
        "2026-02-30",
        "20260101",
        "2026-W01-1",
        "2026-1-1",
        "2026-01-01T00:00:00Z",
        "\u0661\u0662\u0663\u0664-01-01",
    ),
    "date-time": (
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T25:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "2026-13-01T00:00:00Z",
    ),
}


def permitted(api: Api) -> Caller:
    """Somebody who may give any command."""
    return api.role("hr_admin", "auditor")


def kinds(described: dict[str, Any]) -> set[str]:
    given = described.get("type", "object")
    found = {given} if isinstance(given, str) else set(given)
    return (found - {"null"}) | ({described["format"]} if "format" in described else set())


def wrong_bodies(api: Api) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Method, path, field and a body in which that field alone is wrong."""
    for (method, path), good in GOOD_BODIES.items():
        properties = body_properties(api, method, f"{BASE}/{path}")
        for name, described in properties.items():
            for kind in kinds(described):
                for value in WRONG[kind]:
                    yield method, path, name, good | {name: value}


def body_properties(api: Api, method: str, url: str) -> dict[str, Any]:
    operation = api.contract._operation(method, url)  # noqa: SLF001  # the tests' own
    assert operation is not None
    content = operation["requestBody"]["content"]["application/json"]
    name = content["schema"]["$ref"].rpartition("/")[2]
    return dict(api.contract.schema(name)["properties"])


def test_every_command_is_among_those_tried(api: Api) -> None:
    described = [m for m, path, _ in api.contract.operations() if path.startswith(BASE)]
    assert len(GOOD_BODIES) == sum(method != "GET" for method in described)


def test_a_wrong_value_in_any_field_of_any_command_is_refused_by_name(api: Api) -> None:
    before = api.log_length()
    tried = 0
    for method, path, name, body in wrong_bodies(api):
        answer = permitted(api).call(method, path, json=body)
        assert answer.status == 422, (method, path, name, body, answer.data)
        assert any(f.split(".")[0] == name for f in answer.broken), (name, body, answer.data)
        tried += 1
    assert tried > 500
    assert api.log_length() == before


@pytest.mark.parametrize(("method", "path"), COMMANDS)
def test_a_body_that_is_not_json_is_refused(api: Api, method: str, path: str) -> None:
    before = api.log_length()
    for data in NOT_JSON:
        answer = permitted(api).call(method, path, data=data, content_type="application/json")
        assert (answer.status, answer.json["code"]) == (400, "malformed_json"), data[:40]
        assert answer.broken == {"body": "must be well-formed JSON"}
    assert api.log_length() == before


@pytest.mark.parametrize(("method", "path"), COMMANDS)
def test_a_body_of_another_type_is_refused(api: Api, method: str, path: str) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        answer = permitted(api).call(method, path, data=b"{}", content_type=kind)
        assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("method", "path"), COMMANDS)
def test_a_body_that_is_no_object_is_refused(api: Api, method: str, path: str) -> None:
    bodies: tuple[Any, ...] = ([], "text", 7, True, [{}])
    for body in bodies:
        answer = permitted(api).call(method, path, json=body)
        assert (answer.status, answer.broken) == (422, {"body": "must be a JSON object"})


@pytest.mark.parametrize(("method", "path"), COMMANDS)
def test_a_field_that_is_not_known_is_refused_by_name(api: Api, method: str, path: str) -> None:
    body = GOOD_BODIES[method, path] | {"surprise": 1}
    answer = permitted(api).call(method, path, json=body)
    assert (answer.status, answer.broken) == (422, {"surprise": "is not known here"})


@pytest.mark.parametrize(("method", "path"), COMMANDS)
def test_a_body_that_is_too_large_is_refused(api: Api, method: str, path: str) -> None:
    most = MAX_LARGE_BODY_BYTES if ":bulk" in path else 1024 * 1024
    answer = permitted(api).call(method, path, json={"reason": "x" * most})
    assert (answer.status, answer.json["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("method", "path"), COMMANDS)
def test_commands_take_no_query_parameters(api: Api, method: str, path: str) -> None:
    answer = permitted(api).call(method, f"{path}?dry_run=true", json=GOOD_BODIES[method, path])
    assert (answer.status, answer.broken) == (422, {"dry_run": "is not known here"})


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("programs?limit=0", "limit"),
        ("programs?limit=501", "limit"),
        ("programs?limit=ten", "limit"),
        ("programs?limit=", "limit"),
        ("programs?limit=1_0", "limit"),
        ("programs?limit=%D9%A3", "limit"),
        ("programs?limit=99999999999999999999999", "limit"),
        ("programs?limit=5&limit=6", "limit"),
        ("programs?sort=price", "sort"),
        ("certificates?issued_from=2025-01-01&sort=valid_until", "sort"),
        ("certificates?issued_from=2025-01-01&valid_until_to=2026-01-01", "valid_until_to"),
        ("certificates?issued_to=2025-01-01&expiring_within_days=9", "expiring_within_days"),
        ("certificates?issued_to=2025-01-01&status=expired", "status"),
        ("programs?status=open", "status"),
        ("programs?status=draft,open", "status"),
        ("programs?level=expert", "level"),
        ("programs?mandatory=yes", "mandatory"),
        ("programs?category=", "category"),
        ("programs?q=%00", "q"),
        ("programs?q=%FF", "query"),
        ("programs?page=2", "page"),
        (f"programs/{ID}?expand=all", "expand"),
        ("enrollments?program_id=7", "program_id"),
        ("enrollments?overdue=1", "overdue"),
        ("enrollments?status=done", "status"),
        ("enrollments?employee_id=%00", "employee_id"),
        ("certificates?expiring_within_days=-1", "expiring_within_days"),
        ("certificates?expiring_within_days=99999", "expiring_within_days"),
        ("certificates?status=issued", "status"),
        ("employees?active=maybe", "active"),
        ("analytics?from=2026", "from"),
        ("analytics/by-status?status=x", "status"),
        ("analytics/recent-completions?limit=0", "limit"),
        ("analytics/top-performers?min_programs=0", "min_programs"),
        ("analytics/completion-rate?program_id=x", "program_id"),
        ("/healthz?verbose=1", "verbose"),
    ],
)
def test_a_bad_query_parameter_is_refused_by_name(api: Api, path: str, field: str) -> None:
    answer = api.admin.get(path)
    assert (answer.status, list(answer.broken)) == (422, [field])


@pytest.mark.parametrize("resource", ["programs", "enrollments", "certificates", "employees"])
@pytest.mark.parametrize(
    "cursor",
    ["x", "a.b", "AAAA", "W10", "WzEsMiwzXQ", "%F0%9F%98%80", "bnVsbA", "WyJ0aXRsZSIsImEiLCJiIl0"],
)
def test_a_cursor_of_ones_own_making_is_refused(api: Api, resource: str, cursor: str) -> None:
    answer = api.admin.get(f"{resource}?cursor={cursor}")
    assert (answer.status, list(answer.broken)) == (422, ["cursor"])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("programs/7", "program_id"),
        ("programs/%00", "program_id"),
        (f"programs/{ID}x", "program_id"),
        ("enrollments/abc", "enrollment_id"),
        ("certificates/abc", "number"),
        ("certificates/rb-7k2qd-9xmva-0rt4c-hwz31", "number"),
        ("employees/%00", "employee_id"),
        ("employees/%20", "employee_id"),
        (f"employees/{'x' * 201}", "employee_id"),
    ],
)
def test_a_malformed_id_in_the_path_names_nothing(api: Api, path: str, field: str) -> None:
    answer = api.admin.get(path)
    code = f"{path.split('s/', maxsplit=1)[0]}_not_found"
    assert (answer.status, answer.json["code"], list(answer.broken)) == (404, code, [field])


@pytest.mark.parametrize("path", ["programs", "enrollments", "certificates"])
def test_an_id_that_nothing_has_is_not_found(api: Api, path: str) -> None:
    named = NUMBER if path == "certificates" else uuid4()
    answer = api.admin.get(f"{path}/{named}")
    assert (answer.status, answer.json["code"]) == (404, f"{path[:-1]}_not_found")
    assert answer.json["identifier"] == str(named)


def test_several_faults_are_told_at_once(api: Api) -> None:
    body = {"capacity": "many", "certification": {"issued": "never"}, "tags": ["ok", 7]}
    answer = api.admin.post("programs", body)
    assert answer.broken == {
        "code": "is required",
        "title": "is required",
        "capacity": "must be a whole number",
        "certification.issued": "must be one of automatically, manually",
        "tags.1": "must be text",
    }
    assert "capacity must be a whole number." in answer.json["detail"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"starts_on": "2026-02-01", "ends_on": "2026-01-01"}, "ends_on"),
        ({"ends_on": "2026-01-01", "enrollment_deadline": "2026-01-02"}, "enrollment_deadline"),
        ({"cost": "10.00"}, "currency"),
        ({"currency": "EUR"}, "cost"),
        ({"cost": "10.00", "currency": "eur"}, "currency"),
        ({"cost": "1e3", "currency": "EUR"}, "cost"),
        ({"cost": "-1", "currency": "EUR"}, "cost"),
        ({"pass_score_percent": 33.333}, "pass_score_percent"),
        ({"duration_hours": 0}, "duration_hours"),
    ],
)
def test_rules_between_the_fields_of_a_program_name_the_field(
    api: Api, changes: dict[str, Any], field: str
) -> None:
    before = api.log_length()
    answer = api.admin.post("programs", {"code": "RULES", "title": "Rules"} | changes)
    assert (answer.status, list(answer.broken)) == (422, [field])
    assert api.log_length() == before


def test_the_id_in_an_employees_body_is_the_one_in_the_path(api: Api) -> None:
    answer = api.admin.put("employees/one", {"id": "two"})
    assert (answer.status, answer.broken) == (422, {"id": "must be the one in the path"})


def test_what_is_nowhere_and_what_is_no_method_are_problems_too(api: Api) -> None:
    nowhere = api.admin.get("nowhere")
    assert (nowhere.status, nowhere.json["code"]) == (404, "not_found")
    assert nowhere.headers["Content-Type"] == "application/problem+json"
    no_method = permitted(api).call("PATCH", "programs")
    assert (no_method.status, no_method.json["code"]) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(no_method.headers["Allow"].split(", "))
    assert permitted(api).call("OPTIONS", "programs").status == 405


@pytest.mark.parametrize("position", ["", "-1", "1.5", "x", "99999999999999999999"])
def test_a_position_that_is_none_is_refused(api: Api, position: str) -> None:
    answer = api.admin.get("programs", headers={"Rollbook-At-Least": position})
    assert (answer.status, list(answer.broken)) == (422, ["Rollbook-At-Least"])
