"""Creates all tables, or brings them up to date."""

from __future__ import annotations

import logging

import psycopg

from audit import accesses
from directory import personal_keys
from directory.schema import create_tables as create_directory
from domain.events import LOOKUP_FACTS, UNIQUE_FACTS
from eventlog import role, schema
from eventlog.facts import Fact
from eventlog.pool import Connection, open_as_login
from projections import repairs
from projections.store import create_tables
from projections.tables import ALL_TABLES
from proof import schema as proof_tables
from rollbook.embedded import with_urls
from rollbook.personal_data import erase_again
from rollbook.settings import Settings
from workers import heartbeat

logger = logging.getLogger(__name__)

FACTS = (
    *(Fact(topic, field, unique=True) for topic, field in UNIQUE_FACTS),
    *(Fact(topic, field, unique=False) for topic, field in LOOKUP_FACTS),
)


def migrate(settings: Settings) -> None:
    """Do nothing where all is there; several at once take turns.

    Raises psycopg.Error when the database refuses or is away, and ProgrammingError when a newer
    version has been there.
    """
    with open_as_login(str(with_urls(settings).database_url)) as conn:
        schema.migrate(conn, FACTS)
        with conn.transaction():
            schema.take_turns(conn)
            create_directory(conn)
            conn.execute(personal_keys.TABLE)
            conn.execute(heartbeat.TABLE)
            repairs.create(conn)
            accesses.create_table(conn)
            proof_tables.create_tables(conn)
            create_tables(conn, ALL_TABLES)
            erase_again(conn)
            _provide_role(conn)


def _provide_role(conn: Connection) -> None:
    try:
        role.provide(conn)
    except psycopg.errors.InsufficientPrivilege as refused:
        logger.warning(
            "This login may not make the role %s (%s), so the trigger alone keeps events from"
            " being changed. docs/operating.md says what to ask the administrator for.",
            role.ROLE,
            refused.diag.message_primary,
        )
