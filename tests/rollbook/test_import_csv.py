from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.act import Act
from domain.enrollment import Enrollment
from domain.program_details import ProgramDetails
from domain.provenance import Provenance
from rollbook.importing.team_programs import holder_of
from rollbook.importing.write_side import import_side
from tests.rollbook.importing import (
    history,
    number_of_events,
    program_history,
    run_import,
    write_csv,
)

ANN = {"id": "ann", "name": "Ann Lee", "email": "ann@example.org", "department": "Sales"}
BOB = {"id": "bob", "name": "Bob Ray", "email": "bob@example.org", "department": "Legal"}
FIRE = {"code": "FIRE", "title": "Fire safety", "certification_offered": "true"}
OPEN = {"program_code": "FIRE", "employee_id": "ann", "enrolled_on": "2024-01-10"}
DONE = {**OPEN, "outcome": "completed", "ended_on": "2024-02-01", "score_percent": "88.5"}

Rows = list[dict[str, str]]
Import = Callable[..., dict[str, Any]]


@pytest.fixture
def take_over(database_url: str, tmp_path: Path) -> Import:
    """Takes over the given rows, and returns the report; `ok` is whether it succeeded."""

    def run(*options: str, **rows: Rows) -> dict[str, Any]:
        files = [
            part
            for name, listed in rows.items()
            for part in (f"--{name}", write_csv(tmp_path / f"{name}.csv", listed))
        ]
        result = run_import(database_url, "csv", *files, "--json", *options)
        assert result.stdout, result.stderr
        return {"ok": result.exit_code == 0, **json.loads(result.stdout)}

    return run


@pytest.fixture
def prepared(take_over: Import) -> Import:
    """The same, with two employees and a program there already."""
    assert take_over(employees=[ANN, BOB], programs=[FIRE])["ok"]
    return take_over


def places(report: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(row["line"], row["column"], row["rule"]) for row in report["bad_rows"]]


def test_three_files_are_taken_over_in_one_run(take_over: Import, database_url: str) -> None:
    report = take_over(employees=[ANN, BOB], programs=[FIRE], enrollments=[DONE])
    assert report["ok"]
    assert report["employees"] == {"added": 2}
    assert report["programs"] == {"added": 1}
    assert report["enrollments"] == {"enrolled": 1, "completed": 1}
    assert program_history(database_url, "FIRE") == [
        ("Created", "2024-01-10"),
        ("Published", "2024-01-10"),
        ("EnrollmentsBegan", "2024-01-10"),
    ]
    assert history(database_url, "FIRE", "ann") == [
        ("Enrolled", "2024-01-10", "Sales"),
        ("Completed", "2024-02-01", 88.5),
        ("CertificateIssued", "2024-02-01"),
    ]


def test_every_outcome_and_progress_are_recorded_on_their_days(
    prepared: Import, database_url: str
) -> None:
    failed = {
        **OPEN,
        "percent": "40",
        "progressed_on": "2024-01-20",
        "outcome": "failed",
        "ended_on": "2024-02-02",
        "score_percent": "12",
        "reason": "no show",
    }
    withdrawn = {
        **OPEN,
        "employee_id": "bob",
        "due_on": "2024-12-31",
        "outcome": "withdrawn",
        "ended_on": "2024-01-10",
    }
    report = prepared(enrollments=[failed, withdrawn])
    assert report["enrollments"] == {"enrolled": 2, "progress": 1, "failed": 1, "withdrawn": 1}
    assert history(database_url, "FIRE", "ann") == [
        ("Enrolled", "2024-01-10", "Sales"),
        ("ProgressRecorded", "2024-01-20", 40.0),
        ("Failed", "2024-02-02", 12.0),
    ]
    assert history(database_url, "FIRE", "bob") == [
        ("Enrolled", "2024-01-10", "Legal"),
        ("Withdrawn", "2024-01-10"),
    ]


def test_a_second_run_adds_nothing(take_over: Import, database_url: str) -> None:
    rows: dict[str, Rows] = {"employees": [ANN], "programs": [FIRE], "enrollments": [DONE]}
    take_over(**rows)
    events = number_of_events(database_url)
    report = take_over(**rows)
    assert report["ok"]
    assert report["employees"] == report["programs"] == report["enrollments"] == {"unchanged": 1}
    assert number_of_events(database_url) == events


