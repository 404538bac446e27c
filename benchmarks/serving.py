"""Applications served by Rollbook's own server with its settings, each by one process.

python -m benchmarks.serving APPLICATION is such a process.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import psutil

from benchmarks.http_load import Address
from rollbook.serve import serve
from rollbook.settings import Settings

ROLLBOOK = "rollbook.wsgi:create_app"
SETTINGS = {
    "ROLLBOOK_API_WORKERS": "1",
    "ROLLBOOK_API_THREADS": "8",
    "ROLLBOOK_CALLER_REQUESTS": "0",
    "ROLLBOOK_STRANGER_REQUESTS": "0",
    "ROLLBOOK_LOG_LEVEL": "WARNING",
}
"""The same for all that are compared; nobody is held to a rate."""

_MIB = 1 << 20
_GLANCE_SECONDS = 0.05


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    address: Address
    process: psutil.Process

    @property
    def memory_mib(self) -> float:
        """What its worker holds in memory (RSS)."""
        return max(child.memory_info().rss for child in self.process.children()) / _MIB


@contextmanager
def served(
    application: str, url: str, home: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Serve `application` with the database `url`, the keys in `home`, and more settings."""
    address = ("127.0.0.1", _free_port())
    environment = os.environ | SETTINGS | dict(settings or {})
    environment |= {"DATABASE_URL": url, "ROLLBOOK_HOME": str(home)}
    environment["ROLLBOOK_BIND"] = f"{address[0]}:{address[1]}"
    command = [sys.executable, "-m", "benchmarks.serving", application]
    with subprocess.Popen(command, env=environment) as process:
        try:
            _wait_until_open(address, process)
            yield Served(address, psutil.Process(process.pid))
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _wait_until_open(address: Address, process: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            socket.create_connection(address).close()
        except ConnectionRefusedError:
            assert process.poll() is None, "the server did not start"
            sleep(_GLANCE_SECONDS)
        else:
            return


if __name__ == "__main__":
    serve(Settings.read(), sys.argv[1])
