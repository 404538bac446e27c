"""Starts the writers and readers, disturbs them, and ends them in peace."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import LiteralString

from benchmarks.faults.held_back import hold_back
from benchmarks.faults.journal import events_in, last_position
from benchmarks.faults.writer import APPLICATION
from benchmarks.servers import connect_patiently

chance = random.SystemRandom()

_END_ONE: LiteralString = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
order by random() limit 1
"""
_WRITERS: LiteralString = """
select exists (
    select from pg_stat_activity where datname = current_database() and application_name = %s
)
"""
_BETWEEN_FAULTS_SECONDS = (0.05, 0.6)
_STOP_SECONDS = 120
_GLANCE_SECONDS = 0.05


@dataclass
class Role:
    """A process that is started again whenever it is gone."""

    module: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Starts a new process."""
        command = [sys.executable, "-m", self.module, *self.arguments]
        self.process = subprocess.Popen(command)

    def kill(self) -> None:
        """SIGKILL, and waits until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        """Asks it to end."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Waits until it has ended; raises subprocess.TimeoutExpired."""
        if self.process is not None:
            self.process.wait(_STOP_SECONDS)


class Chaos:
    """Writers and readers on one log.

    ``crash``, when given, makes the whole server crash; it comes back by itself.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        writers: int,
        readers: int,
        crash: Callable[[], None] | None = None,
    ) -> None:
        self._url = url
        self.writer_journals = [folder / f"writer-{n}" for n in range(writers)]
        self.careful_journals = [folder / f"careful-{n}" for n in range(readers)]
        self.held_back_journal = folder / "held-back"
        self.naive_journal = folder / "naive"
        self._writers = [
            Role("benchmarks.faults.writer", [url, str(path)]) for path in self.writer_journals
        ]
        self._readers = [
            Role("benchmarks.faults.reader", [url, str(path), "careful"])
            for path in self.careful_journals
        ]
        self._readers.append(
            Role("benchmarks.faults.reader", [url, str(self.naive_journal), "naive"])
        )
        self._crash = crash
        self.faults: Counter[str] = Counter()

    def run(self, events: int) -> None:
        """Until the log has this many events and all readers have come to its end."""
        try:
            for role in (*self._writers, *self._readers):
                role.start()
            hold_back(self._url, self.held_back_journal, self.naive_journal)
            self._disturb_until(events)
            for role in self._writers:
                role.stop()
            for role in self._writers:
                role.wait()
            self._wait_for_readers()
        finally:
            for role in (*self._writers, *self._readers):
                role.kill()

    def _disturb_until(self, events: int) -> None:
        while min(map(events_in, self.careful_journals)) < events:
            sleep(chance.uniform(*_BETWEEN_FAULTS_SECONDS))
            self._disturb()

    def _disturb(self) -> None:
        faults: dict[str, tuple[Callable[[], None], int]] = {
            "writers killed": (lambda: self._restart(self._writers), 18),
            "readers killed": (lambda: self._restart(self._readers), 12),
            "connections ended by the server": (self._end_a_connection, 36),
        }
        if self._crash is not None:
            faults["server crashes"] = (self._crash, 1)
        (name,) = chance.choices(list(faults), [weight for _, weight in faults.values()])
        faults[name][0]()
        self.faults[name] += 1

    def _restart(self, roles: list[Role]) -> None:
        role = chance.choice(roles)
        role.kill()
        role.start()

    def _end_a_connection(self) -> None:
        with connect_patiently(self._url) as conn:
            conn.execute(_END_ONE)

    def _wait_for_readers(self) -> None:
        deadline = monotonic() + _STOP_SECONDS
        with connect_patiently(self._url) as conn:
            # What a killed writer had sent may still be carried out.
            while conn.execute(_WRITERS, (APPLICATION,)).fetchone() == (True,):
                _pause(deadline, "A killed writer's connection")
            last = conn.execute("select max(position) from rollbook.events").fetchone()
        for journal in (*self.careful_journals, self.naive_journal):
            while (last_position(journal),) != last:
                _pause(deadline, journal.name)


def _pause(deadline: float, who: str) -> None:
    if monotonic() > deadline:
        raise TimeoutError(f"{who} does not come to its end")
    sleep(_GLANCE_SECONDS)
