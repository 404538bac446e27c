from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from rollbook.program import Program
from rollbook.runfiles import ProcessState, read_states
from rollbook.supervisor import Patience, Stopped, Supervisor

QUICK = Patience(first_delay=0.1, longest_delay=0.4, steady_after=60, grace=5)
STAYS = "import signal; print('up', flush=True); signal.pause()"


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path, QUICK)
    yield made
    made.stop_all()


def script(tmp_path: Path, name: str, code: str) -> Program:
    """A Python script that is ready once it has printed something."""
    log = tmp_path / f"{name}.log"
    return Program(
        name=name,
        argv=(sys.executable, "-I", "-S", "-c", code),
        is_ready=lambda: log.exists() and log.stat().st_size > 0,
        log=log,
    )


def state(home: Path, name: str) -> ProcessState:
    return next(found for found in read_states(home) if found.name == name)


def pid_of(home: Path, name: str) -> int:
    pid = state(home, name).pid
    assert pid is not None
    return pid


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_killed_process_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(script(tmp_path, "worker", STAYS))
    supervisor.start(script(tmp_path, "other", STAYS))
    killed, untouched = pid_of(tmp_path, "worker"), pid_of(tmp_path, "other")
    os.kill(killed, signal.SIGKILL)
    supervisor.wait_until(lambda: state(tmp_path, "worker").restarts == 1)
    supervisor.wait_until(lambda: state(tmp_path, "worker").state == "ready")
    assert pid_of(tmp_path, "worker") != killed
    assert pid_of(tmp_path, "other") == untouched
    assert state(tmp_path, "other").restarts == 0


def test_the_wait_before_a_restart_grows_up_to_a_limit(supervisor: Supervisor) -> None:
    starts: list[float] = []
    program = Program(
        name="broken",
        argv=(sys.executable, "-I", "-S", "-c", "raise SystemExit(3)"),
        before=lambda: starts.append(time.monotonic()),
    )
    supervisor.start(program)
    supervisor.wait_until(lambda: len(starts) == 5)
    waits = [after - before for before, after in pairwise(starts)]
    at_least = [0.1, 0.2, 0.4, 0.4]
    assert all(wait >= least for wait, least in zip(waits, at_least, strict=True))


def test_a_process_that_stayed_up_is_restarted_without_a_long_wait(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, Patience(first_delay=0.05, longest_delay=60, steady_after=0))
    starts: list[float] = []
    program = Program(
        name="steady",
        argv=(sys.executable, "-I", "-S", "-c", ""),
        before=lambda: starts.append(time.monotonic()),
    )
    supervisor.start(program)
    # Doubling would make the twelfth start wait for more than a minute.
    supervisor.wait_until(lambda: len(starts) == 12)
    supervisor.stop_all()


def test_processes_stop_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    stops = tmp_path / "stops"
    for name in ("first", "second", "third"):
        note = f"open({str(stops)!r}, 'a').write('{name} ')"
        code = f"import signal, sys; signal.signal(15, lambda *_: ({note}, sys.exit())); {STAYS}"
        supervisor.start(script(tmp_path, name, code))
    supervisor.stop_all()
    assert stops.read_text().split() == ["third", "second", "first"]
    assert read_states(tmp_path) == []


def test_a_process_that_ignores_the_signal_is_killed_after_the_grace(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, Patience(grace=0.2))
    deaf = f"import signal; signal.signal(15, signal.SIG_IGN); {STAYS}"
    supervisor.start(script(tmp_path, "deaf", deaf))
    pid = pid_of(tmp_path, "deaf")
    supervisor.stop_all()
    assert is_gone(pid)


def test_what_a_killed_process_left_running_ends_before_its_restart(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    child = f"[{sys.executable!r}, '-I', '-S', '-c', 'import signal; signal.pause()']"
    code = f"import subprocess, signal; print(subprocess.Popen({child}).pid, flush=True)"
    code += "; signal.pause()"
    supervisor.start(script(tmp_path, "parent", code))
    orphan = int((tmp_path / "parent.log").read_text())
    os.kill(pid_of(tmp_path, "parent"), signal.SIGKILL)
    supervisor.wait_until(lambda: state(tmp_path, "parent").restarts == 1)
    supervisor.wait_until(lambda: is_gone(orphan))


def test_a_start_that_never_gets_ready_can_be_stopped(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    never = script(tmp_path, "never", "import signal; signal.pause()")
    threading.Timer(0.3, supervisor.stop).start()
    with pytest.raises(Stopped):
        supervisor.start(never)