def test_a_later_file_brings_the_outcome_of_an_open_enrollment(
    prepared: Import, database_url: str
) -> None:
    prepared(enrollments=[OPEN])
    report = prepared(enrollments=[DONE])
    assert report["enrollments"] == {"completed": 1}
    assert [fact for fact, *_ in history(database_url, "FIRE", "ann")] == [
        "Enrolled",
        "Completed",
        "CertificateIssued",
    ]


def test_an_older_file_does_no_harm(prepared: Import, database_url: str) -> None:
    prepared(enrollments=[DONE])
    events = number_of_events(database_url)
    assert prepared(enrollments=[OPEN])["enrollments"] == {"unchanged": 1}
    assert number_of_events(database_url) == events


@pytest.mark.parametrize(
    "other",
    [
        {**DONE, "outcome": "failed"},
        {**DONE, "score_percent": "90"},
        {**DONE, "ended_on": "2024-02-02"},
        {**DONE, "grade": "good"},
    ],
)
def test_an_outcome_that_contradicts_the_log_is_a_bad_row(
    prepared: Import, database_url: str, other: dict[str, str]
) -> None:
    prepared(enrollments=[DONE])
    events = number_of_events(database_url)
    report = prepared(enrollments=[other])
    assert not report["ok"]
    rule = "contradicts Rollbook: completed on 2024-02-01, score 88.5"
    assert places(report) == [(2, "outcome", rule)]
    assert number_of_events(database_url) == events


def test_a_completion_that_was_voided_is_not_recorded_again(
    prepared: Import, database_url: str
) -> None:
    prepared(enrollments=[DONE])
    with import_side(database_url) as side:
        program_id = holder_of(side.training, "FIRE")
        assert program_id is not None
        act = Act(Provenance("hr", "hr_admin"), reason="recorded in error")
        side.training.void_completion(Enrollment.id_of(program_id, "ann"), act)
    assert prepared(enrollments=[DONE])["enrollments"] == {"unchanged": 1}


def test_an_enrollment_is_taken_over_as_a_whole_or_not_at_all(
    take_over: Import, database_url: str
) -> None:
    strict = {**FIRE, "pass_score_percent": "90"}
    good = {**DONE, "employee_id": "bob", "score_percent": "95"}
    report = take_over(employees=[ANN, BOB], programs=[strict], enrollments=[DONE, good])
    assert places(report) == [
        (2, "score_percent", "must reach the pass score of 90, but is 88.5"),
    ]
    assert report["enrollments"] == {"enrolled": 1, "completed": 1}
    assert history(database_url, "FIRE", "ann") == []


def test_enrolling_again_after_an_end_is_another_row(prepared: Import, database_url: str) -> None:
    failed = {**OPEN, "outcome": "failed", "ended_on": "2024-01-31", "score_percent": ""}
    again = {**DONE, "enrolled_on": "2024-02-01", "ended_on": "2024-03-01"}
    for _ in range(2):
        assert prepared(enrollments=[failed, again])["ok"]
    assert [fact for fact, *_ in history(database_url, "FIRE", "ann")] == [
        "Enrolled",
        "Failed",
        "Enrolled",
        "Completed",
        "CertificateIssued",
    ]


def test_a_cycle_that_was_followed_by_another_takes_no_more_facts(prepared: Import) -> None:
    failed = {**OPEN, "outcome": "failed", "ended_on": "2024-01-31"}
    prepared(enrollments=[failed, {**OPEN, "enrolled_on": "2024-02-01"}])
    report = prepared(enrollments=[{**failed, "outcome": "withdrawn"}])
    assert [place[:2] for place in places(report)] == [(2, "enrolled_on")]


def test_rows_that_are_there_twice_are_recorded_once(prepared: Import, database_url: str) -> None:
    report = prepared(employees=[ANN, ANN], programs=[FIRE, FIRE], enrollments=[DONE, DONE])
    assert report["ok"]
    assert report["enrollments"] == {"enrolled": 1, "completed": 1, "unchanged": 1}
    assert len(history(database_url, "FIRE", "ann")) == 3


def test_an_employee_who_is_there_twice_with_other_values_is_a_bad_row(take_over: Import) -> None:
    report = take_over(employees=[ANN, {**ANN, "name": "Anna"}])
    assert places(report) == [(3, "id", "is in line 2 already, with other values")]


def test_columns_that_a_file_has_not_stay_as_they_are(take_over: Import, database_url: str) -> None:
    take_over(employees=[ANN])
    report = take_over(employees=[{"id": "ann", "department": "Legal", "active": "no"}])
    assert report["employees"] == {"changed": 1}
    with psycopg.connect(database_url) as conn:
        query = "select name, department, active from rollbook.employees where id = 'ann'"
        assert conn.execute(query).fetchone() == ("Ann Lee", "Legal", False)


