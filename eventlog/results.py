"""What the server says to a statement that was sent by libpq."""

from __future__ import annotations

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult


def checked(result: PGresult) -> PGresult:
    """The result of a statement that succeeded. Raises psycopg's errors."""
    if result.status in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
        return result
    error = psycopg.errors.error_from_result(result)
    if error.sqlstate is None:
        # Not the server's word but libpq's own: the connection is gone.
        raise psycopg.OperationalError(str(error))
    raise error
