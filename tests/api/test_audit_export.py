"""Histories as CSV and NDJSON: whole, harmless to spreadsheets, and logged page by page."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from api import audit_export
from tests.api.world import Answer, Api

FORMULA = '=HYPERLINK("http://evil.example")'


@pytest.fixture(scope="module")
def last(api: Api) -> Answer:
    """Two people in one program, and a reason that a spreadsheet would run."""
    program = api.published()["id"]
    api.enrolled(program, api.hire())
    enrolled = api.enrolled(program, api.hire(), reason=FORMULA)
    api.instructor.post(f"enrollments/{enrolled.json['id']}/progress", {"percent": 40})
    return api.instructor.post(f"enrollments/{enrolled.json['id']}/complete")


def lines(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200, answer.data
    return list(csv.DictReader(io.StringIO(answer.data.decode())))


def test_a_history_as_csv_says_what_it_says_as_json(api: Api, last: Answer) -> None:
    path = f"audit/enrollments/{last.json['id']}"
    told = api.auditor.get(path).json["items"]
    table = lines(api.auditor.get(path, headers={"Accept": "text/csv"}))
    assert [line["summary"] for line in table] == [item["summary"] for item in told]
    assert [int(line["position"]) for line in table] == [item["position"] for item in told]
    assert 'enrollment.status: "enrolled" -> "in_progress"' in table[1]["changes"]
    assert json.loads(table[1]["state"]) == told[1]["stored"]["state"]
    assert table[0]["reason"] == f"'{FORMULA}"


@pytest.mark.parametrize("path", ["events?sort=recorded_at", "employees/{employee}"])
def test_an_export_has_every_page(
    api: Api, last: Answer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "EXPORTED_AT_ONCE", 2)
    full = f"audit/{path.format(employee=last.json['employee_id'])}"
    told: list[Any] = api.auditor.get(full, at_least=last).json["items"]
    answer = api.auditor.get(full, headers={"Accept": "application/x-ndjson"})
    assert [json.loads(line) for line in answer.data.splitlines()] == told
    assert "attachment" in answer.headers["Content-Disposition"]
    of_some = api.auditor.get(f"{full}{'&' if '?' in full else '?'}limit=1&format=csv")
    assert [int(line["position"]) for line in lines(of_some)] == [told[0]["position"]]


def test_each_page_of_an_export_is_logged_with_the_people_on_it(
    api: Api, last: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_export, "EXPORTED_AT_ONCE", 2)
    path = f"audit/events?program_id={last.json['program_id']}&format=csv&sort=recorded_at"
    shown = lines(api.auditor.get(path, at_least=last))
    accesses = api.auditor.get("audit/accesses?limit=500").json["items"]
    pages = [one["employees"] for one in accesses if one["asked_for"].endswith(path)]
    assert len(pages) == (len(shown) + 1) // 2
    assert pages[-1] == []
    assert pages[0] == [last.json["employee_id"]]
