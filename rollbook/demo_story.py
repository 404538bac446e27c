"""What happens in the demo, moment by moment. The same story every time, counted from today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto
from random import Random

from domain.enrollment import Source
from rollbook.demo_catalog import Offer

SEED = 20
DAYS_BETWEEN_STEPS = (4, 14)
LAST_ENROLLMENT_DAYS_AGO = 3
DAYS_UNTIL_AGAIN = 21

PERCENTS = (25.0, 50.0, 75.0, 100.0)
NOTES = ("First module done.", "Halfway, and on time.", "Only the final test is left.")
WITHDRAWALS = ("Moved to another team.", "No time this quarter.", "Took the course elsewhere.")


class Deed(Enum):
    """What is done in a moment."""

    CREATE = auto()
    CLOSE = auto()
    ARCHIVE = auto()
    ENROLL = auto()
    PROGRESS = auto()
    COMPLETE = auto()
    CERTIFY = auto()
    VOID = auto()
    FAIL = auto()
    WITHDRAW = auto()


class Course(Enum):
    """How an enrollment goes."""

    COMPLETES = auto()
    COMPLETES_AFTER_FAILING = auto()
    COMPLETES_AGAIN_AFTER_VOIDING = auto()
    FAILS = auto()
    WITHDRAWS = auto()
    STOPS_HALFWAY = auto()
    NEVER_STARTS = auto()


WEIGHTS = {
    Course.COMPLETES: 54,
    Course.COMPLETES_AFTER_FAILING: 4,
    Course.COMPLETES_AGAIN_AFTER_VOIDING: 1,
    Course.FAILS: 7,
    Course.WITHDRAWS: 10,
    Course.STOPS_HALFWAY: 13,
    Course.NEVER_STARTS: 11,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One command of the story; the fields it does not need are None.

    Attributes:
        at: when it took effect.
        offer: the program it is about.
        percent: progress, or None.
        score_percent: the score, or None.
        text: a note or a reason, or None.

    """

    at: datetime
    deed: Deed
    offer: Offer
    employee_id: str | None = None
    source: Source = Source.ASSIGNED
    due_on: date | None = None
    percent: float | None = None
    score_percent: float | None = None
    text: str | None = None


def tell(offers: Sequence[Offer], employee_ids: Sequence[str], now: datetime) -> list[Moment]:
    """Return the moments of the story in their order, none of them after `now`."""
    random = Random(SEED)  # noqa: S311  # a demo, not a secret
    moments = [
        moment for offer in offers for moment in _Telling(offer, now, random).tell(employee_ids)
    ]
    return sorted((m for m in moments if m.at <= now), key=lambda moment: moment.at)


class _Telling:
    """The story of one program."""

    def __init__(self, offer: Offer, now: datetime, random: Random) -> None:
        self._offer = offer
        self._now = now
        self._random = random

    def tell(self, employee_ids: Sequence[str]) -> Iterator[Moment]:
        offer = self._offer
        yield Moment(self._ago(offer.opened or 1), Deed.CREATE, offer)
        if offer.closed is not None:
            yield Moment(self._ago(offer.closed), Deed.CLOSE, offer)
        if offer.archived is not None:
            yield Moment(self._ago(offer.archived), Deed.ARCHIVE, offer)
        for employee_id in self._random.sample(list(employee_ids), offer.people):
            yield from self._participate(employee_id)

    def _participate(self, employee_id: str) -> Iterator[Moment]:
        (course,) = self._random.choices(list(WEIGHTS), list(WEIGHTS.values()))
        if self._offer.closed is not None and course in {Course.STOPS_HALFWAY, Course.NEVER_STARTS}:
            course = Course.COMPLETES
        began = self._beginning()
        yield self._enroll(employee_id, began)
        if course is Course.NEVER_STARTS:
            return
        yield from self._run(employee_id, began, course)

    def _run(self, employee_id: str, began: datetime, course: Course) -> Iterator[Moment]:
        steps = len(PERCENTS)
        if course in {Course.STOPS_HALFWAY, Course.WITHDRAWS}:
            steps = self._random.randint(1, len(PERCENTS) - 1)
        at = began
        for number in range(steps):
            at = self._later(at)
            yield self._step(employee_id, at, number)
        at = self._later(at)
        match course:
            case Course.COMPLETES:
                yield from self._complete(employee_id, at)
            case Course.FAILS:
                yield self._fail(employee_id, at)
            case Course.WITHDRAWS:
                reason = self._random.choice(WITHDRAWALS)
                yield Moment(at, Deed.WITHDRAW, self._offer, employee_id, text=reason)
            case Course.COMPLETES_AFTER_FAILING:
                yield from self._try_again(employee_id, at)
            case Course.COMPLETES_AGAIN_AFTER_VOIDING:
                yield from self._complete_twice(employee_id, at)

    def _complete(self, employee_id: str, at: datetime) -> Iterator[Moment]:
        score = float(min(100, round(self._random.gauss(84, 8))))
        lowest = self._offer.details.pass_score_percent or 0
        score = max(score, lowest)
        yield Moment(at, Deed.COMPLETE, self._offer, employee_id, score_percent=score)
        yield Moment(self._later(at), Deed.CERTIFY, self._offer, employee_id)

    def _fail(self, employee_id: str, at: datetime) -> Moment:
        score = float(self._random.randint(20, 48))
        return Moment(at, Deed.FAIL, self._offer, employee_id, score_percent=score)

    def _try_again(self, employee_id: str, at: datetime) -> Iterator[Moment]:
        yield self._fail(employee_id, at)
        if self._offer.closed is not None:
            return
        again = at + timedelta(days=DAYS_UNTIL_AGAIN)
        yield self._enroll(employee_id, again)
        yield from self._run(employee_id, again, Course.COMPLETES)

    def _complete_twice(self, employee_id: str, at: datetime) -> Iterator[Moment]:
        yield from self._complete(employee_id, at)
        reason = "The test was taken by somebody else of the same name."
        voided = self._later(self._later(at))
        yield Moment(voided, Deed.VOID, self._offer, employee_id, text=reason)
        yield from self._complete(employee_id, self._later(voided))

    def _enroll(self, employee_id: str, at: datetime) -> Moment:
        due_days = self._offer.due_days
        return Moment(
            at,
            Deed.ENROLL,
            self._offer,
            employee_id,
            source=Source.ASSIGNED if self._offer.details.mandatory else Source.SELF,
            due_on=None if due_days is None else (at + timedelta(days=due_days)).date(),
        )

    def _step(self, employee_id: str, at: datetime, number: int) -> Moment:
        has_note = number < len(NOTES) and self._random.random() < 1 / 4
        return Moment(
            at,
            Deed.PROGRESS,
            self._offer,
            employee_id,
            percent=PERCENTS[number],
            text=NOTES[number] if has_note else None,
        )

    def _beginning(self) -> datetime:
        opened = self._offer.opened or 1
        last = self._offer.closed or LAST_ENROLLMENT_DAYS_AGO
        # Most people come soon after a program opens.
        share = self._random.betavariate(1, 1.6)
        return self._at_work(opened - 1 - share * (opened - 1 - last))

    def _later(self, at: datetime) -> datetime:
        return at + timedelta(days=self._random.uniform(*DAYS_BETWEEN_STEPS))

    def _ago(self, days: float) -> datetime:
        return self._now - timedelta(days=days)

    def _at_work(self, days_ago: float) -> datetime:
        day = self._ago(days_ago)
        hour, minute = self._random.randint(7, 16), self._random.randint(0, 59)
        return max(self._ago(self._offer.opened or 1), day.replace(hour=hour, minute=minute))
