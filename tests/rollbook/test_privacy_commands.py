"""`rollbook erase` and `rollbook hold`, and a restore from a backup."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click
import psycopg
import pytest
from click.testing import CliRunner, Result

from directory.employees import Employee
from domain.act import Act
from domain.enrollment import Enrollment, Source
from domain.program_details import ProgramDetails
from domain.provenance import Provenance
from rollbook.assembly import write_side
from rollbook.commands_import import import_
from rollbook.commands_privacy import erase, hold
from rollbook.migrate import migrate
from rollbook.settings import Settings
from tests.rollbook.importing import projected

ACT = Act(Provenance("hr-1", "hr_admin"))


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A database in which ann is enrolled, with a note about her."""
    settings = Settings.from_environment({"DATABASE_URL": database_url})
    with write_side(settings, 2) as side:
        side.employees.put(Employee("ann", "Ann"))
        program = side.training.create_program(ProgramDetails("FIRE-1", "Fire"), ACT).subject
        side.training.publish_program(program.id, ACT)
        enrolled = side.training.enroll(program.id, "ann", ACT, Source.ASSIGNED).subject
        side.training.record_progress(enrolled.id, ACT, 10.0, note="Slow at first")
    return settings


def run(settings: Settings, command: click.Command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, obj=settings)


def notes(settings: Settings) -> list[str]:
    """The notes that can be read in the log."""
    with write_side(settings, 2) as side, side.recorder.connection() as conn:
        query = "select stream_id from rollbook.events where topic = %s"
        topic = Enrollment.ProgressRecorded.TOPIC
        streams: list[UUID] = [stream for (stream,) in conn.execute(query, (topic,)).fetchall()]
        events = [event for stream in streams for event in side.training.history(stream)]
    return [e.note for e in events if isinstance(e, Enrollment.ProgressRecorded) and e.note]


def test_erasing_prints_a_receipt_without_anything_personal(settings: Settings) -> None:
    assert notes(settings) == ["Slow at first"]
    done = run(settings, erase, "ann", "--reason", "Case 17", "--actor", "hr-9")
    assert done.exit_code == 0, done.output
    lines = dict(
        line.split(maxsplit=1) for line in done.output.replace("erased ", "erased_").splitlines()
    )
    assert (lines["employee"], lines["reason"]) == ("ann", "Case 17")
    assert (lines["enrollments"], lines["events"]) == ("1", "2")
    assert "Ann" not in done.output
    assert notes(settings) == ["[erased]"]


def test_erasing_again_says_so_and_prints_the_same_receipt(settings: Settings) -> None:
    first = run(settings, erase, "ann", "--reason", "Case 17").output
    again = run(settings, erase, "ann", "--reason", "Case 18")
    assert again.exit_code == 0
    assert again.output == f"Employee ann was erased before. The receipt:\n{first}"


def test_a_hold_keeps_from_erasing_until_it_is_lifted(settings: Settings) -> None:
    held = run(settings, hold, "place", "ann", "--reason", "Lawsuit 4")
    assert held.exit_code == 0
    refused = run(settings, erase, "ann", "--reason", "Case 17")
    assert refused.exit_code == 1
    assert refused.output == "Error: The data of employee ann is held: Lawsuit 4\n"
    assert run(settings, hold, "lift", "ann", "--reason", "Settled").exit_code == 0
    assert run(settings, erase, "ann", "--reason", "Case 17").exit_code == 0


def test_who_is_held_is_not_held_twice_and_who_was_erased_not_at_all(settings: Settings) -> None:
    run(settings, hold, "place", "ann", "--reason", "Lawsuit 4")
    again = run(settings, hold, "place", "ann", "--reason", "Lawsuit 5")
    assert (again.exit_code, again.output) == (
        1,
        "Error: The data of employee ann is held: Lawsuit 4\n",
    )
    run(settings, hold, "lift", "ann", "--reason", "Settled")
    run(settings, erase, "ann", "--reason", "Case 17")
    late = run(settings, hold, "place", "ann", "--reason", "Lawsuit 6")
    assert (late.exit_code, late.output) == (1, "Error: The data of employee ann was erased.\n")


def test_holds_are_listed(settings: Settings) -> None:
    run(settings, hold, "place", "ann", "--reason", "Lawsuit 4", "--actor", "hr-9")
    with projected(str(settings.database_url)):
        listed = run(settings, hold, "list")
    assert listed.exit_code == 0
    first, last = listed.output.splitlines()
    assert first.startswith("ann: since ")
    assert first.endswith(", by hr-9: Lawsuit 4")
    assert last == "1 legal hold."


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_an_import_tells_that_a_row_is_of_who_was_erased(
    settings: Settings, tmp_path: Path, options: tuple[str, ...]
) -> None:
    run(settings, erase, "ann", "--reason", "Case 17")
    file = tmp_path / "employees.csv"
    file.write_text("id,name\nann,Ann\nbob,Bob\n")
    done = run(settings, import_, "csv", "--employees", str(file), *options)
    assert done.exit_code == 1
    assert "employees.csv, line 2, column id: is of an employee who was erased" in done.output
    assert "employees: added 1" in done.output


def test_nobody_is_told_plainly(settings: Settings) -> None:
    refused = run(settings, erase, "nobody", "--reason", "Case 17")
    assert (refused.exit_code, refused.output) == (1, "Error: There is no employee nobody.\n")


def test_what_a_restore_brings_back_is_erased_again_by_migrate(settings: Settings) -> None:
    with psycopg.connect(str(settings.database_url)) as conn:
        kept = conn.execute("select employee_id, key from rollbook.personal_keys").fetchall()
    run(settings, erase, "ann", "--reason", "Case 17")
    with psycopg.connect(str(settings.database_url)) as conn:
        conn.execute("delete from rollbook.personal_keys")
        conn.cursor().executemany("insert into rollbook.personal_keys values (%s, %s)", kept)
    assert notes(settings) == ["Slow at first"]
    migrate(settings)
    assert notes(settings) == ["[erased]"]
    with write_side(settings, 2) as side:
        side.employees.put(Employee("ann", "Ann"))
        assert "ann" not in side.employees.find_many(["ann"])
