"""Workers whose database says nothing any more, without closing a connection."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from eventlog.pool import open_connection, open_pool
from eventlog.recorder import PostgresRecorder
from projections import progress, session
from tests.eventlog.proxy import proxy_for
from tests.patience import eventually
from tests.workers.publishing import Writer, holds_the_log
from tests.workers.world import projecting, published, write_side
from workers import publish

IMPATIENT = "-c statement_timeout=500"


def test_a_projector_goes_on_when_the_database_speaks_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A batch may take a minute, and nobody here wants to wait as long.
    monkeypatch.setattr(session, "_WRITING", session._WRITING.replace("60s", "500ms"))  # noqa: SLF001

    def has_shown(position: int) -> bool:
        with open_connection(database_url) as conn:
            return all(one.position >= position for one in progress.read(conn).values())

    with (
        proxy_for(database_url) as proxy,
        write_side(database_url) as training,
        projecting(proxy.link(options=IMPATIENT)),
    ):
        published(training, "BEFORE")
        eventually(lambda: has_shown(2))
        proxy.fall_silent()
        published(training, "MEANWHILE")
        proxy.speak()
        eventually(lambda: has_shown(4))


def test_a_publisher_goes_on_when_the_database_speaks_again(
    database_url: str, redis_url: str
) -> None:
    stop = Event()
    with proxy_for(database_url) as proxy, open_pool(database_url, 1) as pool:
        arguments = (proxy.link(options=IMPATIENT), redis_url, stop)
        publisher = Thread(target=publish.run, args=arguments)
        publisher.start()
        writer = Writer(PostgresRecorder(pool))
        writer.write(2)
        eventually(lambda: holds_the_log(redis_url, database_url))
        proxy.fall_silent()
        writer.write(2)
        proxy.speak()
        eventually(lambda: holds_the_log(redis_url, database_url))
        stop.set()
        publisher.join()
