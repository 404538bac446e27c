"""Commands that go on at a steady rate while something else is measured."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from multiprocessing.sharedctypes import Synchronized
from time import monotonic, sleep

import msgspec

from benchmarks.http_load import Address, drive, request
from benchmarks.sides import PREFIX

PER_SECOND = 20
_PERCENTS = (10, 20)


@contextmanager
def corrections(address: Address, token: str, enrollments: Sequence[str]) -> Iterator[None]:
    """Correct the progress of one enrollment after another, `PER_SECOND` of them.

    Raises AssertionError at the end where it was not done so often.
    """
    context = multiprocessing.get_context("spawn")
    done = context.Value("q", 0)
    writer = context.Process(target=_correct, args=(address, token, enrollments, done))
    writer.start()
    while done.value == 0:
        assert writer.exitcode is None, "the writer did not start"
        sleep(1 / PER_SECOND)
    began, before = monotonic(), done.value
    try:
        yield
    finally:
        rate = (done.value - before) / (monotonic() - began)
        writer.kill()
        writer.join()
    assert rate > PER_SECOND / 2, f"only {rate:.1f} commands a second were done"


def _correct(
    address: Address, token: str, enrollments: Sequence[str], done: Synchronized[int]
) -> None:
    due = monotonic()
    for percent in cycle(_PERCENTS):
        for enrollment in enrollments:
            body = {"percent": percent, "reason": "measured"}
            path = f"{PREFIX}/enrollments/{enrollment}/correct"
            drive(address, [request("POST", path, address, token, msgspec.json.encode(body))], 1)
            done.value += 1
            due = max(due + 1 / PER_SECOND, monotonic() - 1)
            sleep(max(0.0, due - monotonic()))
