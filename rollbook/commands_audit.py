"""`rollbook audit`: proof for auditors."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click

from audit import accesses
from audit.accesses import Access
from audit.bundling import Pages, people_in
from audit.selection import (
    NothingSelected,
    Selection,
    TrailIsBehind,
    of_period,
    of_person,
    of_program,
)
from eventlog.pool import Connection, open_connection
from projections.session import open_patient
from projections.timeline import EVER, NEVER
from proof import checkpoints, verify_bundle, whole_log
from proof.bundle import EventIsNotProven, Proven, bundle
from proof.live import Difference
from proof.stored_nodes import WrongNode
from proof.tree import Tree
from proof.verify_bundle import Broken, CannotBeChecked
from rollbook.checkpoint_key import signer
from rollbook.counted import counted
from rollbook.private_key import NotAnEd25519Key
from rollbook.ready_database import ready_database, told_plainly
from rollbook.settings import Settings

SHOWN_DIFFERENCES = 20

TOLD = (
    Broken,
    EventIsNotProven,
    NotAnEd25519Key,
    NothingSelected,
    OSError,
    TrailIsBehind,
    checkpoints.TreeWasChanged,
)

FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


class Moment(click.ParamType[datetime]):
    """A moment as RFC 3339 has it, or a day, which begins at midnight in UTC."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment, in UTC."""
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} must be as 2026-03-31 or 2026-03-31T12:00:00Z.", param, ctx)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


