"""Keeps a list of programs running: starts them in order, restarts what dies, stops all."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rollbook.program import Program, Run
from rollbook.runfiles import ProcessState, write_states

log = logging.getLogger("rollbook")

POLL_SECONDS = 0.05


class Stopped(Exception):
    """The supervisor was told to stop while it was starting something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the supervisor waits, all in seconds.

    A restart waits `first_delay`, doubled every time up to `longest_delay`, and back to the
    first once the process stayed up for `steady_after`.
    """

    first_delay: float = 0.5
    longest_delay: float = 30.0
    steady_after: float = 30.0
    grace: float = 20.0


class Supervisor:
    """Runs programs until it is told to stop. All calls come from one thread, except `stop`."""

    def __init__(self, home: Path, patience: Patience | None = None) -> None:
        self._home = home
        self._patience = patience or Patience()
        self._kept: list[_Kept] = []
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask for the end; callable from a signal handler and from other threads."""
        self._stop.set()

    def start(self, program: Program) -> None:
        """Start `program` and return when it is ready; those started before are kept running.

        Raises Stopped when the end was asked for meanwhile.
        """
        kept = _Kept(program, self._patience)
        self._kept.append(kept)
        self.wait_until(lambda: kept.is_ready)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Keep everything running until `condition` holds; raises Stopped as `start` does."""
        self._tend()
        while not condition():
            if self._stop.wait(POLL_SECONDS):
                raise Stopped
            self._tend()

    def run(self) -> None:
        """Keep everything running until the end is asked for."""
        while not self._stop.wait(POLL_SECONDS):
            self._tend()

    def stop_all(self) -> None:
        """Stop everything, the last started first: a signal, a bounded wait, then a kill."""
        while self._kept:
            kept = self._kept.pop()
            kept.end(self._patience.grace)
            self._write()

    @contextmanager
    def until_signalled(self) -> Iterator[None]:
        """Inside, SIGINT and SIGTERM ask for the end; at the end, everything is stopped."""

        def asked(_number: int, _frame: FrameType | None) -> None:
            self._stop.set()

        before = {number: signal.signal(number, asked) for number in _SIGNALS}
        try:
            yield
        except Stopped:
            log.info("Stopped while starting.")
        finally:
            self.stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _tend(self) -> None:
        # No `any(...)` over a generator here: every process must be looked at.
        changes = [kept.tend() for kept in self._kept]
        if any(changes):
            self._write()

    def _write(self) -> None:
        write_states(self._home, [kept.state() for kept in self._kept])


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Kept:
    def __init__(self, program: Program, patience: Patience) -> None:
        self._program = program
        self._patience = patience
        self._run: Run | None = None
        self._started_at = 0.0
        self._start_at = 0.0
        self._restarts = 0
        self._failures = 0
        self.is_ready = False

    def tend(self) -> bool:
        """Look after the process once; tell whether anything changed."""
        if self._run is None:
            return self._start_if_due()
        if self._run.has_ended():
            self._plan_restart(self._run)
            return True
        if not self.is_ready and self._program.is_ready is not None and self._program.is_ready():
            self.is_ready = True
            return True
        return False

    def _start_if_due(self) -> bool:
        if time.monotonic() < self._start_at:
            return False
        self._run = self._program.start()
        self._started_at = time.monotonic()
        self.is_ready = self._program.is_ready is None
        return True

    def _plan_restart(self, ended: Run) -> None:
        lasted = time.monotonic() - self._started_at
        self._failures = 0 if lasted >= self._patience.steady_after else self._failures
        delay = min(
            self._patience.first_delay * 2**self._failures,
            self._patience.longest_delay,
        )
        log.warning(
            "%s (process %d) ended with %s; starting it again in %.1f s.",
            self._program.name,
            ended.pid,
            ended.how_it_ended(),
            delay,
        )
        self._failures += 1
        self._restarts += 1
        self._start_at = time.monotonic() + delay
        self._run = None
        self.is_ready = False

    def end(self, grace_seconds: float) -> None:
        """Stop the process, by force once the grace is over."""
        if self._run is None:
            return
        self._run.ask_to_stop()
        if not self._run.wait(grace_seconds):
            log.warning(
                "%s did not stop within %.0f s and was killed.", self._program.name, grace_seconds
            )
            self._run.kill()

    def state(self) -> ProcessState:
        """What run.json says of it."""
        name = self._program.name
        if self._run is None:
            return ProcessState(name, None, "waiting", self._restarts, time.time())
        state = "ready" if self.is_ready else "starting"
        return ProcessState(name, self._run.pid, state, self._restarts, self._run.since)
