"""The columns of a team's own three files, as docs/importing.md describes them."""

from __future__ import annotations

from enum import StrEnum

from api.employee_shapes import EMPLOYEE_ID, MAX_EMAIL_LENGTH
from domain.act import MAX_REASON_LENGTH
from domain.program_details import (
    MAX_CODE_LENGTH,
    MAX_DESCRIPTION_LENGTH,
    MAX_NAME_LENGTH,
    MAX_TITLE_LENGTH,
    DeliveryMode,
    Issuing,
    Level,
)
from rollbook.importing.columns import (
    Column,
    choice,
    day,
    flag,
    money,
    number,
    past_day,
    percent,
    text,
    whole,
    words,
)


class Outcome(StrEnum):
    """How an enrollment ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


def employee_id(value: str) -> str:
    """An employee's id as the API accepts it."""
    if not EMPLOYEE_ID.fullmatch(value):
        raise ValueError("must be 1 to 200 characters without a slash or control characters")
    return value


EMPLOYEES = (
    Column("id", employee_id, required=True),
    Column("name", text(MAX_NAME_LENGTH)),
    Column("email", text(MAX_EMAIL_LENGTH)),
    Column("department", text(MAX_NAME_LENGTH)),
    Column("manager", employee_id),
    Column("active", flag),
)

PROGRAMS = (
    Column("code", text(MAX_CODE_LENGTH), required=True),
    Column("title", text(MAX_TITLE_LENGTH), required=True),
    Column("description", text(MAX_DESCRIPTION_LENGTH)),
    Column("category", text(MAX_NAME_LENGTH)),
    Column("level", choice(Level)),
    Column("delivery_mode", choice(DeliveryMode)),
    Column("provider", text(MAX_NAME_LENGTH)),
    Column("instructor", text(MAX_NAME_LENGTH)),
    Column("duration_hours", number),
    Column("capacity", whole),
    Column("starts_on", day),
    Column("ends_on", day),
    Column("enrollment_deadline", day),
    Column("cost", money),
    Column("currency", text(3)),
    Column("mandatory", flag),
    Column("tags", words),
    Column("pass_score_percent", percent),
    Column("certification_offered", flag),
    Column("certification_title", text(MAX_TITLE_LENGTH)),
    Column("certification_issued", choice(Issuing)),
    Column("certification_valid_for_months", whole),
    Column("published_on", past_day),
)

ENROLLMENTS = (
    Column("program_code", text(MAX_CODE_LENGTH), required=True),
    Column("employee_id", employee_id, required=True),
    Column("enrolled_on", past_day, required=True),
    Column("due_on", day),
    Column("percent", percent),
    Column("progressed_on", past_day),
    Column("outcome", choice(Outcome)),
    Column("ended_on", past_day),
    Column("score_percent", percent),
    Column("grade", text(MAX_NAME_LENGTH)),
    Column("reason", text(MAX_REASON_LENGTH)),
)