class Undecided(click.ClickException):
    """It could not be found out whether something holds."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        """Say why."""
        super().__init__(f"CANNOT BE CHECKED: {message}")


@click.group()
def audit() -> None:
    """Show that the log was not changed."""


@audit.command()
@click.pass_obj
def key(settings: Settings) -> None:
    """Print the public key by which checkpoints and bundles are checked."""
    with told_plainly(*TOLD):
        click.echo(signer(settings.checkpoints).verifier_key)


@audit.command()
@click.pass_obj
def checkpoint(settings: Settings) -> None:
    """Sign a checkpoint of all events that the tree holds now, and print it."""
    with told_plainly(*TOLD), open_connection(ready_database(settings)) as conn:
        click.echo(checkpoints.issue(conn, signer(settings.checkpoints)).note, nl=False)


@audit.command()
@click.option("--employee", metavar="ID", help="The enrollments of a person.")
@click.option("--program", type=click.UUID, help="A program and all enrollments in it.")
@click.option("--from", "begin", type=Moment(), help="Everything that was recorded from then on,")
@click.option("--until", type=Moment(), help="and before then; one of the two may be left out.")
@click.option("--out", type=FILE, required=True, help="The file to write.")
@click.pass_context
def export(
    context: click.Context,
    employee: str | None,
    program: UUID | None,
    begin: datetime | None,
    until: datetime | None,
    out: Path,
) -> None:
    """Write a bundle of events that can be checked without a database."""
    settings: Settings = context.obj
    period = (begin, until) if begin or until else None
    if sum(way is not None for way in (employee, program, period)) != 1:
        raise click.UsageError("Give --employee, or --program, or --from and --until.")
    with told_plainly(*TOLD), open_patient(ready_database(settings)) as conn:
        _log_access(conn, context, [employee] if employee else [])
        if employee is not None:
            selection = of_person(conn, Tree(conn), employee)
        elif program is not None:
            selection = of_program(conn, Tree(conn), program)
        else:
            selection = of_period(conn, Tree(conn), begin or EVER, until or NEVER)
        signs = signer(settings.checkpoints)
        made = checkpoints.issue(conn, signs)
        entries = _entries(conn, context, selection, made.size)
        _write(out, bundle(made, signs, selection.subject, entries))
    click.echo(f"Wrote {out}. Check it with: rollbook audit verify {out}")


@audit.command()
@click.argument("file", metavar="[BUNDLE]", type=EXISTING, required=False)
@click.option("--key", "vkey", metavar="VKEY", help="The key, from a source that you trust.")
@click.option("--show", is_flag=True, help="Print each event of the bundle that was checked.")
@click.option("--live", is_flag=True, help="Compare the whole log in the database with the tree.")
@click.option("--checkpoint", "outside", type=EXISTING, help="With --live: a file of checkpoints.")
@click.pass_obj
def verify(
    settings: Settings,
    file: Path | None,
    vkey: str | None,
    outside: Path | None,
    *,
    show: bool,
    live: bool,
) -> None:
    """Check a BUNDLE, or with --live the whole log: that nothing was changed."""
    if live == (file is not None):
        raise click.UsageError("Name a bundle, or give --live.")
    if file is None:
        with cannot_be_checked(), told_plainly(*TOLD):
            sys.exit(0 if _holds(settings, outside, vkey) else 1)
    try:
        verdict = verify_bundle.verify(file, vkey, show=show)
    except Broken as problem:
        raise click.ClickException(f"DOES NOT HOLD: {problem}") from None
    except CannotBeChecked as problem:
        raise Undecided(str(problem)) from None
    for line in verify_bundle.told(verdict, is_trusted=vkey is not None):
        click.echo(line, err=True)


def _holds(settings: Settings, outside: Path | None, vkey: str | None) -> bool:
    trusted = vkey or signer(settings.checkpoints).verifier_key
    shown, shown_nodes = iter(range(SHOWN_DIFFERENCES)), iter(range(SHOWN_DIFFERENCES))

    def show(difference: Difference) -> None:
        if next(shown, None) is not None:
            click.echo(f"position {difference.position}: {difference.kind}")

    def show_node(node: WrongNode) -> None:
        if next(shown_nodes, None) is not None:
            click.echo(f"in the stored tree, {node}")

    url = ready_database(settings)
    with open_patient(url) as log, open_patient(url) as tree:
        verdict = whole_log.verify(log, tree, outside, trusted, show, show_node)
        others = [one for one in checkpoints.keys(tree) if one != trusted]
    for found in verdict.contradictions:
        claim = found.claim
        why = (
            f"the tree has only {verdict.size}"
            if found.first_position is None
            else f"an event from position {found.first_position} on is another"
        )
        click.echo(f"{claim.found}, of {counted(claim.size, 'event')}, is contradicted: {why}")
    for other in others:
        click.echo(f"some of the stored checkpoints were signed by another key: {other}")
    click.echo(
        f"{'HOLDS' if verdict.holds else 'DOES NOT HOLD'}: {counted(verdict.size, 'event')} up to"
        f" position {verdict.position}, differing: {verdict.differing};"
        f" {counted(verdict.borne_out + len(verdict.contradictions), 'checkpoint')},"
        f" contradicted: {len(verdict.contradictions)}"
        + (f"; wrong in the stored tree: {verdict.wrong_nodes}" if verdict.wrong_nodes else "")
    )
    return verdict.holds


def _entries(
    conn: Connection, context: click.Context, selection: Selection, size: int
) -> Iterator[Proven]:
    pages = Pages(selection, size)
    while pages.has_more:
        page = pages.next(conn)
        _log_access(conn, context, people_in(page))
        yield from page


def _write(out: Path, lines: Iterable[bytes]) -> None:
    # Beside and renamed, so that there is never half a bundle under its name.
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    if out.exists() and not out.is_file():
        raise click.ClickException(f"{out} is no file, and stays what it is.")
    try:
        with draft.open("wb") as file:
            file.writelines(lines)
        draft.replace(out)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _log_access(conn: Connection, context: click.Context, employees: Sequence[str]) -> None:
    asked_for = [f"--{name} {value}" for name, value in context.params.items() if value is not None]
    access = Access(
        reader=getpass.getuser(),
        roles=[],
        operation=context.command_path,
        asked_for=" ".join(asked_for),
        employees=employees,
    )
    accesses.add(conn, access)


@contextmanager
def cannot_be_checked() -> Iterator[None]:
    """Tell failures apart from what was checked and does not hold."""
    try:
        yield
    except click.ClickException as error:
        raise Undecided(error.message) from None
