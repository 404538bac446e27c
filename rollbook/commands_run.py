"""`rollbook run`: everything on one machine."""

from __future__ import annotations

import click
import psycopg

from rollbook.embedded import NoEmbeddedServers
from rollbook.runfiles import AlreadyRunning
from rollbook.settings import Settings


@click.command()
@click.option("--empty", is_flag=True, help="Make no demo data on the first start.")
@click.pass_obj
def run(settings: Settings, *, empty: bool) -> None:
    """Run everything: servers, tables, processes; stop with Ctrl-C."""
    from rollbook import run as everything  # noqa: PLC0415  needed here alone

    try:
        everything.run(settings, click.echo, empty=empty)
    except (AlreadyRunning, NoEmbeddedServers, everything.AddressTaken) as error:
        raise click.ClickException(str(error)) from None
    except psycopg.Error as error:
        raise click.ClickException(f"The database refused: {error}") from None
