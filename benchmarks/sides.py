"""What is compared: Rollbook, plain CRUD with the same rows, and an application that says hello."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec

from api.local_key import make_token
from benchmarks.http_load import Run, drive, request
from benchmarks.made_up_tables import fill
from benchmarks.projecting import migrate_database
from benchmarks.servers import connect_patiently
from benchmarks.serving import ROLLBOOK, Served, served
from rollbook.private_key import private_key
from rollbook.settings import Settings

PREFIX = "/api/hr/training"
KEPT = "rollbook again"
"""Rollbook as it is set by default: what it has shown in this state it shows from memory."""
APPLICATIONS = {
    "rollbook": ROLLBOOK,
    KEPT: ROLLBOOK,
    "crud": "benchmarks.crud.app:create_app",
    "hello": "benchmarks.crud.hello:create_app",
}
DAY = timedelta(days=1)


# Everything is read anew by the one, since nothing is written while reads are measured.
_SETTINGS = {"rollbook": {"ROLLBOOK_KEPT_ANSWERS_MIB": "0"}}


class Sides:
    """The servers that are compared, asked with the same token."""

    def __init__(self, servers: Mapping[str, Served], token: str) -> None:
        self.servers = servers
        self.token = token

    def ask(self, side: str, paths: Sequence[str], clients: int, seconds: float) -> Run:
        """Ask for the paths again and again; whoever says hello says nothing else."""
        address = self.servers[side].address
        wanted = ["/hello"] if side == "hello" else [PREFIX + path for path in paths]
        requests = [request("GET", path, address, self.token) for path in wanted]
        return drive(address, cycle(requests), clients, seconds)

    def require_same(self, path: str) -> None:
        """Raise AssertionError where the two do not show the same fields of the same rows."""
        rollbook, crud = (self._answer(side, path) for side in ("rollbook", "crud"))
        assert rollbook.get("total") == crud.get("total"), path
        for mine, theirs in zip(_shown(rollbook), _shown(crud), strict=True):
            assert mine.keys() == theirs.keys(), (path, mine.keys() ^ theirs.keys())
            assert mine["id"] == theirs["id"], path

    def _answer(self, side: str, path: str) -> Any:
        address = self.servers[side].address
        asked = request("GET", PREFIX + path, address, self.token)
        return msgspec.json.decode(drive(address, [asked], 1).bodies[0])


def _shown(answer: Any) -> Any:
    return answer.get("items", [answer])


def fill_rollbook(url: str, enrollments: int) -> None:
    """Fill an empty database."""
    migrate_database(url)
    with connect_patiently(url) as conn:
        fill(conn, enrollments)
        # The tables are said to show the log up to its first position.
        conn.execute("ALTER TABLE rollbook.events ALTER COLUMN position RESTART WITH 2")


@contextmanager
def sides(url: str, applications: Sequence[str] = tuple(APPLICATIONS)) -> Iterator[Sides]:
    """Serve these from one database that is filled."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        key = private_key(Settings.from_environment({"ROLLBOOK_HOME": str(home)}).token_key)
        token = make_token(key, subject="hr-1", roles=["hr_admin"], lifetime=DAY)
        servers = {
            name: stack.enter_context(served(APPLICATIONS[name], url, home, _SETTINGS.get(name)))
            for name in applications
        }
        yield Sides(servers, token)
