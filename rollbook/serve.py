"""The API as a process: granian, a WSGI server, around the Flask app."""

from __future__ import annotations

import os
import signal

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from rollbook.metrics_folder import prepare_metrics_folder
from rollbook.settings import Settings

BACKLOG = 1024
"""Connections that nobody has accepted yet; the kernel refuses those beyond."""
CONNECTIONS = 512
"""Open connections of a worker."""
WAITING = 3
HEADER_MILLISECONDS = 10_000
"""Who takes longer to say what it wants is not waited for."""
STOP_SECONDS = 10


def serve(settings: Settings, application: str = "rollbook.wsgi:create_app") -> None:
    """Serve what `application` makes until SIGTERM or SIGINT; requests under way are finished.

    A worker that dies is replaced. Each worker works on `api_threads` requests at a time; as many
    times `WAITING` more wait for their turn, or for their clients: see `api.load`.
    """
    prepare_metrics_folder(settings)
    # A worker that is a fork takes over our way of stopping until it has loaded the app and set its
    # own. Told to stop before, it would go on for ever; now it just ends.
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    Granian(
        application,
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.bind.host,
        port=settings.bind.port,
        workers=settings.api_workers,
        blocking_threads=settings.api_threads * (1 + WAITING),
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        # Where it may be HTTP/2 as well, granian waits for ever for who says nothing at all.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=STOP_SECONDS,
        # Its lesser messages are about its own workers and about the number of threads chosen here.
        log_level=LogLevels.debug if settings.log_level == "DEBUG" else LogLevels.error,
    ).serve()
