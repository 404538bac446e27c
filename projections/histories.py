"""The list of all histories: what lists and figures were is read from these."""

from __future__ import annotations

from typing import Any

from projections.certificate_register import CERTIFICATE_REGISTER
from projections.enrollment_listing import BEGAN, ENDED, ENROLLMENT_LISTING
from projections.history import history_of
from projections.program_listing import PLACES, PROGRAM_LISTING
from projections.program_places import PROGRAM_PLACES
from projections.table import ReadTable
from projections.waiting_list import WAITING_LIST

# An index is written with every state of a row, so there are fewer than on the present ones.
ENROLLMENT_HISTORY = history_of(
    ENROLLMENT_LISTING,
    "enrollment_history",
    indexes=(
        f"(status, {BEGAN}, id)",
        "(program_id)",
        "(employee_id)",
        # The last of it passes by what took effect later without looking at the rows.
        f"(({ENDED}), {BEGAN}, id, effective_from) WHERE status = 'completed'",
    ),
    # Most events of an enrollment are progress, which nobody seeks it by.
    sought=(
        "id",
        "program_id",
        "employee_id",
        "status",
        "cycle",
        "department",
        "due_on",
        "score_percent",
        "past_score_percent",
        BEGAN,
        "started_at",
        "ended_at",
        "signed_sha256",
    ),
    definition=1,
)
CERTIFICATE_HISTORY = history_of(
    CERTIFICATE_REGISTER,
    "certificate_history",
    indexes=("(status, issued_at, number)", "(program_id)", "(employee_id)"),
    definition=1,
)
PROGRAM_HISTORY = history_of(
    PROGRAM_LISTING,
    "program_history",
    indexes=(),
    leaving_out=PLACES,
    definition=1,
)
WAITING_HISTORY = history_of(
    WAITING_LIST, "waiting_history", indexes=("(program_id)",), definition=1
)

FOLLOWED = (PROGRAM_HISTORY, WAITING_HISTORY, ENROLLMENT_HISTORY, CERTIFICATE_HISTORY)
HISTORIES: tuple[ReadTable[Any], ...] = (*FOLLOWED, PROGRAM_PLACES)


def is_followed(table: ReadTable[Any]) -> bool:
    """Return whether what `table` was is kept."""
    return any(history.of is table for history in FOLLOWED)
