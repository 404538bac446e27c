"""Tokens of another issuer: its keys are found, kept, renewed, and never believed blindly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from api.identity import BadTokenError
from api.issuer_keys import DISCOVERY, IssuerKeys
from api.tokens import KeysUnavailableError, TokenRules, TokenVerifier
from domain.permissions import Role
from tests.api.broken_tokens import shared_secret
from tests.api.issuer import AUDIENCE, Issuer, SigningKey, listening
from tests.api.world import Api, token
from tests.patience import PATIENCE_SECONDS

HOUR = timedelta(hours=1)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with listening(Issuer()) as found:
        yield found


@contextmanager
def believing(issuer: Issuer, **options: Any) -> Iterator[TokenVerifier]:
    """A verifier of the issuer's tokens that may ask it again at once."""
    rules = TokenRules(issuer.url, AUDIENCE, employee_claim="sub")
    options = {"pause_seconds": 0.0} | options
    rules = replace(rules, **{k: options.pop(k) for k in list(options) if k.endswith("_claim")})
    keys = IssuerKeys(issuer.url, **options)
    with ExitStack() as stack:
        stack.callback(keys.close)
        yield TokenVerifier(keys, rules)


@pytest.mark.parametrize("algorithm", ["RS256", "PS512", "ES256", "EdDSA"])
def test_whoever_the_issuer_vouches_for_is_known(issuer: Issuer, algorithm: str) -> None:
    issuer.keys = [SigningKey("another"), SigningKey("this", algorithm)]
    with believing(issuer) as verifier:
        identity = verifier.verify(issuer.token(issuer.keys[1]))
    assert (identity.subject, identity.roles, identity.employee_id) == (
        "5f1c",
        (Role.HR_ADMIN,),
        "5f1c",
    )


@pytest.mark.parametrize(
    ("roles_claim", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["auditor", "offline_access"]}}),
        ("https://example.com/roles", {"https://example.com/roles": ["auditor"]}),
        ("groups", {"groups": ["auditor"]}),
    ],
)
def test_roles_and_employee_are_read_where_the_settings_say(
    issuer: Issuer, roles_claim: str, claims: dict[str, Any]
) -> None:
    with believing(issuer, roles_claim=roles_claim, employee_claim="hr.number") as verifier:
        with_number = issuer.token(roles=None, hr={"number": "e7"}, **claims)
        without = issuer.token(roles=None, **claims)
        assert verifier.verify(with_number).roles == (Role.AUDITOR,)
        assert verifier.verify(with_number).employee_id == "e7"
        assert verifier.verify(without).employee_id is None


@pytest.mark.parametrize("claims", [{}, {"realm_access": None}, {"realm_access": "hr_admin"}])
def test_without_the_claim_of_roles_there_are_none(issuer: Issuer, claims: dict[str, Any]) -> None:
    with believing(issuer, roles_claim="realm_access.roles") as verifier:
        assert verifier.verify(issuer.token(**claims)).roles == ()


def with_the_public_key(issuer: Issuer) -> str:
    public = issuer.keys[0].private.public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return shared_secret(pem, "first", issuer.claims())


