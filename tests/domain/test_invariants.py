"""What holds after any sequence of commands on a program, by random sequences of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count, islice
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from domain.aggregate import Aggregate, Event
from domain.enrollment import Enrollment, EnrollmentStatus, Source
from domain.errors import DomainError
from domain.program_snapshot import ProgramSnapshot
from domain.training import Receipt
from domain.training_program import ProgramStatus, TrainingProgram
from projections.certificate_register import CERTIFICATE_REGISTER, CertificateStatus
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.program_listing import PROGRAM_LISTING
from projections.table import ReadTable
from tests.domain.facts import BY_HAND, CERTIFIED, details
from tests.domain.office import STAFF, Office
from tests.domain.scenario import ACT, WITH_REASON, Kind, replayed

PEOPLE = STAFF[:5]
CODES = count(1)

employees = st.sampled_from(PEOPLE)
percents = st.integers(0, 100).map(float)
capacities = st.none() | st.integers(1, 4)
programs: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    capacity=capacities,
    pass_score_percent=st.none() | st.just(50.0),
    certification=st.sampled_from([CERTIFIED, BY_HAND]),
)


def test_the_rules_hold_after_any_sequence_of_commands(office: Office) -> None:
    class CommandsInOffice(Commands):
        def __init__(self) -> None:
            super().__init__(office)

    run_state_machine_as_test(
        CommandsInOffice,
        settings=settings(
            max_examples=50,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_snapshots_change_nothing_whatever_becomes_of_them(office: Office) -> None:
    class CommandsWithSnapshots(Commands):
        def __init__(self) -> None:
            super().__init__(office)

        @rule()
        def take_a_snapshot(self) -> None:
            self.office.snapshots.put(ProgramSnapshot.of(self.program()))

        @rule(state=st.sampled_from(["{}", "[]", "7"]))
        def spoil_the_snapshots(self, state: str) -> None:
            with self.office.pool.connection() as conn:
                conn.execute("update rollbook.snapshots set state = %s", (state,))

        @rule()
        def make_them_of_an_older_shape(self) -> None:
            with self.office.pool.connection() as conn:
                conn.execute("update rollbook.snapshots set topic = 'program.snapshot.v0'")

        @rule()
        def forget_them(self) -> None:
            self.office.snapshots.delete_all()

        @invariant()
        def a_snapshot_is_the_program_at_its_version(self) -> None:
            snapshot = self.office.snapshots.get(self.program_id)
            if snapshot is not None:
                own = (it for it in self.events if it.originator_id == self.program_id)
                past = islice(own, snapshot.originator_version)
                then = replayed(TrainingProgram, self.program_id, past)
                assert state(snapshot.restored()) == state(then)

    run_state_machine_as_test(
        CommandsWithSnapshots,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


class Commands(RuleBasedStateMachine):
    """Gives commands on one program, and keeps by itself who waits in which order."""

    def __init__(self, office: Office) -> None:
        super().__init__()
        self.office = office
        self.training = office.training
        self.waiting: list[str] = []
        self.live: list[Aggregate] = []
        self.events: list[Event] = []
        self.position = office.recorder.max_notification_id() or 0

    @initialize(offered=programs)
    def offer(self, offered: dict[str, Any]) -> None:
        self.code = f"C-{next(CODES)}"
        self.program_id = self.office.program(self.code, **offered)
        self.read_on()

    # The commands; some are refused, and leave no trace then.

    @rule(employee=employees)
    def enroll(self, employee: str) -> None:
        enrolled = self.give(
            lambda: self.training.enroll(self.program_id, employee, ACT, Source.SELF)
        )
        if enrolled is not None and enrolled.status is EnrollmentStatus.WAITLISTED:
            self.waiting.append(employee)

    @rule(employee=employees)
    def withdraw(self, employee: str) -> None:
        withdrawn = self.give(lambda: self.training.withdraw(self.id_of(employee), ACT))
        if withdrawn is not None and employee in self.waiting:
            self.waiting.remove(employee)
        self.expect_promotions()

    @rule(employee=employees, percent=percents)
    def record_progress(self, employee: str, percent: float) -> None:
        before = self.enrollment(employee).percent
        recorded = self.give(
            lambda: self.training.record_progress(self.id_of(employee), ACT, percent)
        )
        assert recorded is None or before <= recorded.percent == percent

    @rule(employee=employees, percent=percents)
    def correct_progress(self, employee: str, percent: float) -> None:
        self.give(
            lambda: self.training.correct_progress(self.id_of(employee), WITH_REASON, percent)
        )

    @rule(employee=employees, score_percent=st.none() | percents)
    def complete(self, employee: str, score_percent: float | None) -> None:
        self.give(lambda: self.training.complete(self.id_of(employee), ACT, score_percent))

    @rule(employee=employees)
    def fail(self, employee: str) -> None:
        self.give(lambda: self.training.fail(self.id_of(employee), ACT))

    @rule(employee=employees)
    def void_completion(self, employee: str) -> None:
        self.give(lambda: self.training.void_completion(self.id_of(employee), WITH_REASON))

    @rule(employee=employees)
    def issue_certificate(self, employee: str) -> None:
        self.give(lambda: self.training.issue_certificate(self.id_of(employee), ACT))

    @rule(employee=employees)
    def revoke_a_certificate(self, employee: str) -> None:
        for number in list(self.enrollment(employee).live_certificates.values())[:1]:
            self.give(lambda number=number: self.training.revoke_certificate(number, WITH_REASON))  # type: ignore[misc]  # bound at once

    @rule(capacity=capacities)
    def change_capacity(self, capacity: int | None) -> None:
        changed = details(code=self.code, capacity=capacity, certification=CERTIFIED)
        self.give(lambda: self.training.revise_program(self.program_id, changed, ACT))
        self.expect_promotions()

    @rule()
    def publish(self) -> None:
        self.give(lambda: self.training.publish_program(self.program_id, ACT))
        self.expect_promotions()

    @rule()
    def close(self) -> None:
        self.give(lambda: self.training.close_program(self.program_id, ACT))

    @rule()
    def archive_and_restore(self) -> None:
        self.give(lambda: self.training.archive_program(self.program_id, ACT))
        self.give(lambda: self.training.restore_program(self.program_id, ACT))

    # What is to hold.

    @invariant()
    def seats_stay_within_the_capacity(self) -> None:
        program = self.program()
        if program.details.capacity is not None:
            assert len(program.seats) <= program.details.capacity

    @invariant()
    def nobody_waits_for_a_free_seat(self) -> None:
        program = self.program()
        if program.status is ProgramStatus.PUBLISHED and program.waiting:
            assert len(program.seats) == program.details.capacity

    @invariant()
    def nobody_is_seated_and_waiting(self) -> None:
        program = self.program()
        assert not program.seats & program.waiting.keys()

    @invariant()
    def the_waiting_list_is_in_the_order_of_coming(self) -> None:
        assert list(self.program().waiting) == self.waiting

    @invariant()
    def program_and_enrollments_agree(self) -> None:
        program = self.program()
        enrollments = [self.enrollment(employee) for employee in PEOPLE]
        waiting = {it.employee_id for it in enrollments if it.status == "waitlisted"}
        assert waiting == program.waiting.keys()
        if not program.is_unlimited:
            assert {it.employee_id for it in enrollments if it.holds_place} == program.seats

    @invariant()
    def replaying_gives_what_the_command_left(self) -> None:
        for live in self.live:
            assert state(self.replayed(type(live), live.id)) == state(live)

    @invariant()
    def a_cycle_has_at_most_one_live_certificate(self) -> None:
        live: dict[str, tuple[UUID, int]] = {}
        for event in self.events:
            if isinstance(event, Enrollment.CertificateIssued):
                live[event.number] = (event.originator_id, event.cycle)
            if isinstance(event, Enrollment.CertificateRevoked):
                del live[event.number]
        assert max(Counter(live.values()).values(), default=1) == 1

    @invariant()
    def causes_stand_before_what_follows_from_them(self) -> None:
        known: set[str] = set()
        for event in self.events:
            assert event.provenance.causation_id in {None, *known}
            known.add(event.reference)

    @invariant()
    def the_rows_say_what_the_aggregates_say(self) -> None:
        program, row = self.program(), self.rows(PROGRAM_LISTING)[self.program_id]
        assert (row.status, row.version) == (program.status, program.version)
        assert (row.seats_taken, row.waiting) == (len(program.seats), len(program.waiting))
        certificates = self.rows(CERTIFICATE_REGISTER)
        for stream_id, it in self.rows(ENROLLMENT_LISTING).items():
            enrollment = self.replayed(Enrollment, stream_id)
            number = enrollment.live_certificates.get(enrollment.cycle)
            assert (it.status, it.version) == (enrollment.status, enrollment.version)
            assert (it.percent, it.certificate_number) == (enrollment.percent, number)
            live = {
                certificate.number
                for certificate in certificates.values()
                if certificate.enrollment_id == stream_id
                and certificate.status == CertificateStatus.ISSUED
            }
            assert live == set(enrollment.live_certificates.values())

    # How.

    def give(self, command: Callable[[], Receipt[Any]]) -> Any:
        """What the command is about, or None when it was refused."""
        try:
            subject = command().subject
        except DomainError:
            assert self.read_on() == 0
            return None
        self.read_on()
        self.live = [subject]
        return subject

    def read_on(self) -> int:
        """Read what was stored meanwhile, and return how many events that was."""
        after = self.position
        new = self.office.recorder.select_notifications(after, 1_000, inclusive_of_start=False)
        decoded = [self.office.codec.to_domain_event(it) for it in new]
        self.events += [event for event in decoded if isinstance(event, Event)]
        self.position = new[-1].id if new else after
        return len(new)

    def expect_promotions(self) -> None:
        still_waiting = len(self.program().waiting)
        self.waiting = self.waiting[len(self.waiting) - still_waiting :]

    def id_of(self, employee: str) -> UUID:
        return Enrollment.id_of(self.program_id, employee)

    def program(self) -> TrainingProgram:
        return self.replayed(TrainingProgram, self.program_id)

    def enrollment(self, employee: str) -> Enrollment:
        return self.replayed(Enrollment, self.id_of(employee))

    def replayed(self, kind: type[Kind], stream_id: UUID) -> Kind:
        """The aggregate as the log has it."""
        own = (event for event in self.events if event.originator_id == stream_id)
        return replayed(kind, stream_id, own)

    def rows(self, table: ReadTable[Any]) -> dict[Any, Any]:
        rows: dict[Any, Any] = {}
        for event in self.events:
            if type(event) in table.keys:
                key = table.keys[type(event)](event)
                rows[key] = table.evolve(rows.get(key), event)
        return {table.value_of(key): row for key, row in rows.items()}


def state(aggregate: Aggregate) -> dict[str, Any]:
    """All attributes but those of the command itself."""
    of_the_command = {"_pending_events", "_journal"}
    return {name: it for name, it in vars(aggregate).items() if name not in of_the_command}
