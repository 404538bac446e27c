"""The list of all read tables. To add one: a file of its own, and a line here."""

from __future__ import annotations

from typing import Any

from projections.audit_trail import AUDIT_TRAIL
from projections.certificate_register import CERTIFICATE_REGISTER
from projections.enrollment_listing import ENROLLMENT_LISTING
from projections.histories import HISTORIES
from projections.legal_holds import LEGAL_HOLDS
from projections.program_listing import PROGRAM_LISTING
from projections.table import ReadTable
from projections.waiting_list import WAITING_LIST

PRESENT_TABLES: tuple[ReadTable[Any], ...] = (
    PROGRAM_LISTING,
    WAITING_LIST,
    ENROLLMENT_LISTING,
    CERTIFICATE_REGISTER,
    LEGAL_HOLDS,
)
"""What lists and figures of the present are read from."""

PAST_TABLES: tuple[ReadTable[Any], ...] = (*HISTORIES, AUDIT_TRAIL)
"""What tells how it came. These cost more, and those of the present need not wait for them."""

ALL_TABLES: tuple[ReadTable[Any], ...] = (*PRESENT_TABLES, *PAST_TABLES)
