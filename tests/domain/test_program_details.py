"""What values a program may have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from domain.errors import InvalidValueError
from domain.program_details import (
    MAX_TAGS,
    Certification,
    DeliveryMode,
    Level,
    ProgramDetails,
)
from tests.domain.facts import details

LONG = "x" * 30_000
EARLY, LATE = date(2026, 3, 1), date(2026, 3, 2)
REFUSED: list[tuple[str, dict[str, object]]] = [
    ("code", {"code": ""}),
    ("code", {"code": "  "}),
    ("code", {"code": "x" * 65}),
    ("code", {"code": "a\x00b"}),
    ("code", {"code": "a\ud800b"}),
    ("title", {"title": "\t"}),
    ("title", {"title": "x" * 301}),
    ("description", {"description": LONG}),
    ("description", {"description": "a\x00"}),
    ("category", {"category": "x" * 201}),
    ("provider", {"provider": "x" * 201}),
    ("instructor", {"instructor": "x" * 201}),
    ("capacity", {"capacity": 0}),
    ("capacity", {"capacity": -1}),
    ("capacity", {"capacity": 1_000_001}),
    ("duration_hours", {"duration_hours": 0.0}),
    ("duration_hours", {"duration_hours": -1.0}),
    ("duration_hours", {"duration_hours": float("nan")}),
    ("duration_hours", {"duration_hours": float("inf")}),
    ("duration_hours", {"duration_hours": 100_001.0}),
    ("ends_on", {"starts_on": LATE, "ends_on": EARLY}),
    ("enrollment_deadline", {"enrollment_deadline": LATE, "ends_on": EARLY}),
    ("currency", {"cost": Decimal(10)}),
    ("cost", {"currency": "EUR"}),
    ("cost", {"cost": Decimal(-1), "currency": "EUR"}),
    ("cost", {"cost": Decimal("NaN"), "currency": "EUR"}),
    ("cost", {"cost": Decimal("Infinity"), "currency": "EUR"}),
    ("cost", {"cost": Decimal("1e12"), "currency": "EUR"}),
    ("cost", {"cost": Decimal("1e2"), "currency": "EUR"}),
    ("cost", {"cost": Decimal("0.00001"), "currency": "EUR"}),
    ("currency", {"cost": Decimal(1), "currency": "eur"}),
    ("currency", {"cost": Decimal(1), "currency": "EURO"}),
    ("currency", {"cost": Decimal(1), "currency": "EUR\n"}),
    ("tags", {"tags": ("",)}),
    ("tags", {"tags": ("x" * 65,)}),
    ("tags", {"tags": tuple(str(number) for number in range(MAX_TAGS + 1))}),
    ("pass_score_percent", {"pass_score_percent": -0.01}),
    ("pass_score_percent", {"pass_score_percent": 100.01}),
    ("pass_score_percent", {"pass_score_percent": 50.001}),
    ("pass_score_percent", {"pass_score_percent": float("nan")}),
    ("certification.title", {"certification": Certification(title="x" * 301)}),
    ("certification.valid_for_months", {"certification": Certification(valid_for_months=0)}),
    ("certification.valid_for_months", {"certification": Certification(valid_for_months=1_201)}),
]


@pytest.mark.parametrize(("field", "changes"), REFUSED)
def test_a_value_that_breaks_a_rule_is_refused_by_the_name_of_its_field(
    field: str, changes: dict[str, object]
) -> None:
    with pytest.raises(InvalidValueError) as caught:
        details(**changes).validate()
    assert caught.value.field == field
    assert str(caught.value) == f"{field} {caught.value.rule}."


def accepted() -> Iterator[ProgramDetails]:
    yield details()
    yield details(capacity=1)
    yield details(capacity=1_000_000)
    yield details(starts_on=EARLY, ends_on=EARLY, enrollment_deadline=EARLY)
    yield details(starts_on=LATE, enrollment_deadline=EARLY)
    yield details(starts_on=EARLY, ends_on=LATE, enrollment_deadline=LATE)
    yield details(cost=Decimal(0), currency="EUR")
    yield details(cost=Decimal("999999999999.99"), currency="CLF")
    yield details(pass_score_percent=0.0)
    yield details(pass_score_percent=66.67)
    yield details(pass_score_percent=100.0)
    yield details(title="Sûreté 安全 🔥", tags=("a", "b"), duration_hours=0.25)
    yield details(level=Level.BEGINNER, delivery_mode=DeliveryMode.BLENDED, mandatory=True)
    yield details(certification=Certification(offered=True, valid_for_months=1))


@pytest.mark.parametrize("offered", list(accepted()))
def test_values_within_the_rules_are_accepted(offered: ProgramDetails) -> None:
    offered.validate()


def test_the_differences_between_details_make_one_into_the_other() -> None:
    old = details(category="Safety", capacity=3)
    new = details(title="New", capacity=None, tags=("x",))
    differences = old.differences(new)
    assert differences == {
        "title": "New",
        "category": None,
        "capacity": None,
        "tags": ("x",),
    }
    assert old.changed_by(differences) == new
