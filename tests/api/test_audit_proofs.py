"""Checkpoints and proofs over HTTP, as a witness outside checks them."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from proof.verify_bundle import checkpoint_of, is_consistent, is_included, key_of, text_of
from tests.api.world import Api
from tests.proof.world import SIGNER, build_tree, tampering

BASE = "/api/hr/training"


@pytest.fixture(scope="module")
def proven(api: Api) -> Api:
    """A log of some events, then a checkpoint, then some more and another."""
    for _ in range(2):
        api.published()
        build_tree(api.url)
    return api


def decoded(hashes: list[str]) -> list[bytes]:
    return [b64decode(one) for one in hashes]


def public(api: Api, path: str) -> str:
    answer = api.app.test_client().get(f"{BASE}/{path}")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    return answer.text


def test_anybody_gets_the_latest_checkpoint_and_the_key_and_can_check_them(proven: Api) -> None:
    key = key_of(public(proven, "audit/key"))
    checkpoint = checkpoint_of(text_of(public(proven, "audit/checkpoint"), key))
    assert checkpoint.origin == SIGNER.origin
    assert checkpoint.size == proven.log_length()


def test_before_the_first_checkpoint_there_is_none(empty_api: Api) -> None:
    answer = empty_api.app.test_client().get(f"{BASE}/audit/checkpoint")
    assert answer.status_code == 404


def test_an_event_is_proven_by_its_position(proven: Api) -> None:
    with proven.pool.connection() as conn:
        positions = [p for (p,) in conn.execute("select position from rollbook.events order by 1")]
    for index, position in enumerate(positions):
        found: dict[str, Any] = proven.auditor.get(
            f"audit/proofs/inclusion?position={position}"
        ).json
        assert (found["leaf"], found["size"]) == (index, len(positions))
        path = decoded(found["proof"])
        leaf, root = b64decode(found["leaf_hash"]), b64decode(found["root"])
        assert is_included(leaf, index, found["size"], path, root)


def test_checkpoints_are_listed_and_consistent_with_each_other(proven: Api) -> None:
    first_page = proven.auditor.get("audit/checkpoints?limit=1").json
    (late,) = first_page["items"]
    (early,) = proven.auditor.get(first_page["next"].removeprefix(f"{BASE}/")).json["items"]
    found = proven.auditor.get(
        f"audit/proofs/consistency?size={early['size']}&to={late['size']}"
    ).json
    assert (found["root"], found["to_root"]) == (early["root"], late["root"])
    path = decoded(found["proof"])
    roots = b64decode(early["root"]), b64decode(late["root"])
    assert is_consistent(early["size"], roots[0], late["size"], roots[1], path)


def test_an_auditor_has_a_checkpoint_made_at_once(empty_api: Api) -> None:
    empty_api.published()
    build_tree(empty_api.url)
    made = empty_api.auditor.post("audit/checkpoints").json
    assert made["size"] == empty_api.log_length()
    text_of(made["note"], key_of(made["key"]))
    assert empty_api.auditor.post("audit/checkpoints").json == made


def test_what_the_tree_does_not_hold_is_not_proven(proven: Api) -> None:
    for asked in (
        "inclusion?position=999999",
        "inclusion?position=3&size=1",
        "consistency?size=5&to=3",
        "consistency?size=1&to=999999",
    ):
        assert proven.auditor.get(f"audit/proofs/{asked}").status == 404
    for asked in ("inclusion", "inclusion?position=0", "consistency?size=x"):
        assert proven.auditor.get(f"audit/proofs/{asked}").status == 422


def test_nothing_is_signed_after_the_tree_was_changed(empty_api: Api) -> None:
    empty_api.published()
    build_tree(empty_api.url)
    with tampering(empty_api.url) as conn:
        conn.execute("alter table rollbook.merkle_leaves disable trigger all")
        conn.execute("update rollbook.merkle_leaves set hashes = set_byte(hashes, 3, 0)")
        conn.execute("update rollbook.merkle_leaves set hashes = set_byte(hashes, 4, 1)")
    refused = empty_api.auditor.post("audit/checkpoints")
    assert (refused.status, refused.json["code"]) == (409, "tree_was_changed")
