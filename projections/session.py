"""Connections that write read tables."""

from __future__ import annotations

from eventlog.pool import Connection, open_connection
from eventlog.silence import wait_as_long_as_the_server

# Read tables can be made again from the log, so they need not wait for the disk; and a process
# that stalls within a transaction must not keep others from its rows. Those are looked up by their
# keys, whatever the server takes the tables to be like while they grow.
_WRITING = """
SET synchronous_commit = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET idle_in_transaction_session_timeout = '2s'; SET statement_timeout = '60s'
"""

# Building an index takes as long as it takes, and so does looking at all rows of one moment.
_PATIENT = """
SET synchronous_commit = off; SET enable_seqscan = on; SET maintenance_work_mem = '256MB';
SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0
"""


def open_writing(conninfo: str) -> Connection:
    """Return a connection for batches. Raises psycopg.OperationalError."""
    conn = open_connection(conninfo)
    conn.execute(_WRITING)
    wait_as_long_as_the_server(conn)
    return conn


def open_patient(conninfo: str) -> Connection:
    """Return a connection for work that takes long. Raises psycopg.OperationalError."""
    conn = open_connection(conninfo)
    conn.execute(_PATIENT)
    wait_as_long_as_the_server(conn)
    return conn
