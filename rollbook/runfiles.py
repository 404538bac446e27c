"""The two files of a running Rollbook in its folder: who holds it, and what runs in it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


class AlreadyRunning(Exception):
    """Another `rollbook run` holds the folder."""

    def __init__(self, home: Path, pid: str) -> None:
        super().__init__(f"Rollbook is already running on {home} (process {pid}).")
        self.home = home
        self.pid = pid


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Hold the folder `home` for this process alone; the kernel lets go when it dies.

    Raises AlreadyRunning when another process holds it.
    """
    with (home / "run.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(home, file.read().strip() or "unknown") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_held(home: Path) -> bool:
    """Whether some `rollbook run` holds the folder right now."""
    try:
        with hold_probe(home):
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False


@contextmanager
def hold_probe(home: Path) -> Iterator[None]:
    """Hold the folder for a moment; BlockingIOError when another process does."""
    with (home / "run.lock").open("r") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One supervised process: `since` is its start in seconds of the Unix epoch.

    `state` is one of `starting`, `ready` and `waiting` (for its next start; `pid` is then None).
    """

    name: str
    pid: int | None
    state: str
    restarts: int
    since: float


def write_states(home: Path, states: Sequence[ProcessState]) -> None:
    """Replace run.json, which is either the old or the new one at any time."""
    new = home / "run.json.new"
    new.write_text(json.dumps([asdict(state) for state in states], indent=1))
    new.replace(home / "run.json")


def read_states(home: Path) -> list[ProcessState]:
    """What run.json says, in starting order; [] when there is none."""
    try:
        entries = json.loads((home / "run.json").read_text())
        return [ProcessState(**entry) for entry in entries]
    except (FileNotFoundError, ValueError, TypeError):
        return []


def stop_leftovers(home: Path, grace_seconds: float) -> list[str]:
    """End the processes of an earlier run whose supervisor was killed; return their names.

    Only the holder of the folder may call this. A process is recognised by its number and its
    start time, so that an unrelated process that was given the number later is left alone.
    """
    names = []
    for state in reversed(read_states(home)):
        process = _same_process(state)
        if process is not None:
            _end(process, state.name, grace_seconds)
            names.append(state.name)
    write_states(home, [])
    return names


def _same_process(state: ProcessState) -> psutil.Process | None:
    if state.pid is None:
        return None
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(state.pid)
        if abs(process.create_time() - state.since) < 1:
            return process
    return None


def _end(process: psutil.Process, name: str, grace_seconds: float) -> None:
    # PostgreSQL takes SIGINT as "disconnect everybody and stop"; with SIGTERM it would wait
    # for its clients.
    signal_number = signal.SIGINT if name == "postgres" else signal.SIGTERM
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal_number)
    with suppress(psutil.TimeoutExpired):
        process.wait(grace_seconds)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(psutil.NoSuchProcess):
        process.kill()
