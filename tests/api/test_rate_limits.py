"""So many requests a minute and no more, whether Redis is there or not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from threading import Lock, Thread
from typing import Any

import pytest
import redis
from limits.storage import MemoryStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

from api.policy import Policy
from tests.api.world import BASE, Answer, Api, Caller
from tests.patience import PATIENCE_SECONDS

LIMIT = 6
NO_PATIENCE: dict[str, Any] = {
    "socket_timeout": 0.1,
    "socket_connect_timeout": 0.1,
    "retry": Retry(NoBackoff(), 0),
}


def limited(api: Api, counts_url: str = "memory://", limit: int = LIMIT, **options: Any) -> Api:
    """The API as one more process has it, with limits."""
    policy = Policy(
        caller_requests=limit,
        stranger_requests=limit,
        counts_url=counts_url,
        counts_options=options,
    )
    return Api(replace(api.services, policy=policy), api.url)


def statuses(caller: Caller, number: int) -> list[int]:
    return [caller.get("programs").status for _ in range(number)]


def test_a_caller_is_told_how_much_is_left_and_when_to_come_again(api: Api) -> None:
    one = limited(api)
    first = one.admin.get("programs")
    assert first.status == 200
    assert first.headers["RateLimit-Policy"] == f'"requests";q={LIMIT};w=60'
    assert left(first) == LIMIT - 1
    assert statuses(one.admin, LIMIT - 1) == [200] * (LIMIT - 1)
    refused = one.admin.get("programs")
    assert (refused.status, refused.json["code"]) == (429, "too_many_requests")
    assert left(refused) == 0
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def left(answer: Answer) -> int:
    return int(answer.headers["RateLimit"].partition("r=")[2].partition(";")[0])


def test_others_and_those_who_watch_over_us_are_not_turned_away_with_them(api: Api) -> None:
    one = limited(api)
    assert 429 in statuses(one.admin, LIMIT + 1)
    assert one.auditor.get("programs").status == 200
    for _ in range(LIMIT + 1):
        assert one.admin.get("/healthz").status == 200


def test_guessing_tokens_is_limited_by_address_and_harms_no_caller(api: Api) -> None:
    one = limited(api)
    # One was used up by whoever read the description.
    guesses = [one.with_token(f"guess-{number}").get("programs") for number in range(LIMIT)]
    assert [guess.status for guess in guesses] == [401] * (LIMIT - 1) + [429]
    assert one.with_token(None).get(f"{BASE}/openapi.json").status == 429
    assert one.admin.get("programs").status == 200


def test_a_large_limit_counted_ahead_is_kept_all_the_same(api: Api) -> None:
    one = limited(api, limit=500)
    answered = [one.admin.get("programs") for _ in range(501)]
    assert [answer.status for answer in answered] == [200] * 500 + [429]
    assert [left(answer) for answer in answered] == [*range(499, -1, -1), 0]


def test_who_asks_over_many_connections_at_once_has_as_much(api: Api) -> None:
    limit, clients = 500, 12
    one = limited(api, limit=limit)

    def ask(_: int) -> list[int]:
        return statuses(one.role("hr_admin"), 50)

    with ThreadPoolExecutor(clients) as threads:
        answered = [status for found in threads.map(ask, range(clients)) for status in found]
    # Those who were turned away meanwhile may have been faster than one who was counted.
    answered += statuses(one.role("hr_admin"), 50)
    assert answered.count(200) == limit
    assert answered.count(429) == (clients + 1) * 50 - limit


class CountsOfOneThread(MemoryStorage):
    """Counts in memory, at which a second thread is a fault, as it may be with `MemoryStorage`."""

    STORAGE_SCHEME = ["one-thread"]  # noqa: RUF012  as its base class names it

    def __init__(self, uri: str | None = None, **options: Any) -> None:
        super().__init__(uri, **options)
        self.alone = Lock()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        if not self.alone.acquire(blocking=False):
            raise RuntimeError("two threads count at once")
        try:
            time.sleep(0.01)
            return super().incr(key, expiry, amount)
        finally:
            self.alone.release()


def test_one_thread_at_a_time_counts(api: Api) -> None:
    one = limited(api, "one-thread://", limit=12)
    with ThreadPoolExecutor(6) as threads:
        answered = threads.map(lambda _: one.admin.get("programs").status, range(18))
    assert sorted(answered) == [200] * 12 + [429] * 6


def test_what_does_not_exist_is_not_counted(api: Api) -> None:
    one = limited(api)
    answers = [one.with_token(None).get(f"{BASE}/nowhere") for _ in range(LIMIT + 1)]
    assert {answer.status for answer in answers} == {404}
    assert not any("RateLimit" in answer.headers for answer in answers)


@pytest.mark.storage
def test_two_processes_count_together(api: Api, redis_url: str) -> None:
    url = counting(redis_url)
    one, other = limited(api, url), limited(api, url)
    together = statuses(one.admin, 4) + statuses(other.admin, 4)
    assert together == [200] * LIMIT + [429] * 2


def counting(redis_url: str) -> str:
    return redis_url.replace("unix:", "redis+unix:")


def test_without_redis_each_process_counts_for_itself(api: Api) -> None:
    with silent_port() as port:
        one = limited(api, f"redis://127.0.0.1:{port}/0", **NO_PATIENCE)
        assert statuses(one.admin, LIMIT + 2) == [200] * LIMIT + [429] * 2
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        closed = server.getsockname()[1]
    one = limited(api, f"redis://127.0.0.1:{closed}/0", **NO_PATIENCE)
    assert statuses(one.admin, LIMIT + 2) == [200] * LIMIT + [429] * 2


@contextmanager
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.storage
def test_redis_is_found_again_when_it_comes_back(api: Api, redis_url: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = server.getsockname()
    url = f"redis://127.0.0.1:{address[1]}/{database_of(redis_url)}"
    one = limited(api, url, limit=1_000, **NO_PATIENCE)
    assert one.admin.get("programs").status == 200
    deadline = time.monotonic() + PATIENCE_SECONDS
    with relay(address, redis_url), redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        while not client.dbsize():
            assert time.monotonic() < deadline
            assert one.admin.get("programs").status in {200, 429}


def database_of(redis_url: str) -> int:
    with redis.from_url(redis_url) as client:
        return int(client.connection_pool.connection_kwargs.get("db", 0))


@contextmanager
def relay(address: tuple[str, int], redis_url: str) -> Iterator[None]:
    """Passes on to Redis what arrives at the address."""
    with redis.from_url(redis_url) as client:
        upstream = client.connection_pool.connection_kwargs

    def serve(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                left_side, _ = server.accept()
                right_side = connected(upstream)
                for pair in ((left_side, right_side), (right_side, left_side)):
                    Thread(target=copy, args=pair, daemon=True).start()

    with socket.create_server(address) as server:
        Thread(target=serve, args=(server,), daemon=True).start()
        yield


def connected(upstream: dict[str, Any]) -> socket.socket:
    if "path" not in upstream:
        return socket.create_connection((upstream["host"], upstream["port"]))
    local = socket.socket(socket.AF_UNIX)
    local.connect(upstream["path"])
    return local


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError), source, target:
        while data := source.recv(65536):
            target.sendall(data)
