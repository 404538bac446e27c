"""What browsers may do, and what they are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.policy import Policy
from tests.api.world import BASE, Api

ORIGIN = "https://hr.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "if-match"}


@pytest.fixture(scope="module")
def opened(api: Api) -> Api:
    """The API that lets pages of one origin in."""
    return Api(replace(api.services, policy=Policy(origins=(ORIGIN,), proxies=1)), api.url)


def test_pages_of_other_origins_are_not_let_in(api: Api, opened: Api) -> None:
    asks = {"Origin": ORIGIN}
    assert "Access-Control-Allow-Origin" not in api.admin.get("programs", headers=asks).headers
    assert api.with_token(None).call("OPTIONS", "programs", headers=asks | PREFLIGHT).status == 405
    others = opened.admin.get("programs", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in others.headers


def test_pages_of_a_named_origin_may_ask_with_a_token_and_see_positions(opened: Api) -> None:
    asked = opened.with_token(None).call(
        "OPTIONS", "programs", headers={"Origin": ORIGIN} | PREFLIGHT
    )
    assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert asked.headers["Access-Control-Allow-Headers"].lower() == "if-match"
    shown = opened.admin.get("programs", headers={"Origin": ORIGIN})
    assert shown.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Credentials" not in shown.headers
    exposed = shown.headers["Access-Control-Expose-Headers"]
    told = {"Rollbook-Position", "ETag", "Idempotency-Replayed", "Content-Disposition"}
    assert told <= {name.strip() for name in exposed.split(",")}
    refused = opened.with_token(None).get("programs", headers={"Origin": ORIGIN})
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, ORIGIN)


def test_no_answer_is_framed_guessed_at_or_told_to_others(api: Api) -> None:
    for path in ("programs", "nowhere", f"{BASE}/docs", "/healthz"):
        headers = api.admin.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_browsers_are_told_to_stay_with_tls_only_behind_tls(api: Api, opened: Api) -> None:
    behind_tls = {"X-Forwarded-Proto": "https"}
    assert "Strict-Transport-Security" in opened.admin.get("programs", headers=behind_tls).headers
    assert "Strict-Transport-Security" not in opened.admin.get("programs").headers
    assert "Strict-Transport-Security" not in api.admin.get("programs", headers=behind_tls).headers
