"""Everything on one machine: the servers, the tables, the processes, and something to look at."""

from __future__ import annotations

import http.client
import logging
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from eventlog.pool import open_as_login
from rollbook import waiting
from rollbook.embedded import with_urls
from rollbook.embedded_postgres import EmbeddedPostgres
from rollbook.embedded_valkey import EmbeddedValkey
from rollbook.migrate import migrate
from rollbook.program import Program
from rollbook.runfiles import hold, stop_leftovers
from rollbook.setting_values import Bind
from rollbook.settings import Settings
from rollbook.supervisor import Patience, Supervisor

log = logging.getLogger("rollbook")


class AddressTaken(Exception):
    """Another program listens where the API should."""

    def __init__(self, bind: Bind, reason: str) -> None:
        super().__init__(
            f"Cannot listen on {bind}: {reason}. Choose another address with ROLLBOOK_BIND."
        )
        self.bind = bind


def run(settings: Settings, say: Callable[[str], None], *, empty: bool) -> None:
    """Run all of Rollbook until SIGINT or SIGTERM; `say` is given lines for the person.

    On the first start it makes the demo data, unless `empty`. Raises AlreadyRunning,
    AddressTaken and NoEmbeddedServers.
    """
    home = settings.home
    home.mkdir(parents=True, exist_ok=True)
    with hold(home):
        for name in stop_leftovers(home, settings.stop_grace_seconds):
            log.warning("Stopped %s, which an earlier run had left behind.", name)
        ensure_free(settings.bind)
        supervisor = Supervisor(home, Patience(grace=settings.stop_grace_seconds))
        with supervisor.until_signalled():
            start_servers(supervisor, settings)
            settings = with_urls(settings)
            migrate(settings)
            for process in processes(settings):
                supervisor.start(process)
            if is_first_start(settings) and not empty:
                make_demo(supervisor, settings)
            (home / "started").touch()
            say(_welcome(settings))
            supervisor.run()
            say("Stopping.")


def start_servers(supervisor: Supervisor, settings: Settings) -> None:
    """Start the embedded servers where no url is given; wait for those that have one."""
    if settings.database_url is None:
        postgres = EmbeddedPostgres(settings.home)
        postgres.prepare()
        supervisor.start(postgres.program())
        postgres.ensure_database()
    else:
        supervisor.wait_until(waiting.postgres(settings.database_url).is_there)
    if settings.redis_url is None:
        valkey = EmbeddedValkey(settings.home)
        valkey.prepare()
        supervisor.start(valkey.program())
    else:
        supervisor.wait_until(waiting.redis_server(settings.redis_url).is_there)


def processes(settings: Settings) -> list[Program]:
    """Rollbook's own processes, in starting order."""
    programs = [
        process(settings, "projector", "present"),
        replace(process(settings, "projector", "past"), name="past-projector"),
        process(settings, "publisher"),
        process(settings, "snapshotter"),
        process(settings, "notary"),
        process(settings, "api"),
    ]
    programs[-1] = replace(programs[-1], is_ready=lambda: is_healthy(settings.bind))
    return programs


def process(settings: Settings, *arguments: str) -> Program:
    """The command `rollbook ARGUMENTS` as a program, with these settings."""
    return Program(
        name=arguments[0],
        argv=(sys.executable, "-m", "rollbook", *arguments),
        environment=settings.handed_down(),
    )


def is_healthy(bind: Bind) -> bool:
    """Whether the API says that it is well."""
    connection = http.client.HTTPConnection(_reachable(bind.host), bind.port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def ensure_free(bind: Bind) -> None:
    """Raise AddressTaken when the API could not listen there."""
    family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind.host, bind.port))
        except OSError as error:
            raise AddressTaken(bind, error.strerror or str(error)) from None


def is_first_start(settings: Settings) -> bool:
    """Whether nothing ever ran on this folder and the log is empty."""
    if (settings.home / "started").exists():
        return False
    with open_as_login(str(settings.database_url)) as connection:
        row = connection.execute("select exists (select from rollbook.events)").fetchone()
    return row == (False,)


def make_demo(supervisor: Supervisor, settings: Settings) -> None:
    """Run `rollbook demo` to its end; without it Rollbook is empty, but well."""
    demo = process(settings, "demo").start()
    try:
        supervisor.wait_until(demo.has_ended)
    finally:
        if not demo.has_ended():
            demo.kill()
    if not demo.succeeded():
        log.warning("The demo data could not be made (%s).", demo.how_it_ended())


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared only


def _command() -> str:
    """How this command was called, so that the next one can be called alike."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "rollbook" else "python -m rollbook"


def _welcome(settings: Settings) -> str:
    address = replace(settings.bind, host=_reachable(settings.bind.host))
    return (
        f"Rollbook is ready on http://{address}\n"
        f"Get a token with: {_command()} token --role hr_admin\n"
        "Stop with Ctrl-C."
    )
