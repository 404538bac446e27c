"""What the register says of each certificate ever issued."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from domain.enrollment import Enrollment
from projections.certificate_register import (
    CERTIFICATE_REGISTER,
    CERTIFICATES_BY_ISSUE,
    CertificateRow,
    CertificateStatus,
)
from tests.domain.facts import NUMBER, PROGRAM_ID, ann_enrolled, certified, completed, revoked
from tests.domain.samples import full
from tests.domain.scenario import LONG_AGO, Fact
from tests.projections.rows import events_of, rows_after, summed

ANN_ID = Enrollment.id_of(PROGRAM_ID, "ann")
OTHER_NUMBER = "RB-00000-00000-00000-00000"
LATER = datetime(2026, 2, 1, tzinfo=UTC)
EARNED = (ann_enrolled(), completed(), certified())


def register(*facts: Fact) -> dict[str, CertificateRow]:
    return rows_after(CERTIFICATE_REGISTER, events_of(ANN_ID, *facts))


def test_a_certificate_is_registered_by_its_number() -> None:
    assert register(*EARNED) == {
        NUMBER: CertificateRow(
            number=NUMBER,
            status=CertificateStatus.ISSUED,
            version=3,
            enrollment_id=ANN_ID,
            program_id=PROGRAM_ID,
            employee_id="ann",
            cycle=1,
            title="Fire warden",
            valid_from=date(2026, 1, 5),
            valid_until=date(2027, 1, 5),
            issued_at=LONG_AGO,
            revoked_at=None,
            changed_at=LONG_AGO + timedelta(minutes=1),
        )
    }


def test_a_revoked_certificate_stays_in_the_register() -> None:
    issued = register(*EARNED)[NUMBER]
    assert register(*EARNED, revoked().at(LATER))[NUMBER] == replace(
        issued,
        status=CertificateStatus.REVOKED,
        version=4,
        revoked_at=LATER,
        changed_at=LATER + timedelta(minutes=1),
    )


def test_a_new_certificate_is_a_row_beside_the_revoked_one() -> None:
    both = register(*EARNED, revoked(), certified(OTHER_NUMBER))
    assert {number: row.status for number, row in both.items()} == {
        NUMBER: CertificateStatus.REVOKED,
        OTHER_NUMBER: CertificateStatus.ISSUED,
    }


def test_revoking_what_was_never_issued_makes_no_row() -> None:
    assert CERTIFICATE_REGISTER.evolve(None, full(Enrollment.CertificateRevoked)) is None


def test_what_else_happens_to_an_enrollment_is_not_in_the_register() -> None:
    assert CERTIFICATE_REGISTER.keys.keys() == {
        Enrollment.CertificateIssued,
        Enrollment.CertificateRevoked,
    }


def test_certificates_are_counted_by_program_and_status() -> None:
    both = register(*EARNED, revoked(), certified(OTHER_NUMBER))
    assert summed(CERTIFICATES_BY_ISSUE, "certificate_counts", both.values()) == {
        (PROGRAM_ID, "revoked"): {"certificates": 1},
        (PROGRAM_ID, "issued"): {"certificates": 1},
    }
