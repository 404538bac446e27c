"""Training programs over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from uuid import UUID

from api.acts import act_of
from api.answering import command_answer, folded
from api.program_reads import programs
from api.program_shapes import (
    ProgramBody,
    ProgramPatch,
    ProgramShape,
    amended,
    details_of,
    program_json,
)
from api.services import services
from api.wire import Answer, Answered
from domain.permissions import Permission
from domain.training import Receipt
from domain.training_program import TrainingProgram
from projections.program_listing import evolve
from projections.program_queries import (
    count_enrollments,
)

__all__ = ["programs"]


@programs.command(
    "POST",
    "/programs",
    Permission.WRITE_PROGRAMS,
    body=ProgramBody,
    answers={HTTPStatus.CREATED: ProgramShape},
)
def create_program(body: Mapping[str, Any]) -> Answer:
    """Draft a program."""
    receipt = services().training.create_program(details_of(body), act_of(body))
    location = f"{programs.url_prefix}/programs/{receipt.subject.id}"
    return _answer(receipt, HTTPStatus.CREATED, location)


@programs.command(
    "PUT",
    "/programs/<id:program_id>",
    Permission.WRITE_PROGRAMS,
    body=ProgramBody,
    answers={HTTPStatus.OK: ProgramShape},
)
def revise_program(body: Mapping[str, Any], program_id: UUID) -> Answer:
    """Replace a program's details.

    What the body leaves out is reset.
    """
    act = act_of(body)
    return _answer(services().training.revise_program(program_id, details_of(body), act))


@programs.command(
    "PATCH",
    "/programs/<id:program_id>",
    Permission.WRITE_PROGRAMS,
    body=ProgramPatch,
    answers={HTTPStatus.OK: ProgramShape},
)
def amend_program(patch: Mapping[str, Any], program_id: UUID) -> Answer:
    """Change some of a program's details.

    What the body leaves out stays, and what is null is reset.
    """
    receipt = services().training.amend_program(
        program_id, lambda details: amended(details, patch), act_of(patch)
    )
    return _answer(receipt)


@programs.command(
    "DELETE",
    "/programs/<id:program_id>",
    Permission.WRITE_PROGRAMS,
    answers={HTTPStatus.NO_CONTENT: None},
)
def delete_program(body: Mapping[str, Any], program_id: UUID) -> Answer:
    """Delete a program in which nobody ever enrolled.

    Any other is closed and archived instead.
    """
    receipt = services().training.delete_program(program_id, act_of(body))
    return command_answer(receipt, None, HTTPStatus.NO_CONTENT)


def _action(name: str) -> Callable[[Callable[..., Answer]], Callable[..., Answered]]:
    return programs.command(
        "POST",
        f"/programs/<id:program_id>/{name}",
        Permission.WRITE_PROGRAMS,
        answers={HTTPStatus.OK: ProgramShape},
    )


@_action("publish")
def publish_program(body: Mapping[str, Any], program_id: UUID) -> Answer:
    """Open enrollment in a program."""
    return _answer(services().training.publish_program(program_id, act_of(body)))


@_action("close")
def close_program(body: Mapping[str, Any], program_id: UUID) -> Answer:
    """End enrollment in a program; who is in goes on."""
    return _answer(services().training.close_program(program_id, act_of(body)))


@_action("archive")
def archive_program(body: Mapping[str, Any], program_id: UUID) -> Answer:
    """Take a closed program out of use."""
    return _answer(services().training.archive_program(program_id, act_of(body)))


@_action("restore")
def restore_program(body: Mapping[str, Any], program_id: UUID) -> Answer:
    """Bring an archived program back, closed."""
    return _answer(services().training.restore_program(program_id, act_of(body)))


def _answer(
    receipt: Receipt[TrainingProgram],
    status: HTTPStatus = HTTPStatus.OK,
    location: str | None = None,
) -> Answer:
    program = receipt.subject
    row = folded(program, evolve)
    with services().log.connection() as conn:
        counts = count_enrollments(conn, program.id)
    return command_answer(receipt, program_json(row, counts), status, location)
