"""Tokens: made with the private key, believed with the public one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from api.identity import BadTokenError
from api.local_key import local_verifier, make_token, new_private_key
from domain.permissions import Role

HOUR = timedelta(hours=1)


def pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_a_token_tells_who_it_is_about() -> None:
    key = new_private_key()
    token = make_token(
        key, subject="ann", roles=["auditor", "hr_admin"], lifetime=HOUR, employee_id="e7"
    )
    identity = local_verifier(key).verify(token)
    assert (identity.subject, identity.employee_id) == ("ann", "e7")
    assert identity.roles == (Role.AUDITOR, Role.HR_ADMIN)


def test_the_subject_is_the_employee_unless_told_otherwise() -> None:
    key = new_private_key()
    token = make_token(key, subject="ann", roles=["employee"], lifetime=HOUR)
    assert local_verifier(key).verify(token).employee_id == "ann"


def test_the_public_key_is_enough_to_verify() -> None:
    key = new_private_key()
    private = serialization.load_pem_private_key(key, password=None)
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    token = make_token(key, subject="ann", roles=[], lifetime=HOUR)
    assert local_verifier(pem(private)).verify(token).subject == "ann"


def test_a_token_ends() -> None:
    key = new_private_key()
    token = make_token(key, subject="ann", roles=[], lifetime=timedelta(minutes=-1))
    with pytest.raises(BadTokenError, match="expired"):
        local_verifier(key).verify(token)


def test_keys_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="Ed25519"):
        local_verifier(pem(ec.generate_private_key(ec.SECP256R1())))
