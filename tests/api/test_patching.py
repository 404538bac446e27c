"""Merge patches: what is left out stays, null resets, and the rules are those of PUT."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.test_programs import FULL
from tests.api.world import Api, unique

MERGE_PATCH = "application/merge-patch+json"


def test_a_patch_changes_what_it_names_and_nothing_else(api: Api) -> None:
    created = api.admin.post("programs", FULL | {"code": unique("PATCH")})
    patch = {"title": "New", "capacity": None, "certification": {"title": None}, "tags": ["one"]}
    patched = api.admin.patch(f"programs/{created.json['id']}", patch)
    assert patched.status == 200, patched.data
    wanted = FULL | {"title": "New", "capacity": None, "tags": ["one"]}
    wanted["certification"] = {**created.json["certification"], "title": None}
    assert {name: patched.json[name] for name in wanted} == wanted
    shown = api.admin.get(f"programs/{created.json['id']}", at_least=patched)
    assert shown.json == patched.json


@pytest.mark.parametrize(
    ("field", "reset"),
    [
        ("tags", []),
        ("mandatory", False),
        ("level", None),
        ("starts_on", None),
        (
            "certification",
            {"offered": False, "title": None, "issued": "automatically", "valid_for_months": None},
        ),
    ],
)
def test_null_resets_a_field_to_what_putting_without_it_would(
    api: Api, field: str, reset: object
) -> None:
    path = f"programs/{api.admin.post('programs', FULL | {'code': unique('N')}).json['id']}"
    assert api.admin.patch(path, {field: None}).json[field] == reset


def test_a_patch_that_changes_nothing_records_nothing(api: Api) -> None:
    program = api.drafted(category="Safety")
    before = api.log_length()
    for patch in ({}, {"category": "Safety"}, {"reason": "for nothing"}):
        same = api.admin.patch(f"programs/{program['id']}", patch)
        assert (same.status, same.json["version"]) == (200, program["version"])
    assert api.log_length() == before


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"title": None}, "title"),
        ({"code": ""}, "code"),
        ({"capacity": 0}, "capacity"),
        ({"colour": "red"}, "colour"),
        ({"colour": None}, "colour"),
        ({"certification": {"offered": "yes"}}, "certification.offered"),
        ({"certification": {"seal": None}}, "certification.seal"),
        ({"ends_on": "2026-02-01"}, "ends_on"),
        ({"currency": None}, "currency"),
        ({"id": "x"}, "id"),
    ],
)
def test_a_patch_keeps_the_rules_of_putting(api: Api, patch: dict[str, Any], field: str) -> None:
    path = f"programs/{api.admin.post('programs', FULL | {'code': unique('R')}).json['id']}"
    refused = api.admin.patch(path, patch)
    assert (refused.status, list(refused.broken)) == (422, [field])


def test_a_patch_says_what_it_is(api: Api) -> None:
    path = f"programs/{api.drafted()['id']}"
    headers = {"Content-Type": MERGE_PATCH}
    patched = api.admin.call("PATCH", path, data=b'{"title": "Merged"}', headers=headers)
    assert (patched.status, patched.json["title"]) == (200, "Merged")
    headers = {"Content-Type": "application/json-patch+json"}
    refused = api.admin.call("PATCH", path, data=b"[]", headers=headers)
    assert (refused.status, list(refused.broken)) == (415, ["Content-Type"])
    assert refused.headers["Accept-Patch"] == f"{MERGE_PATCH}, application/json"
    assert (
        api.admin.call("PUT", path, data=b"{}", headers={"Content-Type": MERGE_PATCH}).status == 415
    )


def test_an_employee_is_patched_likewise(api: Api) -> None:
    path = f"employees/{unique('p')}"
    assert api.admin.patch(path, {"name": "Nobody"}).status == 404
    api.admin.put(path, {"name": "Pat", "department": "R&D", "active": False})
    patched = api.admin.patch(path, {"department": None, "active": None})
    assert (patched.status, patched.json["name"]) == (200, "Pat")
    assert (patched.json["department"], patched.json["active"]) == (None, True)
    refused = api.admin.patch(path, {"id": "another", "name": 1})
    assert (refused.status, list(refused.broken)) == (422, ["name"])
    assert list(api.admin.patch(path, {"id": "another"}).broken) == ["id"]


def test_all_who_patch_different_fields_at_once_have_their_way(api: Api) -> None:
    path = f"programs/{api.drafted()['id']}"
    names = ("title", "description", "category", "provider", "instructor")
    with ThreadPoolExecutor(5) as callers:
        for word in ("one", "two", "three"):
            patches = [{name: word} for name in names]
            answers = list(callers.map(lambda patch: api.admin.patch(path, patch), patches))
            assert [answer.status for answer in answers] == [200] * 5
            shown = api.admin.patch(path, {}).json
            assert {shown[name] for name in names} == {word}
