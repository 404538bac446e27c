"""What many want to know at once is found out once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from api import single_flight
from api.single_flight import SingleFlight
from tests.patience import PATIENCE_SECONDS


def test_others_are_told_what_one_finds_out() -> None:
    flights, begun, known = SingleFlight[str, int](), Event(), Event()

    def finding() -> int:
        begun.set()
        assert known.wait(PATIENCE_SECONDS)
        return 7

    with ThreadPoolExecutor() as threads:
        one = threads.submit(flights.find, "x", finding)
        assert begun.wait(PATIENCE_SECONDS)
        others = [threads.submit(flights.others, "x") for _ in range(3)]
        assert flights.others("y") is None
        known.set()
        assert {one.result(), *(other.result() for other in others)} == {7}
    assert flights.others("x") is None


def test_who_waits_is_told_when_nothing_came_of_it() -> None:
    flights, begun, known = SingleFlight[str, int](), Event(), Event()

    def failing() -> int:
        begun.set()
        assert known.wait(PATIENCE_SECONDS)
        raise ZeroDivisionError

    with ThreadPoolExecutor() as threads:
        one = threads.submit(flights.find, "x", failing)
        assert begun.wait(PATIENCE_SECONDS)
        other = threads.submit(flights.others, "x")
        known.set()
        assert other.result() is None
        with pytest.raises(ZeroDivisionError):
            one.result()
    assert flights.find("x", lambda: 1) == 1


def test_nobody_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_flight, "PATIENCE_SECONDS", 0.01)
    flights, begun, known = SingleFlight[str, int](), Event(), Event()

    def slow() -> int:
        begun.set()
        assert known.wait(PATIENCE_SECONDS)
        return 7

    with ThreadPoolExecutor() as threads:
        one = threads.submit(flights.find, "x", slow)
        assert begun.wait(PATIENCE_SECONDS)
        assert flights.others("x") is None
        assert flights.find("x", lambda: 8) == 8
        known.set()
        assert one.result() == 7
