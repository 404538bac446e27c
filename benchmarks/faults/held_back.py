"""What a careless reader cannot get right: a low number that is committed after high ones."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

from psycopg.conninfo import make_conninfo

from benchmarks.faults.journal import WriterJournal, last_position
from benchmarks.faults.writer import made_up
from eventlog.pool import open_pool
from eventlog.recorder import PostgresRecorder

_WITHIN_SECONDS = 120
_GLANCE_SECONDS = 0.01


def hold_back(url: str, path: Path, naive_journal: Path) -> None:
    """Stores an event, and commits it when the naive reader has gone past its number.

    What it did is written down in the journal at ``path``. Others must be appending meanwhile.
    Raises TimeoutError when the reader does not come on.
    """
    journal, attempt = WriterJournal(path), uuid4()
    patient = make_conninfo(url, options="-c idle_in_transaction_session_timeout=0")
    with open_pool(patient, 1) as pool:
        recorder = PostgresRecorder(pool)
        journal.tries(attempt, 1)
        with recorder.transaction():
            positions = recorder.insert_events(made_up(uuid4(), 1, 1, attempt))
            _wait_until_past(naive_journal, positions[0])
        journal.stored(positions)


def _wait_until_past(journal: Path, position: int) -> None:
    deadline = monotonic() + _WITHIN_SECONDS
    while not journal.exists() or last_position(journal) <= position:
        if monotonic() > deadline:
            raise TimeoutError(f"{journal.name} does not come past position {position}")
        sleep(_GLANCE_SECONDS)
