"""Client processes that all do the same thing at the same time."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median, quantiles
from time import perf_counter, sleep, time

# Does one thing and returns how many events that were.
Step = Callable[[], int]
Subject = Callable[[str], Step]

_WARM_UP_STEPS = 20
_START_SECONDS = 0.05


class Clients:
    """As many processes, each with its own connection for every subject."""

    def __init__(self, pipes: Sequence[Connection]) -> None:
        self._pipes = pipes

    def rate(self, subject: str, seconds: float) -> float:
        """Events per second of all clients together."""
        for pipe in self._pipes:
            pipe.send((subject, time() + _START_SECONDS, seconds))
        rates: list[float] = [pipe.recv() for pipe in self._pipes]
        return sum(rates)


@contextmanager
def clients(url: str, subjects: Mapping[str, Subject], count: int) -> Iterator[Clients]:
    """So many client processes, warmed up; ``subjects`` make a step for a database's URL."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(count):
        here, there = context.Pipe()
        process = context.Process(target=_run, args=(url, dict(subjects), there), daemon=True)
        process.start()
        pipes.append(here)
        processes.append(process)
    try:
        for pipe in pipes:
            pipe.recv()
        yield Clients(pipes)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _run(url: str, subjects: dict[str, Subject], pipe: Connection) -> None:
    logging.getLogger("psycopg.pool").disabled = True
    steps = {name: subject(url) for name, subject in subjects.items()}
    for step in steps.values():
        for _ in range(_WARM_UP_STEPS):
            step()
    pipe.send(None)
    while True:
        name, start, seconds = pipe.recv()
        step, events = steps[name], 0
        sleep(max(0.0, start - time()))
        started = perf_counter()
        while perf_counter() - started < seconds:
            events += step()
        pipe.send(events / (perf_counter() - started))


@dataclass(frozen=True)
class Rates:
    """Events per second of each subject in each round; the rounds of all subjects took turns."""

    rounds: dict[str, list[float]]

    def median(self, subject: str) -> float:
        """Of all rounds."""
        return median(self.rounds[subject])

    def ratio(self, subject: str, other: str) -> float:
        """The median of the rounds' own ratios, so that what slowed a whole round cancels out."""
        return median(self._ratios(subject, other))

    def ratio_quartiles(self, subject: str, other: str) -> tuple[float, float]:
        """Half of the rounds' own ratios lie between these two."""
        first, _, third = quantiles(self._ratios(subject, other), n=4)
        return first, third

    def _ratios(self, subject: str, other: str) -> list[float]:
        pairs = zip(self.rounds[subject], self.rounds[other], strict=True)
        return [mine / theirs for mine, theirs in pairs]


def take_turns(subjects: Sequence[str], rounds: int, measure: Callable[[str], float]) -> Rates:
    """Measures each subject, round after round; each round begins with another one."""
    found: dict[str, list[float]] = {subject: [] for subject in subjects}
    for number in range(rounds):
        first = number % len(subjects)
        for subject in (*subjects[first:], *subjects[:first]):
            found[subject].append(measure(subject))
    return Rates(found)