def test_a_program_that_is_otherwise_in_rollbook_is_left_alone_and_reported(
    prepared: Import, database_url: str
) -> None:
    events = number_of_events(database_url)
    report = prepared(programs=[{**FIRE, "title": "Fire drill", "capacity": "10"}])
    assert places(report) == [
        (
            2,
            "title",
            "is 'Fire safety' in Rollbook already; programs are changed through the API",
        )
    ]
    assert number_of_events(database_url) == events


def test_all_columns_of_a_program_are_taken_over(take_over: Import, database_url: str) -> None:
    row = {
        "code": "LEAD-1",
        "title": "Leading",
        "description": 'How to "lead",\nin two lines',
        "category": "Leadership",
        "level": "advanced",
        "delivery_mode": "blended",
        "provider": "Academy",
        "instructor": "Kim",
        "duration_hours": "7.5",
        "capacity": "12",
        "starts_on": "2024-03-01",
        "ends_on": "2024-06-30",
        "enrollment_deadline": "2024-03-15",
        "cost": "1200.50",
        "currency": "EUR",
        "mandatory": "yes",
        "tags": "people; growth",
        "pass_score_percent": "60",
        "certification_offered": "true",
        "certification_title": "Leader",
        "certification_issued": "manually",
        "certification_valid_for_months": "24",
        "published_on": "2024-02-01",
    }
    assert take_over(programs=[row])["ok"]
    with import_side(database_url) as side:
        program_id = holder_of(side.training, "lead-1")
        assert program_id is not None
        created: Any = next(side.training.history(program_id))
    assert created.effective_at == datetime(2024, 2, 1, tzinfo=UTC)
    details = created.details
    assert isinstance(details, ProgramDetails)
    assert (details.description, details.capacity) == (row["description"], 12)
    assert (str(details.cost), details.tags) == ("1200.50", ("people", "growth"))
    assert (details.certification.issued, details.certification.valid_for_months) == (
        "manually",
        24,
    )
    assert take_over(programs=[row])["programs"] == {"unchanged": 1}


def test_a_limited_program_fills_in_the_order_of_the_file(
    take_over: Import, database_url: str
) -> None:
    small = {**FIRE, "capacity": "1"}
    rows: Rows = [OPEN, {**OPEN, "employee_id": "bob"}]
    report = take_over(employees=[ANN, BOB], programs=[small], enrollments=rows)
    assert report["ok"]
    assert [fact for fact, *_ in history(database_url, "FIRE", "bob")] == ["Waitlisted"]


BAD_ENROLLMENTS: list[tuple[dict[str, str], str, str]] = [
    ({**OPEN, "employee_id": ""}, "employee_id", "must not be empty"),
    ({**OPEN, "employee_id": "zoe"}, "employee_id", "must be in the directory, and zoe is not"),
    ({**OPEN, "program_code": "ICE"}, "program_code", "must be the code of a program; ICE is not"),
    ({**OPEN, "enrolled_on": "10.1.2024"}, "enrolled_on", "must be a date such as 2026-01-31"),
    ({**OPEN, "enrolled_on": "2024-02-30"}, "enrolled_on", "must be a day of the calendar"),
    ({**DONE, "ended_on": ""}, "ended_on", "must be given with outcome"),
    ({**OPEN, "percent": "10"}, "progressed_on", "must be given with percent"),
    ({**DONE, "ended_on": "2024-01-09"}, "ended_on", "must not be before enrolled_on"),
    ({**DONE, "outcome": "passed"}, "outcome", "must be one of completed, failed, withdrawn"),
    ({**DONE, "score_percent": "101"}, "score_percent", "must be 0 to 100"),
    ({**OPEN, "score_percent": "50"}, "score_percent", "must be empty unless the outcome is"),
    ({**OPEN, "grade": "A"}, "grade", "must be empty unless the outcome is completed"),
]


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
@pytest.mark.parametrize(("row", "column", "rule"), BAD_ENROLLMENTS)
def test_a_bad_row_is_told_with_line_column_and_rule(
    prepared: Import,
    database_url: str,
    options: tuple[str, ...],
    row: dict[str, str],
    column: str,
    rule: str,
) -> None:
    events = number_of_events(database_url)
    report = prepared(*options, enrollments=[row])
    assert not report["ok"]
    ((line, found_column, found_rule),) = places(report)
    assert (line, found_column) == (2, column)
    assert found_rule.startswith(rule)
    assert number_of_events(database_url) == events


