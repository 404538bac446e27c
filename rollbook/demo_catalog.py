"""The people and the programs of the demo. All of it is made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from directory.employees import Employee
from domain.program_details import Certification, DeliveryMode, Issuing, Level, ProgramDetails

GIVEN_NAMES = ("Ada", "Ben", "Chen", "Dana", "Emre", "Fatima", "Goran", "Hana", "Ivan", "Jun")
FAMILY_NAMES = ("Okafor", "Silva", "Novak", "Meyer", "Rossi", "Tanaka")
DEPARTMENTS = ("Engineering", "Finance", "Operations", "People", "Sales", "Support")

YEARLY = Certification(offered=True, valid_for_months=12)
LASTING = Certification(offered=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A program of the demo, and how it is used. Days count back from today.

    Attributes:
        opened: when it was published; None for a draft.
        closed: when it was closed; None while it is open.
        archived: when it was put away; None while it is in use.
        people: how many employees enroll.
        due_days: within how many days they are to be done; None when nobody minds.

    """

    details: ProgramDetails
    opened: int | None
    closed: int | None = None
    archived: int | None = None
    people: int = 0
    due_days: int | None = None


def employees() -> Iterator[Employee]:
    """Yield sixty people, of whom the first of each department leads it."""
    names = [f"{given} {family}" for family in FAMILY_NAMES for given in GIVEN_NAMES]
    for number, name in enumerate(names):
        lead, department = divmod(number, len(DEPARTMENTS))
        yield Employee(
            id=f"E{1001 + number}",
            name=name,
            email=f"{name.lower().replace(' ', '.')}@demo.example",
            department=DEPARTMENTS[department],
            manager=f"E{1001 + department}" if lead else None,
        )


