"""Signatures on completions: who signs for what, bound to the record (21 CFR 11.50, 11.70)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from domain.errors import InvalidValueError
from domain.program_details import MAX_NAME_LENGTH, require_text

if TYPE_CHECKING:
    from uuid import UUID

    from domain.provenance import Provenance


@dataclass(frozen=True, slots=True)
class Signing:
    """What the signer states. Who it is, and when, the event says.

    Attributes:
        printed_name: the signer's name, kept as personal text.
        meaning: what the signature stands for, as "approved" or "observed".

    """

    printed_name: str
    meaning: str

    def __post_init__(self) -> None:
        """Refuse empty texts, and long ones."""
        require_text("signature.printed_name", self.printed_name, MAX_NAME_LENGTH)
        require_text("signature.meaning", self.meaning, MAX_NAME_LENGTH)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a completion keeps of its signature, besides the printed name.

    Attributes:
        meaning: what it stands for.
        record_sha256: what was signed; see `SignedRecord`.

    """

    meaning: str
    record_sha256: str


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """The facts that a signature is bound to; text that can be erased is none of them.

    Attributes:
        follows_version: version of the enrollment's last event that the signer had before them.
        signed_by: id of the actor who completed the enrollment.

    """

    enrollment_id: UUID
    program_id: UUID
    employee_id: str
    cycle: int
    follows_version: int
    score_percent: float | None
    signed_by: str
    meaning: str

    def sha256(self) -> str:
        """Return the SHA-256, in hexadecimal, of the facts as canonical JSON (RFC 8785)."""
        facts = {name: getattr(self, name) for name in self.__slots__}
        facts |= {name: str(facts[name]) for name in ("enrollment_id", "program_id")}
        if self.score_percent is not None and self.score_percent.is_integer():
            facts["score_percent"] = int(self.score_percent)
        text = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()

    def signed(self) -> Signature:
        """Return the signature on the record."""
        return Signature(self.meaning, self.sha256())


class SignatureRequiredError(InvalidValueError):
    """The program asks for a signature on completions."""

    code = "signature_required"

    def __init__(self, program_id: UUID) -> None:
        super().__init__("signature", f"is required to complete program {program_id}")
        self.program_id = program_id


def require_signer(provenance: Provenance) -> None:
    """Refuse with `InvalidValueError` to sign on behalf of somebody else."""
    if provenance.on_behalf_of is not None:
        raise InvalidValueError("signature", "must be the actor's own, on nobody's behalf")
