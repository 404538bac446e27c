"""`rollbook import`: takes over records of other systems."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import click
import psycopg
from eventsourcing.persistence import PersistenceError

from rollbook.importing.csv_file import BadFile
from rollbook.ready_database import ready_database
from rollbook.settings import Settings

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group("import")
def import_() -> None:
    """Take over records of other systems. See docs/importing.md."""


@import_.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def oulad(settings: Settings, folder: Path, *, as_json: bool) -> None:
    """Load the Open University Learning Analytics Dataset from DIR.

    It may be stopped and run again: it goes on where it stopped, and adds nothing twice.
    """
    from rollbook.importing.import_reports import OuladReport  # noqa: PLC0415  needed here alone
    from rollbook.importing.oulad import OuladImport, ProgramOfAnother  # noqa: PLC0415
    from rollbook.importing.oulad_files import read_oulad  # noqa: PLC0415
    from rollbook.importing.write_side import import_side  # noqa: PLC0415

    began = monotonic()
    with told_plainly():
        url = ready_database(settings)
        files = read_oulad(folder)
        with import_side(url) as side, progress(len(files.students), as_json) as advanced:
            try:
                summary = OuladImport(side, files, advanced).run()
            except ProgramOfAnother as error:
                raise click.ClickException(str(error)) from None
    report = OuladReport(files, summary, monotonic() - began)
    click.echo(report.as_json() if as_json else report.as_text())
    sys.exit(1 if summary.refused else 0)


@import_.command("csv")
@click.option("--employees", type=FILE, help="The employees to put into the directory.")
@click.option("--programs", type=FILE, help="The programs to create and publish.")
@click.option("--enrollments", type=FILE, help="Who took part in them, and how it ended.")
@click.option("--dry-run", is_flag=True, help="Write nothing; list every bad row.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def csv_(
    settings: Settings,
    employees: Path | None,
    programs: Path | None,
    enrollments: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take over a team's own records from CSV files.

    Each enrollment is taken over as a whole or not at all; bad rows are listed with line, column
    and rule, and make the command fail. It may be run again: it adds nothing twice.
    """
    from rollbook.importing.import_reports import TeamReport  # noqa: PLC0415  needed here alone
    from rollbook.importing.rehearsal import rehearsal_side  # noqa: PLC0415
    from rollbook.importing.team import TeamFiles, import_team  # noqa: PLC0415
    from rollbook.importing.write_side import import_side  # noqa: PLC0415

    if not (employees or programs or enrollments):
        raise click.UsageError("Give at least one of --employees, --programs and --enrollments.")
    began = monotonic()
    with told_plainly():
        url = ready_database(settings)
        files = TeamFiles(employees, programs, enrollments)
        number = files.require_well_formed()
        opened = rehearsal_side(url) if dry_run else import_side(url)
        with opened as side, progress(number, as_json) as advanced:
            summary = import_team(side, files, advanced)
    report = TeamReport(summary, dry_run, monotonic() - began)
    click.echo(report.as_json() if as_json else report.as_text())
    sys.exit(1 if summary.bad else 0)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Show what is wrong with a file, or with the database, as one line."""
    try:
        yield
    except BadFile as error:
        raise click.ClickException(f"{error}. Nothing was written.") from None
    except (PersistenceError, psycopg.Error) as error:
        message = (
            f"The database refused, or went away: {error}\n"
            "Run the same command again: it goes on where it stopped."
        )
        raise click.ClickException(message) from None


@contextmanager
def progress(number: int, is_quiet: bool) -> Iterator[Callable[[int], None]]:  # noqa: FBT001
    """A bar of `number` steps on the terminal, if there is one; it gives what advances it."""
    if is_quiet or not sys.stderr.isatty():
        yield lambda _steps: None
        return
    with click.progressbar(length=number, label="Enrollments", file=sys.stderr) as bar:
        yield bar.update
