"""The tables: the present alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, MetaData, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, synonym
from sqlalchemy.types import Text

SCHEMA = "crud"
OPEN = ("enrolled", "in_progress")
SEATED = (*OPEN, "completed", "failed")
STATUSES = ("waitlisted", *SEATED, "withdrawn")


class Table(DeclarativeBase):
    """Every table's types."""

    metadata = MetaData(schema=SCHEMA)
    type_annotation_map = {  # noqa: RUF012  # as SQLAlchemy has it
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
    }


class Employee(Table):
    """A person."""

    __tablename__ = "employees"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    email: Mapped[str | None]
    department: Mapped[str | None]
    active: Mapped[bool]


class Program(Table):
    """A training program."""

    __tablename__ = "programs"
    __table_args__ = (Index(None, "title", "id"), Index(None, "category", "title", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    status: Mapped[str]
    version: Mapped[int]
    revision: Mapped[int]
    code: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    description: Mapped[str | None]
    category: Mapped[str | None]
    level: Mapped[str | None]
    delivery_mode: Mapped[str | None]
    provider: Mapped[str | None]
    instructor: Mapped[str | None]
    duration_hours: Mapped[float | None]
    capacity: Mapped[int | None]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    enrollment_deadline: Mapped[date | None]
    cost: Mapped[Decimal | None]
    currency: Mapped[str | None]
    mandatory: Mapped[bool]
    tags: Mapped[list[str]]
    pass_score_percent: Mapped[float | None]
    signature_required: Mapped[bool]
    certification: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]

    enrollment_counts: ClassVar[dict[str, int]]
    """By status, put there by who shows the program."""

    @property
    def seats_taken(self) -> int | None:
        """None where nobody counts them."""
        if self.capacity is None:
            return None
        return sum(self.enrollment_counts[status] for status in SEATED)

    @property
    def waitlist_length(self) -> int:
        """How many wait for a seat."""
        return self.enrollment_counts["waitlisted"]


class Enrollment(Table):
    """An employee in a program."""

    __tablename__ = "enrollments"
    __table_args__ = (
        UniqueConstraint("program_id", "employee_id"),
        Index(None, "began_at", "id"),
        Index(None, "status", "began_at", "id"),
        Index(None, "program_id", "status", "began_at", "id"),
        Index(None, "employee_id", "began_at", "id"),
        Index(None, "department", "status", "began_at", "id"),
        Index(None, "due_on", "id", postgresql_where=text("status IN ('enrolled', 'in_progress')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    status: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    program_id: Mapped[UUID] = mapped_column(ForeignKey(Program.id))
    employee_id: Mapped[str] = mapped_column(ForeignKey(Employee.id))
    cycle: Mapped[int] = mapped_column(default=1)
    source: Mapped[str]
    department: Mapped[str | None]
    program_revision: Mapped[int]
    due_on: Mapped[date | None]
    percent: Mapped[float] = mapped_column(default=0)
    progress_score_percent: Mapped[float | None]
    score_percent: Mapped[float | None]
    past_score_percent: Mapped[float | None]
    grade: Mapped[str | None]
    signature: Mapped[dict[str, Any] | None]
    certificate_number: Mapped[str | None]
    began_at: Mapped[datetime]
    enrolled_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    progressed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]

    program: Mapped[Program] = relationship()
    employee: Mapped[Employee] = relationship()

    @property
    def overdue(self) -> bool:
        """Whether the due day has passed and the enrollment is open."""
        return self.status in OPEN and self.due_on is not None and self.due_on < today()


class Certificate(Table):
    """Proof of a completion."""

    __tablename__ = "certificates"
    __table_args__ = (
        Index(None, "issued_at", "number"),
        Index(None, "status", "issued_at", "number"),
        Index(None, "program_id", "issued_at", "number"),
        Index(None, "employee_id", "issued_at", "number"),
    )

    number: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(default="issued")
    version: Mapped[int] = mapped_column(default=1)
    enrollment_id: Mapped[UUID] = mapped_column(ForeignKey(Enrollment.id), index=True)
    program_id: Mapped[UUID] = mapped_column(ForeignKey(Program.id))
    employee_id: Mapped[str] = mapped_column(ForeignKey(Employee.id))
    cycle: Mapped[int] = mapped_column(default=1)
    title: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    issued_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]

    program: Mapped[Program] = relationship()
    employee: Mapped[Employee] = relationship()
    enrollment: Mapped[Enrollment] = relationship()
    id = synonym("number")

    @property
    def validity(self) -> str:
        """What it proves today."""
        if self.status == "revoked":
            return "revoked"
        has_ended = self.valid_until is not None and self.valid_until < today()
        return "expired" if has_ended else "valid"


def today() -> date:
    """Return the day in UTC."""
    return datetime.now(UTC).date()
