"""Loading an aggregate, beside the same by the stock recorder; and a large one from its snapshot.

python -m benchmarks.load [--seats 2000] [--rounds 7] [--database URL]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import cycle
from time import perf_counter
from typing import Any
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import AggregateRecorder, EventStore

from benchmarks.clients import Rates, take_turns
from benchmarks.made_up_log import event_of, write_log
from benchmarks.projecting import migrate_database
from benchmarks.report import publish, table
from benchmarks.servers import scratch_database
from benchmarks.stock import copy_log, stock_recorder
from domain.aggregate import Aggregate
from domain.enrollment import Enrollment
from domain.loading import Loader
from domain.program_details import ProgramDetails
from domain.program_snapshot import ProgramSnapshot
from domain.provenance import Provenance
from domain.snapshots import NoSnapshots
from domain.training_program import TrainingProgram
from eventlog.event_store import SealingEventStore
from eventlog.pool import open_pool
from eventlog.recorder import PostgresRecorder
from eventlog.snapshots import Snapshots
from rollbook.assembly import event_codec, snapshot_codec

LOG_EVENTS = 20_000
LOADS = 200

CODEC = event_codec()

Load = Callable[[type[Any], UUID], Aggregate]


def offered_and_taken(program_id: UUID, seats: int) -> Iterator[Any]:
    """The events of a program in which so many seats were taken."""
    now = datetime.now(UTC)

    def common(version: int) -> dict[str, Any]:
        return {
            "originator_id": program_id,
            "originator_version": version,
            "timestamp": now,
            "effective_at": now,
            "provenance": Provenance(actor="hr-1", role="hr_admin", correlation_id="request-1"),
            "reason": None,
        }

    details = ProgramDetails(code="LARGE", title="Large", capacity=seats)
    yield event_of(TrainingProgram.Created, **common(1), details=details)
    yield event_of(TrainingProgram.Published, **common(2))
    for number in range(seats):
        yield event_of(
            TrainingProgram.SeatTaken, **common(number + 3), employee_id=f"employee-{number}"
        )


def by_stock(recorder: AggregateRecorder) -> Load:
    """The whole stream by the library's recorder and event store, with the same codec."""
    events: EventStore[UUID] = EventStore(CODEC, recorder)

    def load(kind: type[Any], stream_id: UUID) -> Aggregate:
        aggregate: Aggregate = kind.blank(stream_id)
        for event in events.get(stream_id):
            event.mutate(aggregate)  # type: ignore[attr-defined]  # every event of ours can
        return aggregate

    return load


def measure(url: str, seats: int, rounds: int) -> dict[str, Rates]:
    """Loads per second, of enrollments and of one large program."""
    program_id = uuid4()
    with open_pool(url, 1) as pool:
        recorder = PostgresRecorder(pool)
        events = SealingEventStore(CODEC, recorder)
        events.put(list(offered_and_taken(program_id, seats)))
        copy_log(url, up_to=LOG_EVENTS + seats + 2)
        snapshots = Snapshots(recorder, snapshot_codec())
        whole = Loader(recorder, events, NoSnapshots())
        snapshots.put(ProgramSnapshot.of(whole.load(TrainingProgram, program_id)))
        stock = by_stock(stock_recorder(url))
        from_snapshot = Loader(recorder, events, snapshots)
        return {
            "enrollment": in_turn(
                {"rollbook": whole.load, "stock": stock}, Enrollment, enrollments(url), rounds
            ),
            f"program with {seats:,} seats": in_turn(
                {"rollbook": from_snapshot.load, "no snapshot": whole.load, "stock": stock},
                TrainingProgram,
                [program_id],
                rounds,
            ),
        }


def enrollments(url: str) -> list[UUID]:
    """Some streams of enrollments that ran to their end."""
    query = "select stream_id from rollbook.events where version = 8 order by random() limit 1000"
    with psycopg.connect(url) as conn:
        return [stream_id for (stream_id,) in conn.execute(query)]


def in_turn(
    loads: Mapping[str, Load], kind: type[Aggregate], streams: list[UUID], rounds: int
) -> Rates:
    """Loads per second of each."""
    following = cycle(streams)
    times = LOADS if len(streams) > 1 else LOADS // 20

    def rate(subject: str) -> float:
        began = perf_counter()
        for _ in range(times):
            assert loads[subject](kind, next(following)).exists
        return times / (perf_counter() - began)

    return take_turns(list(loads), rounds, rate)


def main() -> None:
    """Runs all and publishes it."""
    options = parse()
    with scratch_database(options.database) as database:
        migrate_database(database.url)
        with psycopg.connect(database.url, autocommit=True) as conn:
            write_log(conn, CODEC, LOG_EVENTS)
        found = measure(database.url, options.seats, options.rounds)
        header = ["", "to stock", "loads/s", "without snapshot/s", "stock/s"]
        rows = [
            [
                what,
                rates.ratio("rollbook", "stock"),
                rates.median("rollbook"),
                rates.median("no snapshot") if "no snapshot" in rates.rounds else "",
                rates.median("stock"),
            ]
            for what, rates in found.items()
        ]
        results = {what: rates.rounds for what, rates in found.items()}
        publish("load", database.url, table(header, rows), results)


def parse() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--seats", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--database", help="URL of a server on which a scratch database is made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
