"""Whole lists as CSV and NDJSON: complete, harmless to spreadsheets, and never cut off unseen."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from api import lists
from projections.sight import Sight
from tests.api.world import Api

RISKY = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", '=HYPERLINK("x","y")')


@pytest.fixture(scope="module")
def staff(api: Api) -> list[str]:
    """Employees with names that a spreadsheet would run."""
    return [api.hire(name=name, department="a,b;c\n=d") for name in RISKY]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_list_as_csv_holds_every_row_and_no_formula(
    api: Api, staff: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several batches, of which the last is not full.
    monkeypatch.setattr(lists, "EXPORTED_AT_ONCE", 3)
    answer = api.admin.get("employees", headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="employees-')
    found = rows(answer.data.decode())
    listed = api.admin.get("employees?limit=500").json["items"]
    assert [row["id"] for row in found] == [item["id"] for item in listed]
    assert {row["name"] for row in found if row["id"] in staff} == {f"'{name}" for name in RISKY}
    assert not [v for row in found for v in row.values() if v.lstrip(" ").startswith(RISKY)]
    assert answer.data.count(b"\r\n") == len(found) + 1


def test_numbers_stay_numbers_and_parts_have_columns_of_their_own(api: Api) -> None:
    money = {"cost": "12.50", "currency": "EUR"}
    last = api.published(tags=["a", "=b"], certification={"offered": True}, **money)
    wanted = f"programs?format=csv&q={last['code']}&fields=code,cost,tags,certification,version"
    enrolled = api.enrolled(last["id"], api.hire())
    [row] = rows(api.admin.get(wanted, at_least=enrolled).data.decode())
    assert (row["code"], row["cost"], row["tags"]) == (last["code"], "12.50", "a; =b")
    assert (row["certification.offered"], row["certification.title"]) == ("true", "")


@pytest.mark.usefixtures("staff")
def test_a_list_as_ndjson_is_the_items_of_its_pages(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "EXPORTED_AT_ONCE", 2)
    answer = api.admin.get("employees?format=ndjson&sort=-id")
    listed = api.admin.get("employees?sort=-id&limit=500").json["items"]
    assert [json.loads(line) for line in answer.data.splitlines()] == listed
    some = api.admin.get("employees?format=ndjson&sort=-id&limit=3").data.splitlines()
    assert [json.loads(line) for line in some] == listed[:3]


def test_an_empty_list_as_csv_is_its_header(api: Api) -> None:
    nothing = f"certificates?format=csv&fields=number,title&enrollment_id={uuid4()}"
    answer = api.admin.get(nothing)
    assert answer.data == b'"number","title"\r\n'


def test_a_row_of_somebody_else_is_in_no_export(api: Api, staff: list[str]) -> None:
    program = api.published()["id"]
    theirs = api.enrolled(program, staff[0])
    answer = api.employee(staff[1]).get("enrollments?format=ndjson", at_least=theirs)
    assert answer.data == b""


@pytest.mark.usefixtures("staff")
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_list_that_breaks_off_says_so_in_its_last_line(
    api: Api, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(lists, "EXPORTED_AT_ONCE", 3)
    # What is seen has to be looked at, and then the first rows come.
    Sight.outlive()
    monkeypatch.setattr(api.pool, "getconn", no_more_than_two(api.pool.getconn))
    some = api.admin.get(f"employees?format={form}&fields=id").data.splitlines()
    assert len(some) == 3 + 1 + (form == "csv")
    assert b"broken_off" in some[-1]


def no_more_than_two(getconn: Callable[..., Any]) -> Callable[..., Any]:
    calls = iter((getconn, getconn))

    def twice(*args: Any) -> Any:
        for call in calls:
            return call(*args)
        raise psycopg.OperationalError

    return twice
