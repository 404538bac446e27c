"""The database of a command: ready, or the command ends with a line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
import psycopg
from eventsourcing.persistence import PersistenceError

from eventlog.failures import translated
from eventlog.pool import open_as_login
from rollbook.embedded import with_urls
from rollbook.settings import Settings


def ready_database(settings: Settings) -> str:
    """Return the url of the database.

    Raises `ClickException` when it does not answer, or has no tables yet.
    """
    url = str(with_urls(settings).database_url)
    try:
        with open_as_login(url) as conn:
            row = conn.execute("SELECT to_regclass('rollbook.events') IS NOT NULL").fetchone()
    except psycopg.Error as error:
        # The server's own messages name hosts and users, never passwords.
        message = f"The database does not answer: {str(error).strip().splitlines()[0]}"
        if settings.database_url is None:
            message += "\nStart it first, with: rollbook run"
        raise click.ClickException(message) from None
    if row != (True,):
        raise click.ClickException("The database has no tables yet. Run first: rollbook migrate")
    return url


@contextmanager
def told_plainly(*errors: type[Exception]) -> Iterator[None]:
    """Turn `errors`, and what the database refuses or breaks off, into their message alone."""
    try:
        yield
    except errors as error:
        raise click.ClickException(str(error)) from None
    except PersistenceError as error:
        raise click.ClickException(_broken_off(error)) from None
    except psycopg.OperationalError as error:
        raise click.ClickException(_broken_off(translated(error))) from None
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        message = "The tables are not those of this version. Run first: rollbook migrate"
        raise click.ClickException(message) from None


def _broken_off(error: PersistenceError) -> str:
    return f"The database refused, or went away: {error}"