def test_a_day_in_the_future_is_refused(prepared: Import) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    report = prepared(enrollments=[{**OPEN, "enrolled_on": tomorrow}])
    assert [place[:2] for place in places(report)] == [(2, "enrolled_on")]


def test_every_bad_field_of_a_row_is_told(take_over: Import) -> None:
    row = {**FIRE, "level": "expert", "capacity": "0.5", "ends_on": "soon"}
    report = take_over("--dry-run", programs=[row])
    assert [place[1] for place in places(report)] == ["level", "capacity", "ends_on"]


def test_a_dry_run_says_the_same_as_the_real_run_and_writes_nothing(
    take_over: Import, database_url: str
) -> None:
    enrollments: Rows = [
        DONE,
        DONE,
        {**DONE, "score_percent": "90"},
        {**OPEN, "employee_id": "bob"},
        {**OPEN, "employee_id": "zoe"},
        {**OPEN, "employee_id": "bob", "enrolled_on": "2024-03-01"},
    ]
    rows: dict[str, Rows] = {
        "employees": [ANN, BOB, {**BOB, "email": "x" * 400}],
        "programs": [{**FIRE, "capacity": "5"}, {**FIRE, "code": "ICE", "capacity": "0"}],
        "enrollments": enrollments,
    }
    rehearsed = take_over("--dry-run", **rows)
    assert number_of_events(database_url) == 0
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select count(*) from rollbook.employees").fetchone() == (0,)
    real = take_over(**rows)
    assert rehearsed.pop("dry_run")
    assert not real.pop("dry_run")
    assert len(real["bad_rows"]) == 5
    for report in (rehearsed, real):
        del report["seconds"]
        for row in report["bad_rows"]:
            row["rule"] = row["rule"].split(" has the enrollment ")[0]
    assert rehearsed == real


def test_a_bad_row_does_not_keep_the_others_out(prepared: Import, database_url: str) -> None:
    rows: Rows = [{**OPEN, "employee_id": "zoe"}, OPEN, {**OPEN, "enrolled_on": ""}]
    report = prepared(enrollments=rows)
    assert report["enrollments"] == {"enrolled": 1}
    assert [place[0] for place in places(report)] == [2, 4]
    assert len(history(database_url, "FIRE", "ann")) == 1


@pytest.mark.usefixtures("prepared")
def test_a_byte_order_mark_quotes_and_empty_lines_are_tolerated(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "enrollments.csv"
    text = '"program_code","employee_id","enrolled_on"\r\n\r\n"FIRE", ann ,2024-01-10\r\n'
    file.write_text(text, encoding="utf-8-sig", newline="")
    result = run_import(database_url, "csv", "--enrollments", file)
    assert result.exit_code == 0, result.output
    assert "enrolled 1" in result.stdout


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"program_code,employee_id,enrolled_on,colour\n", "column colour: is not known"),
        (b"program_code,employee_id\n", "column enrolled_on: is missing"),
        (b"program_code,employee_id,enrolled_on,enrolled_on\n", "enrolled_on: is there twice"),
        (b"", "column program_code: is missing"),
        (b"program_code,employee_id,enrolled_on\nF\xffRE,ann,2024-01-10\n", "must be in UTF-8"),
        (b'program_code,employee_id,enrolled_on\n"FIRE,ann,2024-01-10\n', "not well-formed CSV"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_refused_before_anything_is_written(
    database_url: str, tmp_path: Path, text: bytes, message: str
) -> None:
    file = tmp_path / "enrollments.csv"
    file.write_bytes(text)
    events = number_of_events(database_url)
    result = run_import(database_url, "csv", "--enrollments", file)
    assert result.exit_code == 1
    assert message in result.stderr
    assert number_of_events(database_url) == events


@pytest.mark.usefixtures("prepared")
def test_a_row_of_another_length_is_a_bad_row(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "enrollments.csv"
    file.write_text("program_code,employee_id,enrolled_on\nFIRE\nFIRE,ann,2024-01-10\n")
    result = run_import(database_url, "csv", "--enrollments", file)
    assert result.exit_code == 1
    assert "enrollments.csv, line 2: must have 3 fields, but has 1" in result.stdout
    assert len(history(database_url, "FIRE", "ann")) == 1


def test_no_file_at_all_is_refused(database_url: str) -> None:
    result = run_import(database_url, "csv")
    assert result.exit_code == 2
    assert "at least one of" in result.stderr
