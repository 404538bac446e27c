"""What a training program offers, and the rules its values keep."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from domain.errors import InvalidValueError

MAX_CODE_LENGTH = 64
MAX_TITLE_LENGTH = 300
MAX_DESCRIPTION_LENGTH = 20_000
MAX_NAME_LENGTH = 200
MAX_CAPACITY = 1_000_000
MAX_DURATION_HOURS = 100_000
MAX_VALID_FOR_MONTHS = 1_200
MAX_COST = Decimal("999999999999.99")
MAX_COST_DECIMALS = 4
MAX_TAGS = 50
MAX_TAG_LENGTH = 64


class Level(StrEnum):
    """How much the program expects its participants to know."""

    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


class DeliveryMode(StrEnum):
    """Where the training takes place."""

    ONLINE = "online"
    CLASSROOM = "classroom"
    BLENDED = "blended"


class Issuing(StrEnum):
    """Whether completing issues the certificate, or somebody does."""

    AUTOMATICALLY = "automatically"
    MANUALLY = "manually"


@dataclass(frozen=True, slots=True)
class Certification:
    """What a completion earns. `valid_for_months` None means without expiry."""

    offered: bool = False
    title: str | None = None
    issued: Issuing = Issuing.AUTOMATICALLY
    valid_for_months: int | None = None


@dataclass(frozen=True, slots=True)
class ProgramDetails:
    """All that can be said of a program. `capacity` None means unlimited."""

    code: str
    title: str
    description: str | None = None
    category: str | None = None
    level: Level | None = None
    delivery_mode: DeliveryMode | None = None
    provider: str | None = None
    instructor: str | None = None
    duration_hours: float | None = None
    capacity: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    enrollment_deadline: date | None = None
    cost: Decimal | None = None
    currency: str | None = None
    mandatory: bool = False
    tags: tuple[str, ...] = ()
    pass_score_percent: float | None = None
    signature_required: bool = False
    certification: Certification = Certification()

    def validate(self) -> None:
        """Raise `InvalidValueError` naming the first field that breaks a rule."""
        self._validate_texts()
        self._validate_numbers()
        self._validate_dates()
        self._validate_cost()
        self._validate_tags()

    def differences(self, other: ProgramDetails) -> dict[str, object]:
        """Return the fields of `other` that are not as they are here, by name."""
        pairs = ((f.name, getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return {name: theirs for name, ours, theirs in pairs if ours != theirs}

    def changed_by(self, changes: dict[str, Any]) -> ProgramDetails:
        """Return the details with `changes`, which hold values by field name, made to them."""
        return replace(self, **changes)

    def _validate_texts(self) -> None:
        require_text("code", self.code, MAX_CODE_LENGTH)
        require_text("title", self.title, MAX_TITLE_LENGTH)
        for field in ("category", "provider", "instructor"):
            limit_length(field, getattr(self, field), MAX_NAME_LENGTH)
        limit_length("description", self.description, MAX_DESCRIPTION_LENGTH)
        limit_length("certification.title", self.certification.title, MAX_TITLE_LENGTH)

    def _validate_numbers(self) -> None:
        if self.capacity is not None and not 1 <= self.capacity <= MAX_CAPACITY:
            raise InvalidValueError(
                "capacity", f"must be a whole number from 1 to {MAX_CAPACITY}, or none"
            )
        if self.duration_hours is not None and not 0 < self.duration_hours <= MAX_DURATION_HOURS:
            raise InvalidValueError(
                "duration_hours", f"must be more than 0 and at most {MAX_DURATION_HOURS}"
            )
        months = self.certification.valid_for_months
        if months is not None and not 1 <= months <= MAX_VALID_FOR_MONTHS:
            raise InvalidValueError(
                "certification.valid_for_months", f"must be 1 to {MAX_VALID_FOR_MONTHS}, or none"
            )
        if self.pass_score_percent is not None:
            require_percent("pass_score_percent", self.pass_score_percent)

    def _validate_dates(self) -> None:
        if self.ends_on is None:
            return
        if self.starts_on is not None and self.starts_on > self.ends_on:
            raise InvalidValueError("ends_on", "must not be before starts_on")
        if self.enrollment_deadline is not None and self.enrollment_deadline > self.ends_on:
            raise InvalidValueError("enrollment_deadline", "must not be after ends_on")

    def _validate_cost(self) -> None:
        if (self.cost is None) != (self.currency is None):
            missing = "currency" if self.currency is None else "cost"
            raise InvalidValueError(missing, "is required: cost and currency go together")
        if self.cost is not None and not _is_amount(self.cost):
            rule = f"must be 0 to {MAX_COST} with at most {MAX_COST_DECIMALS} decimals"
            raise InvalidValueError("cost", rule)
        if self.currency is not None and not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise InvalidValueError("currency", "must be three capital letters (ISO 4217)")

    def _validate_tags(self) -> None:
        if len(self.tags) > MAX_TAGS:
            raise InvalidValueError("tags", f"must be at most {MAX_TAGS}")
        for tag in self.tags:
            require_text("tags", tag, MAX_TAG_LENGTH)


def _is_amount(cost: Decimal) -> bool:
    """Whether it is an amount of money, written without an exponent."""
    if not (cost.is_finite() and 0 <= cost <= MAX_COST):
        return False
    exponent = cost.as_tuple().exponent
    return isinstance(exponent, int) and -MAX_COST_DECIMALS <= exponent <= 0


def require_percent(field: str, value: float) -> None:
    """Refuse a `value` outside 0 to 100, or with more than two decimals."""
    if not 0 <= value <= 100 or round(value, 2) != value:  # noqa: PLR2004  # percent means of a hundred
        raise InvalidValueError(field, "must be 0 to 100 with at most two decimals")


def require_text(field: str, value: str, length: int) -> None:
    """Refuse an empty `value`, and one of more than `length` characters."""
    if not value.strip():
        raise InvalidValueError(field, "must not be empty")
    limit_length(field, value, length)


def limit_length(field: str, value: str | None, length: int) -> None:
    """Refuse a `value` of more than `length` characters, or with a NUL character."""
    if value is None:
        return
    if len(value) > length:
        raise InvalidValueError(field, f"must be at most {length} characters long")
    if "\x00" in value:
        raise InvalidValueError(field, "must not contain the NUL character")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InvalidValueError(field, "must not contain half of a character (a lone surrogate)")
