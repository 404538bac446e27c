"""A program that the supervisor keeps running, and one run of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from rollbook import tether


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run and how to tell that it is up.

    `argv[0]` is an absolute path. `environment` replaces that of the supervisor. `is_ready` is
    asked repeatedly and must answer within about a second; without it, started means ready.
    `before` is called ahead of every start, to clear what a crash left behind. `user` is the
    system account to run as, None for our own. Output goes to `log`, or to our own when None.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    is_ready: Callable[[], bool] | None = None
    before: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    log: Path | None = None

    def start(self) -> Run:
        """Start it once, in a process group of its own, so that Ctrl-C reaches only us."""
        if self.before is not None:
            self.before()
        command = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid())]
        command += [str(int(self.stop_signal)), self.user or "-", *self.argv]
        output = self.log.open("ab") if self.log is not None else None
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output is not None else None,
                env=self.environment,
                process_group=0,
            )
        finally:
            if output is not None:
                output.close()
        return Run(self, process)


class Run:
    """One running process of a program."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes]) -> None:
        self._program = program
        self._process = process
        self.pid = process.pid
        self.since = time.time()
        with suppress(psutil.NoSuchProcess):
            self.since = psutil.Process(process.pid).create_time()

    def has_ended(self) -> bool:
        """Whether the process is gone; what it left running in its group is then killed.

        A server killed with `kill -9` leaves its own workers behind, which would keep its port.
        """
        if self._process.poll() is None:
            return False
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return True

    def succeeded(self) -> bool:
        """Whether it ended by itself with exit status 0."""
        return self._process.returncode == 0

    def how_it_ended(self) -> str:
        """The end in words, such as `exit status 1` or `signal SIGKILL`."""
        code = self._process.returncode
        if code is None:
            return "still running"
        if code >= 0:
            return f"exit status {code}"
        return f"signal {signal.Signals(-code).name}"

    def ask_to_stop(self) -> None:
        """Send the program's stop signal; return at once."""
        with suppress(ProcessLookupError):
            self._process.send_signal(self._program.stop_signal)

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds` for the end; tell whether it came."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.has_ended()

    def kill(self) -> None:
        """End it and its whole group without asking."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
