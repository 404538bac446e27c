"""Puts the parts together, as the processes and the commands need them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from directory.employees import Employees
from domain.events import ALL_EVENTS, UPCASTS
from domain.program_snapshot import ProgramSnapshot
from domain.training import Training
from eventlog.codec import EventCodec
from eventlog.event_store import SealingEventStore
from eventlog.pool import PATIENCE_SECONDS, Pool, open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.sealing import Keyring
from eventlog.snapshots import Snapshots
from eventlog.wakeup import Bell
from rollbook.embedded import with_urls
from rollbook.employee_keys import EmployeeKeys
from rollbook.migrate import FACTS
from rollbook.personal_data import PersonalData
from rollbook.settings import Settings


def event_codec(keyring: Keyring | None = None) -> EventCodec:
    """Return the codec of all events there are, with the keys in the database if no others."""
    return EventCodec(ALL_EVENTS, UPCASTS, keyring=keyring or EmployeeKeys())


def snapshot_codec() -> EventCodec:
    """Return the codec of all snapshots there are."""
    return EventCodec([ProgramSnapshot])


@dataclass(frozen=True, slots=True)
class WriteSide:
    """What commands go through, and the connections they use."""

    training: Training
    recorder: PostgresRecorder
    employees: Employees
    pool: Pool
    bell: Bell


@contextmanager
def write_side(
    settings: Settings, pool_size: int, patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[WriteSide]:
    """Open the write side with up to `pool_size` connections; it is closed in the end.

    Who waits `patience_seconds` for one of them is refused.
    """
    database_url = str(with_urls(settings).database_url)
    bell = Bell(database_url)
    with open_pool(database_url, pool_size, patience_seconds) as pool:
        recorder = PostgresRecorder(pool, facts=FACTS, on_append=bell.ring)
        employees = Employees(recorder)
        try:
            events = SealingEventStore(event_codec(), recorder)
            snapshots = Snapshots(recorder, snapshot_codec())
            training = Training(recorder, events, employees, PersonalData(recorder), snapshots)
            yield WriteSide(training, recorder, employees, pool, bell)
        finally:
            bell.close()
