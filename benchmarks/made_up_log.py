"""A log of any length, made up: the same seed gives the same events.

The mix is that of real records: eight events an enrollment, most of them progress,
and enrollments that run side by side.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import Any
from uuid import UUID

from domain.enrollment import Enrollment, Source
from domain.program_details import Certification, ProgramDetails
from domain.provenance import Provenance
from domain.training_program import TrainingProgram
from eventlog.codec import EventCodec
from eventlog.pool import Connection

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
PROGRAMS = 40
DEPARTMENTS = ("sales", "research", "production", None)
PROGRESS_STEPS = 5


def event_of(kind: type[Any], **facts: object) -> Any:
    """An event of this kind, whose fields the type checker does not know."""
    return kind(**facts)


class MadeUpLog:
    """Events of a company that trains; `side_by_side` enrollments run at any time."""

    def __init__(self, side_by_side: int = 200, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311  # nothing secret
        self._side_by_side = side_by_side
        self._seconds = count()
        self._numbers = count(1)

    def events(self) -> Iterator[Any]:
        """Yield events without end, in an order that a real log could have."""
        programs = [self._uuid() for _ in range(PROGRAMS)]
        for number, program_id in enumerate(programs, start=1):
            yield from self._program(program_id, number)
        running: list[Iterator[Any]] = []
        while True:
            while len(running) < self._side_by_side:
                running.append(self._enrollment(self._random.choice(programs)))
            chosen = self._random.randrange(len(running))
            event = next(running[chosen], None)
            if event is None:
                running[chosen] = running[-1]
                running.pop()
            else:
                yield event

    def _program(self, program_id: UUID, number: int) -> Iterator[Any]:
        details = ProgramDetails(
            code=f"P-{number}",
            title=f"Program {number}",
            category=f"category {number % 7}",
            certification=Certification(offered=True),
        )
        yield event_of(TrainingProgram.Created, **self._common(program_id, 1), details=details)
        yield event_of(TrainingProgram.Published, **self._common(program_id, 2))

    def _enrollment(self, program_id: UUID) -> Iterator[Any]:
        number = next(self._numbers)
        employee_id = f"employee-{number}"
        stream_id = Enrollment.id_of(program_id, employee_id)
        about = {"program_id": program_id, "employee_id": employee_id}
        versions = count(1)

        def common() -> dict[str, Any]:
            return self._common(stream_id, next(versions)) | about

        yield event_of(
            Enrollment.Enrolled,
            **common(),
            cycle=1,
            source=Source.IMPORT,
            due_on=None,
            program_revision=1,
            department=self._random.choice(DEPARTMENTS),
        )
        for step in range(1, PROGRESS_STEPS + 1):
            yield event_of(
                Enrollment.ProgressRecorded,
                **common(),
                percent=100.0 * step / PROGRESS_STEPS,
                score_percent=float(self._random.randrange(40, 101)),
                note=None,
            )
        yield from self._end(common, number)

    def _end(self, common: Any, number: int) -> Iterator[Any]:
        if number % 4 == 0:
            yield event_of(Enrollment.Withdrawn, **common())
            return
        score = float(self._random.randrange(40, 101))
        yield event_of(
            Enrollment.Completed,
            **common(),
            score_percent=score,
            grade=None,
            signature=None,
            printed_name=None,
        )
        issued = common()
        yield event_of(
            Enrollment.CertificateIssued,
            **issued,
            cycle=1,
            number=f"RB-{number:08d}",
            title="Certificate",
            valid_from=issued["effective_at"].date(),
            valid_until=None,
        )

    def _common(self, stream_id: UUID, version: int) -> dict[str, Any]:
        now = BEGIN + timedelta(seconds=next(self._seconds))
        return {
            "originator_id": stream_id,
            "originator_version": version,
            "timestamp": now,
            "effective_at": now,
            "provenance": Provenance(actor="hr-1", role="hr", correlation_id=f"request-{now:%s}"),
            "reason": None,
        }

    def _uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


def write_log(conn: Connection, codec: EventCodec, events: int, side_by_side: int = 200) -> None:
    """Append that many made-up events to an empty log, past the recorder."""
    stored = map(codec.to_stored_event, islice(MadeUpLog(side_by_side).events(), events))
    statement = "COPY rollbook.events (stream_id, version, topic, state) FROM STDIN"
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for event in stored:
            copy.write_row(
                (
                    event.originator_id,
                    event.originator_version,
                    event.topic,
                    event.state.decode(),
                )
            )
    conn.execute("ANALYZE rollbook.events")
