from __future__ import annotations

import gzip
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from domain.act import Act
from domain.program_details import ProgramDetails
from domain.provenance import Provenance
from rollbook.importing.write_side import import_side
from tests.rollbook import oulad_count
from tests.rollbook.importing import (
    OULAD,
    figures,
    history,
    number_of_events,
    program_history,
    run_import,
)


@pytest.fixture
def loaded_url(database_url: str) -> str:
    result = run_import(database_url, "oulad", OULAD)
    assert result.exit_code == 0, result.output
    return database_url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sample, to be spoiled."""
    return Path(shutil.copytree(OULAD, tmp_path / "oulad"))


def test_a_presentation_is_a_published_program_from_the_first_day_it_is_needed(
    loaded_url: str,
) -> None:
    assert program_history(loaded_url, "XYZ-2013J") == [
        ("Created", "2013-04-25"),
        ("Published", "2013-04-25"),
        ("EnrollmentsBegan", "2013-09-01"),
    ]


def test_a_program_without_students_begins_on_its_first_day(loaded_url: str) -> None:
    assert program_history(loaded_url, "QRS-2014J") == [
        ("Created", "2014-10-01"),
        ("Published", "2014-10-01"),
    ]


def test_submissions_are_progress_which_exams_do_not_move(loaded_url: str) -> None:
    assert history(loaded_url, "XYZ-2013J", "oulad-101") == [
        ("Enrolled", "2013-09-01", "North Region"),
        ("ProgressRecorded", "2013-10-11", 33.0, 80.0),
        ("ProgressRecorded", "2013-11-10", 66.0, 70.0),
        ("ProgressRecorded", "2013-11-30", 100.0, 75.0),
        ("ProgressRecorded", "2014-01-09", 100.0, 90.0),
        ("Completed", "2014-01-09", 78.75, "pass"),
        ("CertificateIssued", "2014-01-09"),
    ]


def test_an_unknown_registration_is_on_the_first_day_and_a_late_submission_moves_the_end(
    loaded_url: str,
) -> None:
    assert history(loaded_url, "XYZ-2013J", "oulad-102") == [
        ("Enrolled", "2013-10-01", "South Region"),
        ("ProgressRecorded", "2013-10-01", 33.0),
        ("ProgressRecorded", "2013-11-10", 66.0, 95.0),
        ("ProgressRecorded", "2014-01-14", 100.0, 90.0),
        ("Completed", "2014-01-14", 92.5, "distinction"),
        ("CertificateIssued", "2014-01-14"),
    ]


def test_who_failed_failed_at_the_end_and_what_followed_the_withdrawal_is_left_out(
    loaded_url: str,
) -> None:
    assert history(loaded_url, "XYZ-2013J", "oulad-103") == [
        ("Enrolled", "2013-09-21", "Wales"),
        ("ProgressRecorded", "2013-10-11", 33.0, 20.0),
        ("Failed", "2014-01-09"),
    ]


def test_a_submission_on_the_day_of_the_withdrawal_counts_and_a_later_one_does_not(
    loaded_url: str,
) -> None:
    assert history(loaded_url, "XYZ-2013J", "oulad-104") == [
        ("Enrolled", "2013-09-26", "Scotland"),
        ("ProgressRecorded", "2013-10-16", 33.0, 50.0),
        ("Withdrawn", "2013-10-16"),
    ]


def test_an_unknown_withdrawal_is_at_the_end(loaded_url: str) -> None:
    assert history(loaded_url, "XYZ-2013J", "oulad-105") == [
        ("Enrolled", "2013-09-26", "Wales"),
        ("Withdrawn", "2014-01-09"),
    ]


def test_an_unknown_registration_is_not_after_the_withdrawal(loaded_url: str) -> None:
    assert history(loaded_url, "XYZ-2013J", "oulad-106") == [
        ("Enrolled", "2013-09-28", "Scotland"),
        ("Withdrawn", "2013-09-28"),
    ]


def test_a_completion_without_submissions_has_no_score(loaded_url: str) -> None:
    assert history(loaded_url, "XYZ-2013J", "oulad-107") == [
        ("Enrolled", "2013-04-25", "Wales"),
        ("Completed", "2014-01-09", "pass"),
        ("CertificateIssued", "2014-01-09"),
    ]


def test_progress_is_in_order_of_days_and_never_before_the_enrollment(loaded_url: str) -> None:
    assert history(loaded_url, "XYZ-2014B", "oulad-101") == [
        ("Enrolled", "2014-02-06", "North Region"),
        ("ProgressRecorded", "2014-02-06", 50.0, 61.0),
        ("ProgressRecorded", "2014-03-23", 100.0, 100.0),
        ("Completed", "2014-05-02", 80.5, "pass"),
        ("CertificateIssued", "2014-05-02"),
    ]


def test_the_figures_agree_with_a_count_of_the_files(loaded_url: str) -> None:
    counted = oulad_count.count(OULAD)
    found = figures(loaded_url)
    assert found == {name: counted[name] for name in found}


def test_the_report_tells_what_was_added_and_what_was_left_out(database_url: str) -> None:
    report = json.loads(run_import(database_url, "oulad", OULAD, "--json").stdout)
    assert report["added"] == {
        "programs": 3,
        "employees": 8,
        "enrollments": 9,
        "progress": 11,
        "completed": 4,
        "failed": 1,
        "withdrawn": 4,
        "certificates": 4,
    }
    assert report["skipped"] == {"submissions_after_withdrawal": 2, "enrollments_refused": 0}
    assert report["found"] == {
        "enrollments": 9,
        "submissions": 13,
        "registrations_without_a_day": 2,
        "withdrawn_without_a_day": 1,
        "failed_with_a_withdrawal_day": 1,
        "submissions_without_a_score": 1,
        "submissions_before_registration": 1,
        "students_in_several_programs": 1,
    }


def test_a_second_run_adds_nothing(loaded_url: str) -> None:
    events = number_of_events(loaded_url)
    report = json.loads(run_import(loaded_url, "oulad", OULAD, "--json").stdout)
    assert set(report["added"].values()) == {0}
    assert report["already_there"] == {"programs": 3, "employees": 8, "enrollments": 9}
    assert number_of_events(loaded_url) == events


def test_a_second_run_leaves_what_changed_in_the_directory_meanwhile(loaded_url: str) -> None:
    with psycopg.connect(loaded_url) as conn:
        conn.execute("update rollbook.employees set department = 'Sales' where id = 'oulad-101'")
    run_import(loaded_url, "oulad", OULAD)
    with psycopg.connect(loaded_url) as conn:
        query = "select department from rollbook.employees where id = 'oulad-101'"
        assert conn.execute(query).fetchone() == ("Sales",)


def test_an_enrollment_that_the_rules_refuse_is_reported_and_the_others_are_loaded(
    database_url: str, folder: Path
) -> None:
    spoil(folder / "studentRegistration.csv", '"104","-5","15"', '"104","30","15"')
    result = run_import(database_url, "oulad", folder, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["added"]["enrollments"] == 8
    assert [(r["line"], r["employee_id"]) for r in report["refused"]] == [(5, "oulad-104")]
    assert history(database_url, "XYZ-2013J", "oulad-104") == []


def test_packed_files_are_read_as_well(database_url: str, folder: Path) -> None:
    for file in folder.glob("*.csv"):
        packed = gzip.compress(file.read_bytes())
        file.with_suffix(".csv.gz").write_bytes(packed)
        file.unlink()
    assert run_import(database_url, "oulad", folder).exit_code == 0
    assert number_of_events(database_url) == oulad_count.count(OULAD)["events"]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "studentInfo.csv",
            "Y,Fail",
            "Y,Failed",
            "studentInfo.csv, line 4, column final_result: must be one of Pass, Distinction, Fail",
        ),
        (
            "studentAssessment.csv",
            "2,101,40,0,70",
            "2,101,40,0,170",
            "studentAssessment.csv, line 6, column score: must be 0 to 100",
        ),
        (
            "studentAssessment.csv",
            "2,101,40,0,70",
            "2,101,,0,70",
            "studentAssessment.csv, line 6, column date_submitted: must not be empty",
        ),
        (
            "studentAssessment.csv",
            "2,101,40,0,70",
            "2,101,40,0",
            "studentAssessment.csv, line 6: must have 5 fields, but has 4",
        ),
        (
            "studentAssessment.csv",
            "2,101,40",
            "2,999,40",
            "studentAssessment.csv, line 6, column id_student: must be in studentInfo for XYZ",
        ),
        (
            "studentRegistration.csv",
            '"-30"',
            '"-30.5"',
            "studentRegistration.csv, line 2, column date_registration: must be a whole number",
        ),
        (
            "studentRegistration.csv",
            '"XYZ","2014B","201","-20","95"\n',
            "",
            "studentRegistration.csv, column id_student: 201 of XYZ-2014B has no row",
        ),
        (
            "courses.csv",
            "module_presentation_length",
            "length",
            "courses.csv, line 1, column module_presentation_length: is missing",
        ),
        (
            "courses.csv",
            "XYZ,2013J",
            "XYZ,2013K",
            "courses.csv, line 2, column code_presentation: must be a year and B or J",
        ),
    ],
)
def test_nothing_is_written_when_a_file_is_wrong(
    database_url: str, folder: Path, file: str, old: str, new: str, message: str
) -> None:
    spoil(folder / file, old, new)
    result = run_import(database_url, "oulad", folder)
    assert result.exit_code == 1
    assert message in result.stderr
    assert number_of_events(database_url) == 0


def test_a_missing_file_is_named(database_url: str, folder: Path) -> None:
    (folder / "assessments.csv").unlink()
    result = run_import(database_url, "oulad", folder)
    assert result.exit_code == 1
    assert "assessments.csv: is missing in" in result.stderr


def test_a_program_that_somebody_else_made_is_not_enrolled_in(database_url: str) -> None:
    act = Act(Provenance("hr", "hr_admin"))
    with import_side(database_url) as side:
        side.training.create_program(ProgramDetails(code="XYZ-2014B", title="Mine"), act)
    events = number_of_events(database_url)
    result = run_import(database_url, "oulad", OULAD)
    assert result.exit_code == 1
    assert "The code XYZ-2014B belongs to the program" in result.stderr
    assert number_of_events(database_url) == events


def test_an_import_that_is_killed_again_and_again_comes_to_the_same(
    database_url: str, tmp_path: Path
) -> None:
    folder = many_students(tmp_path, 1_500)
    for events in (50, 1_500, 3_000):
        process = start_import(database_url, folder)
        while process.poll() is None and number_of_events(database_url) < events:
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert number_of_events(database_url) < 9_000
    assert run_import(database_url, "oulad", folder).exit_code == 0
    counted = oulad_count.count(folder)
    found = figures(database_url)
    assert found == {name: counted[name] for name in found}


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def start_import(database_url: str, folder: Path) -> subprocess.Popen[bytes]:
    program = (
        "import sys; from tests.rollbook.importing import run_import;"
        "run_import(sys.argv[1], 'oulad', sys.argv[2])"
    )
    return subprocess.Popen([sys.executable, "-c", program, database_url, str(folder)])


def many_students(tmp_path: Path, number: int) -> Path:
    """The sample with many more students who handed in four times each and passed."""
    folder = Path(shutil.copytree(OULAD, tmp_path / "many"))
    ids = range(1_000, 1_000 + number)
    add(folder / "studentInfo.csv", (f"XYZ,2013J,{i},F,R{i % 9},,,,0,60,N,Pass" for i in ids))
    add(folder / "studentRegistration.csv", (f"XYZ,2013J,{i},{-(i % 50)}," for i in ids))
    add(
        folder / "studentAssessment.csv",
        (f"{a},{i},{20 * a},0,{(i * a) % 101}" for a in (1, 2, 3, 4) for i in ids),
    )
    return folder


def add(file: Path, lines: object) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.writelines(f"{line}\n" for line in lines)  # type: ignore[attr-defined]
