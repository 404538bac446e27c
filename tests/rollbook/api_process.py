"""The API as a process of its own, as `rollbook api` starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import httpx
import psutil

from api.local_key import make_token
from rollbook.private_key import private_key
from tests.patience import PATIENCE_SECONDS

BASE = "/api/hr/training"


class ApiProcess:
    """A running API, and a caller who may do everything an HR administrator may."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, home: Path) -> None:
        self.process = process
        self.url = f"http://{address}"
        key = private_key(home / "keys" / "token.pem")
        bearer = make_token(key, subject="hr", roles=["hr_admin"], lifetime=timedelta(hours=1))
        self.headers = {"Authorization": f"Bearer {bearer}"}

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=self.headers, timeout=PATIENCE_SECONDS)

    def post(self, path: str, body: Mapping[str, Any], **headers: str) -> httpx.Response:
        return httpx.post(
            self.url + path, json=body, headers=self.headers | headers, timeout=PATIENCE_SECONDS
        )

    def wait_for(self, path: str, status: int = 200) -> httpx.Response:
        """Ask until the answer has this status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self.get(path)
            except httpx.TransportError:
                answer = httpx.Response(0)
            if answer.status_code == status:
                return answer
            assert time.monotonic() < deadline, f"{path} answers {answer.status_code}"
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9 of all its processes: a worker does not notice that the one above it is gone."""
        with suppress(psutil.NoSuchProcess):
            workers = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            for worker in workers:
                worker.kill()
        self.process.wait()

    def ask_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)


@contextmanager
def api_process(
    home: Path,
    database_url: str,
    command: Sequence[str] = ("-m", "rollbook", "api"),
    lines: IO[bytes] | None = None,
    **settings: str,
) -> Iterator[ApiProcess]:
    """The API on this database, without Redis, when it is ready; what it tells goes to `lines`."""
    address = f"127.0.0.1:{free_port()}"
    given = {
        "ROLLBOOK_HOME": str(home),
        "ROLLBOOK_BIND": address,
        "ROLLBOOK_API_WORKERS": "1",
        "DATABASE_URL": database_url,
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
    }
    process = subprocess.Popen(
        [sys.executable, *command], env=os.environ | given | settings, stderr=lines
    )
    running = ApiProcess(process, address, home)
    try:
        running.wait_for("/healthz")
        yield running
    finally:
        running.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
