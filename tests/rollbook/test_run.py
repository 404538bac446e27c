from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def rollbook_run(home: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "rollbook", "run", "--empty"],
        env=os.environ | {"ROLLBOOK_HOME": str(home)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@contextmanager
def taken_port(*, listening: bool) -> Iterator[int]:
    """A port of this machine that nobody else uses meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        if listening:
            taken.listen()
        yield taken.getsockname()[1]


def free_address() -> str:
    with taken_port(listening=False) as port:
        return f"127.0.0.1:{port}"


def test_a_database_that_is_not_there_is_waited_for_in_a_clear_line(tmp_path: Path) -> None:
    with taken_port(listening=False) as nobody:
        url = f"postgresql://me:hunter2@127.0.0.1:{nobody}/rollbook"
        with rollbook_run(tmp_path, DATABASE_URL=url, ROLLBOOK_BIND=free_address()) as process:
            line = first_line(process)
            assert f"Waiting for PostgreSQL at 127.0.0.1:{nobody}" in line
            assert "hunter2" not in line
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def test_an_address_that_is_taken_is_named_before_anything_starts(tmp_path: Path) -> None:
    with (
        taken_port(listening=True) as taken,
        rollbook_run(tmp_path, ROLLBOOK_BIND=f"127.0.0.1:{taken}") as process,
    ):
        assert f"Cannot listen on 127.0.0.1:{taken}" in first_line(process)
        assert process.wait(10) == 1
        assert not (tmp_path / "postgres").exists()


def test_a_bad_setting_ends_with_variable_and_rule(tmp_path: Path) -> None:
    with rollbook_run(tmp_path, ROLLBOOK_BIND="nowhere") as process:
        assert "ROLLBOOK_BIND must be HOST:PORT" in first_line(process)
        assert process.wait(10) == 1
