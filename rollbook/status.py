"""`rollbook status`: each process, how far it is, and how far behind."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import click
import msgspec
import redis

from eventlog.pool import Connection, open_connection
from eventlog.role import may_change_events
from projections import parked, progress
from projections.store import unfinished
from projections.tables import ALL_TABLES
from proof.growth import edge_of
from rollbook.counted import counted
from rollbook.embedded import with_urls
from rollbook.ready_database import ready_database, told_plainly
from rollbook.runfiles import ProcessState, read_states
from rollbook.settings import Settings
from workers.event_stream import EventStream

ALIVE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Status:
    """What there is to know at a glance.

    Attributes:
        processes: those that gave a sign of life, and those the supervisor keeps.
        log_position: position of the last event.
        log_guard: what keeps this login from changing events.
        tables: for each read table its position, how many positions it is behind, and how many
            of its rows are held up by an event that it could not take; and whether indexes are
            missing, which are made when it has caught up.
        tree: position and lag of the Merkle tree.
        stream: the same for the Redis Stream, or None when Redis does not answer.

    """

    processes: list[dict[str, object]]
    log_position: int
    log_guard: str
    tables: dict[str, dict[str, int]]
    tree: dict[str, int]
    stream: dict[str, int] | None


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:  # noqa: FBT001  # click hands it over
    """Show each process, positions and lag."""
    with told_plainly():
        found = _status(settings)
    click.echo(msgspec.json.encode(asdict(found)) if as_json else _as_text(found))


def _status(settings: Settings) -> Status:
    with open_connection(ready_database(settings)) as conn:
        last = _log_position(conn)
        held_up = parked.row_counts(conn)
        guard = "the trigger alone" if may_change_events(conn) else "the database role"
        left = unfinished(conn, ALL_TABLES)
        tables = {
            name: {
                **_behind(found.position, last),
                "parked_rows": held_up.get(name, 0),
                "unfinished": int(name in left),
            }
            for name, found in progress.read(conn).items()
        }
        tree = _behind(edge_of(conn).position, last)
        signs = _signs_of_life(conn)
    kept = [_as_kept(state) for state in read_states(settings.home)]
    elsewhere = [sign for sign in signs if sign["pid"] not in {k["pid"] for k in kept}]
    stream = _stream(str(with_urls(settings).redis_url), last)
    return Status([*kept, *elsewhere], last, guard, tables, tree, stream)


def _as_kept(state: ProcessState) -> dict[str, object]:
    since = datetime.fromtimestamp(state.since, UTC).isoformat(timespec="seconds")
    return {**asdict(state), "since": since}


def _log_position(conn: Connection) -> int:
    row = conn.execute("SELECT max(position) FROM rollbook.events").fetchone()
    return int(row[0] or 0) if row else 0


def _behind(position: int, last: int) -> dict[str, int]:
    return {"position": position, "behind": max(0, last - position)}


def _signs_of_life(conn: Connection) -> list[dict[str, object]]:
    rows = conn.execute("SELECT name, host, pid, position, seen_at FROM rollbook.processes")
    now = datetime.now(UTC)
    return [
        {
            "name": name,
            "host": host,
            "pid": pid,
            "position": position,
            "seen_seconds_ago": round((now - seen_at).total_seconds(), 1),
        }
        for name, host, pid, position, seen_at in rows
        if (now - seen_at).total_seconds() < ALIVE_SECONDS
    ]


def _stream(redis_url: str, last: int) -> dict[str, int] | None:
    try:
        with redis.from_url(redis_url, socket_timeout=2) as client:
            return _behind(EventStream(client).top().position, last)
    except redis.RedisError:
        return None


def _as_text(found: Status) -> str:
    lines = [f"log position {found.log_position}, guarded by {found.log_guard}", "", "processes"]
    for process in found.processes:
        details = ", ".join(f"{k} {v}" for k, v in process.items() if k != "name" and v is not None)
        lines.append(f"  {process['name']}: {details}")
    lines += ["", "read tables"]
    lines += [f"  {name}: {_as_line(table)}" for name, table in found.tables.items()]
    lines += ["", "Merkle tree", f"  {_as_line(found.tree)}"]
    stream = found.stream
    lines += ["", "stream"]
    lines.append(
        f"  at {stream['position']}, {stream['behind']} behind"
        if stream
        else "  Redis does not answer"
    )
    return "\n".join(lines)


def _as_line(table: dict[str, int]) -> str:
    line = f"at {table['position']}, {table['behind']} behind"
    if table.get("parked_rows"):
        line += f", {counted(table['parked_rows'], 'row')} PARKED (see: rollbook parked list)"
    if table.get("unfinished"):
        line += ", to be read when it has caught up"
    return line
