"""Certificates over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from api.acts import ReasonedBody, act_of
from api.answering import command_answer, folded
from api.certificate_reads import certificates
from api.certificate_shapes import (
    CertificateBody,
    CertificateShape,
    certificate_json,
)
from api.clock import today
from api.services import services
from api.wire import Answer
from domain.enrollment import Enrollment
from domain.permissions import Permission
from domain.training import Receipt
from projections.certificate_register import CertificateRow, evolve

__all__ = ["certificates"]


@certificates.command(
    "POST",
    "/certificates",
    Permission.ISSUE_CERTIFICATES,
    body=CertificateBody,
    answers={HTTPStatus.CREATED: CertificateShape},
)
def issue_certificate(body: Mapping[str, Any]) -> Answer:
    """Certify a completed enrollment."""
    receipt = services().training.issue_certificate(body["enrollment_id"], act_of(body))
    number = receipt.subject.live_certificates[receipt.subject.cycle]
    location = f"{certificates.url_prefix}/certificates/{number}"
    return _answer(receipt, number, HTTPStatus.CREATED, location)


@certificates.command(
    "POST",
    "/certificates/<number:number>/revoke",
    Permission.ISSUE_CERTIFICATES,
    body=ReasonedBody,
    answers={HTTPStatus.OK: CertificateShape},
)
def revoke_certificate(body: Mapping[str, Any], number: str) -> Answer:
    """Take a certificate back."""
    receipt = services().training.revoke_certificate(number, act_of(body))
    return _answer(receipt, number)


def _answer(
    receipt: Receipt[Enrollment],
    number: str,
    status: HTTPStatus = HTTPStatus.OK,
    location: str | None = None,
) -> Answer:
    def evolve_this(row: CertificateRow | None, event: Any) -> CertificateRow | None:
        return evolve(row, event) if getattr(event, "number", None) == number else row

    row = folded(receipt.subject, evolve_this)
    return command_answer(receipt, certificate_json(row, today()), status, location)