FAULTS: dict[str, Callable[[Issuer], str]] = {
    "unsigned": lambda issuer: jwt.encode(issuer.claims(), "", "none", {"kid": "first"}),
    "a shared secret": with_the_public_key,
    "a foreign key under a known name": lambda issuer: issuer.token(SigningKey("first")),
    "an unknown key": lambda issuer: issuer.token(SigningKey("unknown")),
    "another algorithm of the same key": lambda issuer: issuer.token(SigningKey("first", "RS256")),
    "the local key": lambda _: token("hr_admin"),
    "wrong audience": lambda issuer: issuer.token(aud="payroll"),
    "wrong issuer": lambda issuer: issuer.token(iss="https://elsewhere.example"),
    "expired": lambda issuer: issuer.token(exp=datetime.now(UTC) - HOUR),
    "not yet": lambda issuer: issuer.token(nbf=datetime.now(UTC) + HOUR),
    "without an end": lambda issuer: issuer.token(exp=None),
    "without a subject": lambda issuer: issuer.token(sub=None),
    "roles as text": lambda issuer: issuer.token(roles="hr_admin"),
    "endless": lambda issuer: issuer.token(more="x" * 20_000),
    "not a token": lambda _: "a.b.c",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_token_that_proves_nothing_is_refused(issuer: Issuer, fault: str) -> None:
    with believing(issuer) as verifier:
        assert verifier.verify(issuer.token()).subject == "5f1c"
        with pytest.raises(BadTokenError):
            verifier.verify(FAULTS[fault](issuer))


def test_a_new_key_is_known_at_its_first_token(issuer: Issuer) -> None:
    with believing(issuer) as verifier:
        verifier.verify(issuer.token())
        issuer.keys.append(SigningKey("second", "EdDSA"))
        assert verifier.verify(issuer.token(issuer.keys[1])).subject == "5f1c"


def test_a_withdrawn_key_ends(issuer: Issuer) -> None:
    with believing(issuer) as verifier:
        withdrawn = issuer.keys.pop()
        issuer.keys.append(SigningKey("second"))
        verifier.verify(issuer.token())
        with pytest.raises(BadTokenError):
            verifier.verify(issuer.token(withdrawn))


def test_a_key_without_a_name_is_found_when_it_is_the_only_one(issuer: Issuer) -> None:
    nameless = jwt.encode(issuer.claims(), issuer.keys[0].private, "ES256")
    with believing(issuer) as verifier:
        assert verifier.verify(nameless).subject == "5f1c"
        issuer.keys.append(SigningKey("second"))
        with pytest.raises(BadTokenError):
            verifier.verify(issuer.token(SigningKey("third")))
        with pytest.raises(BadTokenError):
            verifier.verify(jwt.encode(issuer.claims(sub="x"), issuer.keys[0].private, "ES256"))


def test_made_up_keys_do_not_make_us_a_nuisance_to_the_issuer(issuer: Issuer) -> None:
    with believing(issuer, pause_seconds=3600.0) as verifier:
        verifier.verify(issuer.token())
        for number in range(20):
            with pytest.raises(BadTokenError):
                verifier.verify(issuer.token(SigningKey(f"made-up-{number}")))
    assert issuer.asked == {DISCOVERY: 1, "/keys": 1}


def test_what_is_known_goes_on_working_when_the_issuer_is_gone(issuer: Issuer) -> None:
    with believing(issuer) as verifier:
        verifier.verify(issuer.token())
        issuer.is_well = False
        with pytest.raises(BadTokenError):
            verifier.verify(issuer.token(SigningKey("unknown")))
        assert verifier.verify(issuer.token(sub="still")).subject == "still"


def test_an_issuer_that_was_never_there_keeps_everybody_out_until_it_is() -> None:
    issuer = Issuer()
    with listening(issuer):
        port = int(issuer.url.rpartition(":")[2])
    with believing(issuer) as verifier:
        with pytest.raises(KeysUnavailableError):
            verifier.verify(issuer.token())
        with listening(issuer, port):
            assert _known_in_the_end(verifier, issuer.token()) == "5f1c"


def _known_in_the_end(verifier: TokenVerifier, bearer: str) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            return verifier.verify(bearer).subject
        except KeysUnavailableError:
            time.sleep(0.05)
    return "nobody"


def misnamed(issuer: Issuer) -> None:
    issuer.says_it_is = "https://elsewhere.example"


def redirecting(issuer: Issuer) -> None:
    issuer.redirects_to = f"{issuer.url}/elsewhere"


def dripping(issuer: Issuer) -> None:
    issuer.drips = True


def huge(issuer: Issuer) -> None:
    issuer.says_it_is = "x" * 1_000_000


@pytest.mark.parametrize("trouble", [misnamed, redirecting, dripping, huge])
def test_an_issuer_that_misbehaves_is_not_believed(
    issuer: Issuer, trouble: Callable[[Issuer], None]
) -> None:
    trouble(issuer)
    with believing(issuer, fetch_seconds=0.5) as verifier, pytest.raises(KeysUnavailableError):
        verifier.verify(issuer.token())


def test_over_http_a_missing_issuer_is_a_503_and_a_bad_token_a_401(
    api: Api, issuer: Issuer
) -> None:
    with believing(issuer) as verifier:
        other = Api(replace(api.services, verifier=verifier), api.url)
        issuer.is_well = False
        missing = other.with_token(issuer.token()).get("programs")
        assert (missing.status, missing.json["code"]) == (503, "issuer_unavailable")
        assert missing.headers["Retry-After"] == "1"
        issuer.is_well = True
        assert _status_in_the_end(other, issuer.token()) == 200
        refused = other.with_token(issuer.token(aud="payroll")).get("programs")
        assert refused.status == 401
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


def _status_in_the_end(api: Api, bearer: str) -> int:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (status := api.with_token(bearer).get("programs").status) == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return status


def test_who_is_no_employee_is_not_shown_everybody_instead(api: Api, issuer: Issuer) -> None:
    api.enrolled(api.published()["id"], api.hire())
    with believing(issuer, employee_claim="hr_number") as verifier:
        other = Api(replace(api.services, verifier=verifier), api.url)
        nobody = other.with_token(issuer.token(roles=["employee"]))
        for path in ("enrollments", "certificates"):
            refused = nobody.get(path)
            assert (refused.status, refused.json["code"]) == (403, "forbidden")
        assert nobody.get("programs").status == 200
