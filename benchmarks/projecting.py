"""One projector process that builds read tables from the log's beginning."""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from threading import Event, Thread
from time import perf_counter, sleep

from benchmarks.servers import connect_patiently
from eventlog.pool import open_connection
from projections import progress
from projections.names import LIVE
from projections.store import unfinished
from projections.tables import ALL_TABLES
from rollbook.assembly import event_codec
from rollbook.migrate import migrate
from rollbook.settings import Settings
from workers.project import run

_GLANCE_SECONDS = 0.05
_KIB_PER_MIB = 1024


@dataclass(frozen=True)
class CatchUp:
    """How fast a projector caught up, and the most memory that its process took."""

    events_per_second: float
    memory_mib: float


def migrate_database(url: str) -> None:
    """Makes all of Rollbook's tables."""
    migrate(Settings.from_environment({"DATABASE_URL": url}))


def catch_up(url: str, names: Sequence[str]) -> CatchUp:
    """Empties the read tables, and lets one new process bring these to the end, with indexes."""
    with connect_patiently(url) as conn:
        conn.execute(f"DROP SCHEMA IF EXISTS {LIVE} CASCADE".encode())
        migrate_database(url)
        conn.execute("CHECKPOINT")
        rows = conn.execute("SELECT max(position), count(*) FROM rollbook.events").fetchall()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_project, args=(url, names, there))
    process.start()
    here.recv()
    tables = [table for table in ALL_TABLES if table.name in names]
    # Looked at from here, as the process has one interpreter for all of its threads.
    with open_connection(url) as conn:
        began = perf_counter()
        here.send("begin")
        while _reached(progress.read(conn), names) < rows[0][0] or unfinished(conn, tables):
            sleep(_GLANCE_SECONDS)
        seconds = perf_counter() - began
    here.send("end")
    memory_mib = here.recv()
    process.join()
    return CatchUp(rows[0][1] / seconds, memory_mib)


def _project(url: str, names: Sequence[str], pipe: Pipe) -> None:
    stop = Event()
    tables = [table for table in ALL_TABLES if table.name in names]
    thread = Thread(target=run, args=(url, event_codec(), tables, stop))
    pipe.send("ready")
    pipe.recv()
    thread.start()
    pipe.recv()
    stop.set()
    thread.join()
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MIB)


def _reached(found: dict[str, progress.Progress], names: Sequence[str]) -> int:
    return min(found[name].position for name in names)
