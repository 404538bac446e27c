from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from rollbook.runfiles import (
    AlreadyRunning,
    ProcessState,
    hold,
    is_held,
    read_states,
    stop_leftovers,
    write_states,
)
from tests.patience import eventually

HOLDS = """
import sys, signal
from pathlib import Path
from rollbook.runfiles import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""
SUPERVISES = """
import sys
from pathlib import Path
from rollbook.program import Program
from rollbook.supervisor import Supervisor

from tests.patience import eventually
supervisor = Supervisor(Path(sys.argv[1]))
code = "import signal; signal.pause()"
supervisor.start(Program(name="child", argv=(sys.executable, "-I", "-S", "-c", code)))
print("up", flush=True)
supervisor.run()
"""


def started(code: str, home: Path) -> subprocess.Popen[str]:
    """A process that has printed its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    return process


def test_a_folder_is_held_by_one_process_and_says_by_which(tmp_path: Path) -> None:
    holder = started(HOLDS, tmp_path)
    with pytest.raises(AlreadyRunning, match=f"process {holder.pid}"), hold(tmp_path):
        pass
    assert is_held(tmp_path)
    holder.kill()
    holder.wait()
    assert not is_held(tmp_path)
    with hold(tmp_path):
        pass


def test_a_second_rollbook_run_on_the_same_folder_says_so_and_exits(tmp_path: Path) -> None:
    with hold(tmp_path):
        second = subprocess.run(
            [sys.executable, "-m", "rollbook", "run"],
            env=os.environ | {"ROLLBOOK_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert second.returncode == 1
    assert f"already running on {tmp_path} (process {os.getpid()})" in second.stderr


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor = started(SUPERVISES, tmp_path)
    child = psutil.Process(read_states(tmp_path)[0].pid)
    supervisor.kill()
    supervisor.wait()
    # On Linux the kernel has told the child by now; elsewhere this is what ends it.
    stop_leftovers(tmp_path, grace_seconds=5)
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def leftover() -> tuple[subprocess.Popen[bytes], ProcessState]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import signal; signal.pause()"], process_group=0
    )
    since = psutil.Process(process.pid).create_time()
    return process, ProcessState("projector", process.pid, "ready", 0, since)


def test_a_process_of_an_earlier_run_is_stopped(tmp_path: Path) -> None:
    process, state = leftover()
    write_states(tmp_path, [state])
    assert stop_leftovers(tmp_path, grace_seconds=5) == ["projector"]
    assert not psutil.pid_exists(process.pid)
    process.wait()
    assert read_states(tmp_path) == []


def test_an_unrelated_process_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    process, state = leftover()
    write_states(tmp_path, [replace(state, since=state.since - 1000)])
    assert stop_leftovers(tmp_path, grace_seconds=5) == []
    assert process.poll() is None
    process.kill()
    process.wait()
