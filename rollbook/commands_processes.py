"""The processes of Rollbook, each alone, as a real deployment runs them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from types import FrameType

import click

from rollbook.chosen_tables import TABLE_OR_GROUP, named_or_all
from rollbook.embedded import with_urls
from rollbook.private_key import NotAnEd25519Key
from rollbook.ready_database import told_plainly
from rollbook.settings import Settings
from rollbook.telemetry import exporter_class, traced
from rollbook.waiting import Awaited, postgres, redis_server


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Create the tables, or bring them up to date."""
    from rollbook.migrate import migrate as migrate_tables  # noqa: PLC0415  needed here alone

    urls = with_urls(settings)
    stop = stop_event()
    if wait_for(stop, postgres(str(urls.database_url))):
        migrate_tables(urls)


@click.command()
@click.pass_obj
def api(settings: Settings) -> None:
    """Serve the HTTP API on ROLLBOOK_BIND."""
    from rollbook.checkpoint_key import signer  # noqa: PLC0415  needed here alone
    from rollbook.serve import serve  # noqa: PLC0415
    from rollbook.token_key import local_tokens  # noqa: PLC0415

    # Whoever starts it is told what is missing, once, rather than each worker.
    if settings.traces is not None:
        exporter_class(settings.traces)
    with told_plainly(NotAnEd25519Key):
        signer(settings.checkpoints)
        if settings.oidc is None:
            local_tokens(settings.token_key)
    serve(with_urls(settings))


@click.command()
@click.argument("names", metavar="[TABLE]...", type=TABLE_OR_GROUP, nargs=-1)
@click.pass_obj
def projector(settings: Settings, names: Sequence[str]) -> None:
    """Keep the read tables up with the log: those that are named, or all.

    `present` names those of lists and figures, `past` the histories and the audit trail.
    """
    from rollbook.assembly import event_codec  # noqa: PLC0415  needed here alone
    from workers.project import run  # noqa: PLC0415

    urls = with_urls(settings)
    stop = stop_event()
    with traced("projector", settings.traces):
        if wait_for(stop, postgres(str(urls.database_url))):
            tables = named_or_all(names, every=not names)
            run(str(urls.database_url), event_codec(), tables, stop)


@click.command()
@click.pass_obj
def publisher(settings: Settings) -> None:
    """Keep the Redis Stream up with the log."""
    from workers.publish import ForeignStream, run  # noqa: PLC0415  needed here alone

    urls = with_urls(settings)
    stop = stop_event()
    servers = (postgres(str(urls.database_url)), redis_server(str(urls.redis_url)))
    if wait_for(stop, *servers):
        try:
            run(str(urls.database_url), str(urls.redis_url), stop)
        except ForeignStream as error:
            raise click.ClickException(str(error)) from None


@click.command()
@click.pass_obj
def snapshotter(settings: Settings) -> None:
    """Keep snapshots of programs with many seats, so that commands on them stay fast."""
    from rollbook.assembly import event_codec, snapshot_codec  # noqa: PLC0415  needed here alone
    from workers.snapshot import run  # noqa: PLC0415

    urls = with_urls(settings)
    stop = stop_event()
    if wait_for(stop, postgres(str(urls.database_url))):
        run(str(urls.database_url), event_codec(), snapshot_codec(), stop)


@click.command()
@click.pass_obj
def notary(settings: Settings) -> None:
    """Keep the Merkle tree up with the log, and sign checkpoints of it."""
    from rollbook.checkpoint_key import destinations, signer  # noqa: PLC0415  needed here alone
    from workers.notarize import run  # noqa: PLC0415

    urls = with_urls(settings)
    stop = stop_event()
    if wait_for(stop, postgres(str(urls.database_url))):
        with told_plainly(NotAnEd25519Key):
            signs = signer(settings.checkpoints)
        places = destinations(settings.checkpoints)
        run(str(urls.database_url), signs, settings.checkpoints.seconds, places, stop)


def stop_event() -> threading.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, asked)
    signal.signal(signal.SIGTERM, asked)
    return stop


def wait_for(stop: threading.Event, *servers: Awaited) -> bool:
    """Wait until all `servers` are there; False when `stop` was set first."""
    for server in servers:
        while not server.is_there():
            if stop.wait(0.1):
                return False
    return True
