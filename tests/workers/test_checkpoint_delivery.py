"""Checkpoints are brought to places outside: all, in order, however often that fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from eventlog.pool import Connection, open_connection
from proof import checkpoints
from tests.patience import PATIENCE_SECONDS, eventually
from tests.proof.world import SIGNER, build_tree, write_events
from workers import notarize
from workers.checkpoint_delivery import (
    CheckpointFile,
    CheckpointWebhook,
    Destination,
    deliver_next,
)


@contextmanager
def witness(refusals: list[int]) -> Iterator[tuple[str, list[str]]]:
    """A server that answers with these statuses first; its address, and what it took."""
    taken: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # as http.server has it
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status = refusals.pop(0) if refusals else 204
            if status == 204:
                taken.append(body)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/secret-token", taken
        finally:
            server.shutdown()
            thread.join()


def notes(conn: Connection) -> list[str]:
    return [stored.note for stored in checkpoints.every(conn)]


def grow(url: str, times: int) -> None:
    for number in range(times):
        write_events(url, 3, seed=number)
        build_tree(url)


def test_each_checkpoint_is_added_to_the_file_once_and_in_order(
    database_url: str, tmp_path: Path
) -> None:
    file = CheckpointFile(tmp_path / "checkpoints")
    stop = threading.Event()
    arguments = (database_url, SIGNER, 0, (file,), stop)
    running = [threading.Thread(target=notarize.run, args=arguments) for _ in range(2)]
    for one in running:
        one.start()
    try:
        with open_connection(database_url) as conn:
            for number in range(1, 4):
                write_events(database_url, 3, seed=number)
                eventually(lambda: len(notes(conn)) >= number)  # noqa: B023
            eventually(
                lambda: (
                    file.path.exists()
                    and file.path.read_text() == "".join(f"{note}\n" for note in notes(conn))
                )
            )
    finally:
        stop.set()
        for one in running:
            one.join(PATIENCE_SECONDS)


@pytest.mark.parametrize("status", [500, 302, 404])
def test_a_webhook_that_refuses_gets_the_same_checkpoint_again(
    database_url: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    grow(database_url, 3)
    with witness([204, status, status]) as (url, taken), open_connection(database_url) as conn:
        hook: Destination = CheckpointWebhook(url)
        stop = threading.Event()
        arguments = (database_url, SIGNER, 3600, (hook,), stop)
        running = threading.Thread(target=notarize.run, args=arguments)
        running.start()
        try:
            eventually(lambda: len(taken) >= 3)
        finally:
            stop.set()
            running.join(PATIENCE_SECONDS)
        assert taken == notes(conn)
        assert not deliver_next(conn, hook)
    assert "cannot bring a checkpoint" in caplog.text
    assert "secret-token" not in caplog.text
