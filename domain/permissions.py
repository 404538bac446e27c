"""Who may do what: the one table of roles and operations."""

from __future__ import annotations

from enum import Enum, StrEnum, auto


class Role(StrEnum):
    """The part somebody plays."""

    EMPLOYEE = "employee"
    INSTRUCTOR = "instructor"
    HR_ADMIN = "hr_admin"
    AUDITOR = "auditor"
    SERVICE = "service"


class Permission(Enum):
    """A kind of operation that roles are permitted or not."""

    READ_PROGRAMS = auto()
    READ_HIDDEN_PROGRAMS = auto()
    WRITE_PROGRAMS = auto()
    ENROLL = auto()
    RECORD_PROGRESS = auto()
    CORRECT = auto()
    READ_ENROLLMENTS = auto()
    ISSUE_CERTIFICATES = auto()
    READ_ANALYTICS = auto()
    READ_HISTORY = auto()
    FOLLOW_EVENTS = auto()
    READ_DIRECTORY = auto()
    WRITE_DIRECTORY = auto()
    ERASE = auto()


class Scope(StrEnum):
    """On whose records an operation is permitted."""

    OWN = "own"
    ALL = "all"


_EMPLOYEE, _INSTRUCTOR, _HR_ADMIN, _AUDITOR, _SERVICE = Role

PERMITTED: dict[Permission, dict[Role, Scope]] = {
    Permission.READ_PROGRAMS: dict.fromkeys(Role, Scope.ALL),
    Permission.READ_HIDDEN_PROGRAMS: dict.fromkeys(
        (_INSTRUCTOR, _HR_ADMIN, _AUDITOR, _SERVICE), Scope.ALL
    ),
    Permission.WRITE_PROGRAMS: {_HR_ADMIN: Scope.ALL},
    Permission.ENROLL: {_EMPLOYEE: Scope.OWN, _HR_ADMIN: Scope.ALL},
    Permission.RECORD_PROGRESS: {_INSTRUCTOR: Scope.ALL, _HR_ADMIN: Scope.ALL},
    Permission.CORRECT: {_HR_ADMIN: Scope.ALL},
    Permission.READ_ENROLLMENTS: {
        _EMPLOYEE: Scope.OWN,
        **dict.fromkeys((_INSTRUCTOR, _HR_ADMIN, _AUDITOR, _SERVICE), Scope.ALL),
    },
    Permission.ISSUE_CERTIFICATES: {_HR_ADMIN: Scope.ALL},
    Permission.READ_ANALYTICS: dict.fromkeys(
        (_INSTRUCTOR, _HR_ADMIN, _AUDITOR, _SERVICE), Scope.ALL
    ),
    Permission.READ_HISTORY: {_AUDITOR: Scope.ALL},
    Permission.FOLLOW_EVENTS: {_AUDITOR: Scope.ALL, _SERVICE: Scope.ALL},
    Permission.READ_DIRECTORY: dict.fromkeys((_HR_ADMIN, _AUDITOR, _SERVICE), Scope.ALL),
    Permission.WRITE_DIRECTORY: {_HR_ADMIN: Scope.ALL, _SERVICE: Scope.ALL},
    Permission.ERASE: {_HR_ADMIN: Scope.ALL},
}
"""What is not here is denied. `CORRECT` covers voiding and backdating, `ERASE` legal holds."""


def scope_of(role: Role, permission: Permission) -> Scope | None:
    """Return how far `role` has `permission`, or None when it has it not."""
    return PERMITTED[permission].get(role)
