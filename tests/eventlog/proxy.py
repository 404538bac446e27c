"""A TCP proxy before PostgreSQL that cuts a connection at a chosen moment, or swallows all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from threading import Thread
from urllib.parse import quote, urlencode

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_CHUNK = 65536


class Cut(Enum):
    """What becomes of the message in which the fragment is seen."""

    BEFORE = "it never reaches the server"
    AFTER_ANSWER = "the server has answered, the client never hears it"
    AT_ONCE = "it is on its way to the server while the client's end closes"
    SILENTLY = "it never reaches the server, and nobody says anything any more"
    CLIENT_ONLY = "it never reaches the server, which does not notice that the client is gone"


class Proxy:
    """Passes everything through, until a client sends the fragment that was set."""

    def __init__(self, url: str) -> None:
        self._upstream = conninfo_to_dict(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._cut: tuple[bytes, Cut] | None = None
        self._accepting = True
        self._swallows = False
        self._silent: set[socket.socket] = set()
        self.url = make_conninfo(
            url,
            host="127.0.0.1",
            port=self._listener.getsockname()[1],
            sslmode="disable",
            gssencmode="disable",
        )
        Thread(target=self._accept, daemon=True).start()

    def link(self, **parameters: str) -> str:
        """The same as a URL, with more parameters."""
        given = conninfo_to_dict(self.url)
        user, password = quote(str(given.pop("user"))), given.pop("password", None)
        who = user if password is None else f"{user}:{quote(str(password), safe='')}"
        place = f"{given.pop('host')}:{given.pop('port')}/{given.pop('dbname')}"
        return f"postgresql://{who}@{place}?{urlencode(given | parameters, quote_via=quote)}"

    def cut_at(self, fragment: bytes, how: Cut, *, for_good: bool = False) -> None:
        """Cuts the first connection that sends the fragment; with ``for_good`` lets no other in."""
        self._accepting = not for_good
        self._cut = (fragment, how)

    def fall_silent(self) -> None:
        """From now on takes connections and all that is sent, and passes nothing on."""
        self._swallows = True
        self._silent.update(self._sockets)

    def speak(self) -> None:
        """Passes on what comes over new connections; the old ones stay as they are."""
        self._swallows = False

    def close(self) -> None:
        for each in [self._listener, *self._sockets]:
            _close(each)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if not self._accepting:
                    _close(client)
                    continue
                server = self._connect()
                self._sockets += [client, server]
                if self._swallows:
                    self._silent |= {client, server}
                Thread(target=self._to_server, args=(client, server), daemon=True).start()
                Thread(target=self._to_client, args=(client, server), daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = str(self._upstream.get("host") or "127.0.0.1"), self._upstream.get("port")
        if not host.startswith("/"):
            return socket.create_connection((host, int(port or 5432)))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port or 5432}")
        return server

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(_CHUNK):
                if self._cut and self._cut[0] in data:
                    how, self._cut = self._cut[1], None
                    if how is Cut.SILENTLY:
                        self.fall_silent()
                        continue
                    _cut_off(client, server, data, how)
                    return
                if client not in self._silent:
                    server.sendall(data)
        _close(server)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(_CHUNK):
                if client not in self._silent:
                    client.sendall(data)
        _close(client)


def _cut_off(client: socket.socket, server: socket.socket, data: bytes, how: Cut) -> None:
    if how in {Cut.AFTER_ANSWER, Cut.AT_ONCE}:
        # Nothing more goes to the client, also if the server is quick.
        client.shutdown(socket.SHUT_WR)
        server.sendall(data)
    if how is Cut.AFTER_ANSWER:
        server.settimeout(0.3)
        with suppress(OSError):
            server.recv(_CHUNK)
    _close(client)
    if how is not Cut.CLIENT_ONLY:
        _close(server)


def _close(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def proxy_for(url: str) -> Iterator[Proxy]:
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
