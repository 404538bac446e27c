"""`rollbook alive`: a health check for the processes that listen on no port."""

from __future__ import annotations

import socket

import click

from eventlog.pool import open_connection
from rollbook.ready_database import ready_database, told_plainly
from rollbook.settings import Settings

ALIVE_SECONDS = 10

_SEEN = """
select exists (
    select from rollbook.processes
    where name = %s and host = %s and seen_at > now() - make_interval(secs => %s)
)
"""


@click.command()
@click.argument("name", type=click.Choice(["projector", "publisher", "snapshotter", "notary"]))
@click.pass_obj
def alive(settings: Settings, name: str) -> None:
    """Exit with 0 if the process NAME of this machine gave a sign of life lately."""
    with told_plainly(), open_connection(ready_database(settings)) as connection:
        row = connection.execute(_SEEN, [name, socket.gethostname(), ALIVE_SECONDS]).fetchone()
    if row != (True,):
        raise click.ClickException(f"{name} gave no sign of life for {ALIVE_SECONDS} s.")
