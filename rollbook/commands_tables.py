"""`rollbook rebuild`, `verify` and `parked`: looking after the read tables."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
import msgspec

from eventlog.pool import open_connection
from projections import parked as parked_rows
from projections import repair
from projections.repairs import Repair
from rollbook.assembly import event_codec
from rollbook.chosen_tables import BY_NAME, TABLE_NAME, TABLE_OR_GROUP, named_or_all
from rollbook.commands_processes import stop_event
from rollbook.counted import counted
from rollbook.ready_database import ready_database, told_plainly
from rollbook.settings import Settings
from workers.build import BuildRunningError, OnProgress, Stopped
from workers.check import Verdict
from workers.rebuild import rebuild as rebuild_tables
from workers.verify import OtherDefinitionError, UnfilledError
from workers.verify import verify as verify_tables


@click.command()
@click.argument("names", metavar="[TABLE]...", type=TABLE_OR_GROUP, nargs=-1)
@click.option("--all", "every", is_flag=True, help="All read tables.")
@click.pass_obj
def rebuild(settings: Settings, names: Sequence[str], *, every: bool) -> None:
    """Build read tables anew from the log, beside the live ones, and switch to them."""
    tables = named_or_all(names, every=every)
    with told_plainly(BuildRunningError, Stopped), progress_bar("Rebuilding") as on_progress:
        done = rebuild_tables(
            ready_database(settings), event_codec(), tables, stop_event(), on_progress, show
        )
    tell(done.verdicts)
    click.echo(f"Rebuilt and switched at position {done.position}: {', '.join(done.tables)}")


@click.command()
@click.argument("names", metavar="[TABLE]...", type=TABLE_OR_GROUP, nargs=-1)
@click.option("--all", "every", is_flag=True, help="All read tables.")
@click.pass_obj
def verify(settings: Settings, names: Sequence[str], *, every: bool) -> None:
    """Prove that read tables hold the log's events, each once, and what a rebuild would make."""
    tables = named_or_all(names, every=every)
    expected = (BuildRunningError, OtherDefinitionError, UnfilledError, Stopped)
    with told_plainly(*expected), progress_bar("Verifying") as on_progress:
        verdicts = verify_tables(
            ready_database(settings), event_codec(), tables, stop_event(), on_progress, show
        )
    tell(verdicts)
    sys.exit(0 if all(verdict.holds for verdict in verdicts) else 1)


@click.group()
def parked() -> None:
    """Events that a read table could not take, and the rows that wait for a repair."""


@parked.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def list_parked(settings: Settings, limit: int, *, as_json: bool) -> None:
    """List the rows that are held up, and why, in the order of the events that did it."""
    with told_plainly(), open_connection(ready_database(settings)) as conn:
        found = parked_rows.listed(conn, limit)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for row in found:
        why = row.error or "waited behind an event that was repaired"
        click.echo(f"{row.table_name} {row.key}: event {row.position}, {row.events} parked: {why}")
    if not found:
        click.echo("Nothing is parked.")


@parked.command()
@click.argument("table", metavar="TABLE", type=TABLE_NAME)
@click.argument("key")
@click.option("--actor", default=getpass.getuser, help="Who does it; recorded.")
@click.pass_obj
def retry(settings: Settings, table: str, key: str, actor: str) -> None:
    """Apply what is parked for the row KEY of TABLE, now that it can be."""
    with told_plainly(repair.NothingParkedError), open_connection(ready_database(settings)) as conn:
        tell_repair(repair.retry(conn, event_codec(), BY_NAME[table], key, actor))


@parked.command()
@click.argument("table", metavar="TABLE", type=TABLE_NAME)
@click.argument("key")
@click.option("--reason", required=True, help="Why the event is given up; recorded.")
@click.option("--actor", default=getpass.getuser, help="Who does it; recorded.")
@click.pass_obj
def skip(settings: Settings, table: str, key: str, reason: str, actor: str) -> None:
    """Leave the first event that is parked for the row KEY out of TABLE, and apply the others."""
    expected = (repair.NothingParkedError, ValueError)
    with told_plainly(*expected), open_connection(ready_database(settings)) as conn:
        tell_repair(repair.skip(conn, event_codec(), BY_NAME[table], key, actor, reason))


def show(difference: object) -> None:
    """Tell one differing row."""
    click.echo(f"differs: {difference}")


def tell(verdicts: Sequence[Verdict]) -> None:
    """Tell how each table compares with the log."""
    for verdict in verdicts:
        holds = "holds" if verdict.holds else "DOES NOT HOLD"
        click.echo(
            f"{verdict.table} {holds} at position {verdict.position}: {verdict.events:,} of"
            f" {counted(verdict.events_in_log, 'event')} in the log,"
            f" {counted(verdict.differences, 'differing row')}"
        )


def tell_repair(done: Repair) -> None:
    """Tell what a repair did."""
    click.echo(f"{done.action}: {done.applied} applied, {done.still_parked} still parked.")


@contextmanager
def progress_bar(label: str) -> Iterator[OnProgress]:
    """A bar on standard error that goes with the positions it is told."""
    with click.progressbar(length=0, label=label, file=sys.stderr) as bar:

        def show_progress(reached: int, goal: int) -> None:
            bar.length = goal
            bar.update(max(0, reached - bar.pos))

        yield show_progress
