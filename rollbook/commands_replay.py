"""`rollbook replay`: the read tables as they were, beside the live ones."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import click
import msgspec

from projections.tables import ALL_TABLES
from rollbook.assembly import event_codec
from rollbook.commands_processes import stop_event
from rollbook.commands_tables import progress_bar
from rollbook.counted import counted
from rollbook.ready_database import ready_database, told_plainly
from rollbook.settings import Settings
from workers.build import BuildRunningError, Stopped
from workers.replay import Replayed, discard, position_of
from workers.replay import replay as replay_tables


class Time(click.ParamType):  # type: ignore[type-arg]  # older versions take none
    """A time, in UTC unless it says its zone; or a day, which means its end."""

    name = "time"

    def convert(self, value: str, *where: Any) -> datetime:
        """Return the time in UTC."""
        try:
            moment = datetime.fromisoformat(value)
            if len(value) == len("2026-03-31"):
                return datetime.combine(moment, time.max, UTC)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither 2026-03-31 nor 2026-03-31T09:00:00Z.", *where)


@click.command()
@click.option("--to", "position", type=click.IntRange(1), help="As at this position of the log.")
@click.option(
    "--as-of",
    "known_at",
    type=Time(),
    help="As known at this time (recorded): 2026-03-31T09:00:00Z, or a day up to its end.",
)
@click.option("--into", "schema", required=True, help="The schema to build in, of its own.")
@click.option("--discard", "discards", is_flag=True, help="Throw that schema away instead.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def replay(
    settings: Settings,
    position: int | None,
    known_at: datetime | None,
    schema: str,
    *,
    discards: bool,
    as_json: bool,
) -> None:
    """Build all read tables as they were, in a schema of their own.

    The live tables are not touched and nothing is sent. Interrupted, it goes on where it
    was when it is started again.
    """
    if [position is not None, known_at is not None, discards].count(True) != 1:
        raise click.UsageError("Give one of --to, --as-of and --discard.")
    url = ready_database(settings)
    with told_plainly(BuildRunningError, Stopped, ValueError):
        if discards:
            discard(url, schema)
            click.echo(f"Discarded {schema}.")
            return
        goal = position_of(url, position, known_at)
        with progress_bar("Replaying") as on_progress:
            done = replay_tables(
                url, event_codec(), ALL_TABLES, goal, schema, stop_event(), on_progress
            )
    click.echo(msgspec.json.encode(done) if as_json else _as_text(done, schema))


def _as_text(done: Replayed, schema: str) -> str:
    how = "Went on to replay" if done.continued else "Replayed"
    lines = [f"{how} {schema} to position {done.position}."]
    for table in done.tables:
        rows, events = counted(table.rows, "row"), counted(table.events, "event")
        line = f"  {table.name}: {rows} of {events}, digest {table.digest}"
        parked = f", {counted(table.parked_rows, 'row')} PARKED" if table.parked_rows else ""
        lines.append(line + parked)
    return "\n".join(lines)
