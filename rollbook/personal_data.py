"""All personal data that is not in the log, and how it is erased."""

from __future__ import annotations

from directory.erasing import brought_back, erase_person
from domain.personal_record import PersonalRecord
from eventlog.answers import forget_answers
from eventlog.facts import Fact, stated
from eventlog.pool import Connection
from eventlog.recorder import PostgresRecorder

ERASED = Fact(PersonalRecord.Erased.TOPIC, "employee_id", unique=False)


class PersonalData:
    """What is kept of people beside the log, in the same database."""

    def __init__(self, log: PostgresRecorder) -> None:
        """Use the connection of the transaction of `log`."""
        self._log = log

    def erase(self, employee_id: str) -> None:
        """Erase the entry in the directory, the key to all text, and kept answers."""
        with self._log.connection() as conn:
            _erase(conn, employee_id)


def erase_again(conn: Connection) -> None:
    """Erase whom a restore from a backup brought back although the log says they were erased."""
    for employee_id in brought_back(conn, stated(conn, ERASED)):
        _erase(conn, employee_id)


def _erase(conn: Connection, employee_id: str) -> None:
    erase_person(conn, employee_id)
    forget_answers(conn, employee_id)