OFFERS = (
    Offer(
        details=ProgramDetails(
            code="SEC-101",
            title="Information Security Basics",
            description="Passwords, phishing, and what to do when something looks wrong.",
            category="Compliance",
            level=Level.BEGINNER,
            delivery_mode=DeliveryMode.ONLINE,
            provider="Rollbook Academy",
            duration_hours=2,
            mandatory=True,
            tags=("security", "yearly"),
            pass_score_percent=70,
            certification=YEARLY,
        ),
        opened=430,
        people=44,
        due_days=30,
    ),
    Offer(
        details=ProgramDetails(
            code="GDPR-201",
            title="Data Protection in Practice",
            description="What we may know about people, for how long, and why.",
            category="Compliance",
            level=Level.INTERMEDIATE,
            delivery_mode=DeliveryMode.ONLINE,
            provider="Rollbook Academy",
            duration_hours=3,
            mandatory=True,
            tags=("privacy",),
            pass_score_percent=60,
            certification=Certification(offered=True, valid_for_months=24),
        ),
        opened=300,
        people=36,
        due_days=45,
    ),
    Offer(
        details=ProgramDetails(
            code="SAFE-110",
            title="First Aid at Work",
            description="One day with a paramedic. Bring comfortable clothes.",
            category="Health and Safety",
            level=Level.BEGINNER,
            delivery_mode=DeliveryMode.CLASSROOM,
            provider="Red Lantern",
            instructor="Marta Kohl",
            duration_hours=8,
            capacity=12,
            cost=Decimal("95.00"),
            currency="EUR",
            tags=("safety",),
            certification=Certification(
                offered=True,
                title="Certified First Aider",
                issued=Issuing.MANUALLY,
                valid_for_months=24,
            ),
        ),
        opened=200,
        people=18,
    ),
    Offer(
        details=ProgramDetails(
            code="ERGO-100",
            title="Healthy at the Desk",
            category="Health and Safety",
            level=Level.BEGINNER,
            delivery_mode=DeliveryMode.ONLINE,
            provider="Rollbook Academy",
            duration_hours=1,
            tags=("health",),
        ),
        opened=180,
        people=17,
    ),
    Offer(
        details=ProgramDetails(
            code="LEAD-301",
            title="Leading Teams",
            description="Six months, four modules, one project of your own.",
            category="Leadership",
            level=Level.ADVANCED,
            delivery_mode=DeliveryMode.BLENDED,
            provider="Northside Business School",
            instructor="Dr. Ines Falk",
            duration_hours=64,
            capacity=10,
            cost=Decimal("2400.00"),
            currency="EUR",
            tags=("managers",),
            certification=LASTING,
        ),
        opened=240,
        people=17,
        due_days=180,
    ),
    Offer(
        details=ProgramDetails(
            code="LEAD-150",
            title="Giving Feedback",
            category="Leadership",
            level=Level.INTERMEDIATE,
            delivery_mode=DeliveryMode.CLASSROOM,
            provider="Northside Business School",
            instructor="Paul Arden",
            duration_hours=6,
            capacity=16,
            cost=Decimal("180.00"),
            currency="EUR",
            tags=("managers", "communication"),
        ),
        opened=150,
        people=15,
    ),
    Offer(
        details=ProgramDetails(
            code="PY-200",
            title="Python for Data Work",
            description="From a spreadsheet to a script that does it every Monday.",
            category="Technology",
            level=Level.INTERMEDIATE,
            delivery_mode=DeliveryMode.ONLINE,
            provider="Code Harbor",
            duration_hours=24,
            cost=Decimal("320.00"),
            currency="EUR",
            tags=("data", "programming"),
            pass_score_percent=50,
            certification=LASTING,
        ),
        opened=260,
        people=27,
        due_days=90,
    ),
    Offer(
        details=ProgramDetails(
            code="SQL-120",
            title="SQL from the Ground Up",
            category="Technology",
            level=Level.BEGINNER,
            delivery_mode=DeliveryMode.ONLINE,
            provider="Code Harbor",
            duration_hours=12,
            cost=Decimal("140.00"),
            currency="EUR",
            tags=("data",),
            pass_score_percent=50,
            certification=LASTING,
        ),
        opened=210,
        people=24,
    ),
    Offer(
        details=ProgramDetails(
            code="CLOUD-310",
            title="Cloud Architecture Workshop",
            category="Technology",
            level=Level.ADVANCED,
            delivery_mode=DeliveryMode.CLASSROOM,
            provider="Code Harbor",
            instructor="Yusuf Demir",
            duration_hours=16,
            capacity=8,
            cost=Decimal("950.00"),
            currency="EUR",
            tags=("infrastructure",),
            certification=LASTING,
        ),
        opened=120,
        people=14,
    ),
    Offer(
        details=ProgramDetails(
            code="SALES-210",
            title="Listening to Customers",
            category="Sales",
            level=Level.INTERMEDIATE,
            delivery_mode=DeliveryMode.BLENDED,
            provider="Northside Business School",
            instructor="Paul Arden",
            duration_hours=10,
            capacity=20,
            cost=Decimal("260.00"),
            currency="EUR",
            tags=("communication",),
        ),
        opened=170,
        people=16,
    ),
    Offer(
        details=ProgramDetails(
            code="LANG-EN-B1",
            title="Business English B1",
            description="The spring course. The next one will have a page of its own.",
            category="Languages",
            level=Level.INTERMEDIATE,
            delivery_mode=DeliveryMode.BLENDED,
            provider="Lingua Verde",
            instructor="Claire Dubois",
            duration_hours=40,
            capacity=14,
            cost=Decimal("410.00"),
            currency="EUR",
            tags=("english",),
            certification=LASTING,
        ),
        opened=330,
        closed=150,
        people=14,
    ),
    Offer(
        details=ProgramDetails(
            code="HELLO-1",
            title="Welcome Aboard",
            description="The first week, as it was until last year.",
            category="Onboarding",
            level=Level.BEGINNER,
            delivery_mode=DeliveryMode.CLASSROOM,
            provider="Rollbook Academy",
            duration_hours=16,
            mandatory=True,
        ),
        opened=420,
        closed=230,
        archived=200,
        people=10,
        due_days=21,
    ),
    Offer(
        details=ProgramDetails(
            code="AI-100",
            title="Working with AI Assistants",
            description="In preparation.",
            category="Technology",
            level=Level.BEGINNER,
            delivery_mode=DeliveryMode.ONLINE,
            provider="Rollbook Academy",
            duration_hours=4,
        ),
        opened=None,
    ),
)
