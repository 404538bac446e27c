"""Who may do what: the table of the design, cell by cell."""

from __future__ import annotations

import pytest

from domain.permissions import Permission, Role, Scope, scope_of

TABLE = """
                      employee  instructor  hr_admin  auditor  service
READ_PROGRAMS         all       all         all       all      all
READ_HIDDEN_PROGRAMS  -         all         all       all      all
WRITE_PROGRAMS        -         -           all       -        -
ENROLL                own       -           all       -        -
RECORD_PROGRESS       -         all         all       -        -
CORRECT               -         -           all       -        -
READ_ENROLLMENTS      own       all         all       all      all
ISSUE_CERTIFICATES    -         -           all       -        -
READ_ANALYTICS        -         all         all       all      all
READ_HISTORY          -         -           -         all      -
FOLLOW_EVENTS         -         -           -         all      all
READ_DIRECTORY        -         -           all       all      all
WRITE_DIRECTORY       -         -           all       -        all
ERASE                 -         -           all       -        -
"""
HEADER, *ROWS = (line.split() for line in TABLE.strip().splitlines())
CELLS = [
    (Role(role), Permission[permission], None if cell == "-" else Scope(cell))
    for permission, *cells in ROWS
    for role, cell in zip(HEADER, cells, strict=True)
]


@pytest.mark.parametrize(("role", "permission", "scope"), CELLS)
def test_a_role_has_a_permission_as_far_as_the_table_says(
    role: Role, permission: Permission, scope: Scope | None
) -> None:
    assert scope_of(role, permission) is scope


def test_the_table_is_complete() -> None:
    assert {(role, permission) for role, permission, _ in CELLS} == {
        (role, permission) for role in Role for permission in Permission
    }
