"""Bundles over HTTP: what the verifier accepts, page by page, and logged with everybody in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit import bundling
from proof import verify_bundle
from proof.verify_bundle import Broken, Verdict
from tests.api.world import Answer, Api, token
from tests.proof.world import SIGNER, build_tree, tampering


@pytest.fixture(scope="module")
def trained(api: Api) -> Answer:
    """Two people in one program, the first of them also in another, with a tree over it all."""
    program, other = api.published()["id"], api.published()["id"]
    first = api.enrolled(program, api.hire())
    api.enrolled(other, first.json["employee_id"])
    api.enrolled(program, api.hire())
    last = api.instructor.post(f"enrollments/{first.json['id']}/complete", {"score_percent": 88})
    build_tree(api.url)
    assert api.auditor.get("audit/events", at_least=last).status == 200
    return last


def bundle(api: Api, query: str) -> Answer:
    answer = api.auditor.get(f"audit/bundle?{query}")
    assert answer.status == 200, answer.data
    return answer


def verified(answer: Answer, folder: Path) -> Verdict:
    file = folder / "fetched.bundle"
    file.write_bytes(answer.data)
    return verify_bundle.verify(file, SIGNER.verifier_key)


def entries(answer: Answer) -> list[Any]:
    return [json.loads(line) for line in answer.data.splitlines()][1:-1]


def test_a_bundle_of_a_person_holds(api: Api, trained: Answer, tmp_path: Path) -> None:
    employee_id = trained.json["employee_id"]
    answer = bundle(api, f"employee_id={employee_id}")
    verdict = verified(answer, tmp_path)
    assert verdict.subject == {"employee_id": employee_id, "whole_streams": True}
    assert len(verdict.streams) == 2
    assert {json.loads(one["state"])["employee_id"] for one in entries(answer)} == {employee_id}
    assert answer.headers["Content-Disposition"].endswith('.bundle"')


def test_a_bundle_of_a_program_holds(api: Api, trained: Answer, tmp_path: Path) -> None:
    verdict = verified(bundle(api, f"program_id={trained.json['program_id']}"), tmp_path)
    # Itself, its code, and two enrollments.
    assert len(verdict.streams) == 4


@pytest.mark.usefixtures("trained")
def test_a_bundle_of_everything_holds_in_pages_as_in_one(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bundle(api, "recorded_from=2000-01-01T00:00:00Z")
    assert verified(whole, tmp_path).events == api.log_length()
    for page, found_at_once in ((2, 5), (3, 3), (100, 1)):
        monkeypatch.setattr(bundling, "PAGE", page)
        monkeypatch.setattr(bundling, "FOUND_AT_ONCE", found_at_once)
        answer = bundle(api, "recorded_from=2000-01-01T00:00:00Z")
        assert verified(answer, tmp_path).events == api.log_length()
        assert answer.data == whole.data


@pytest.mark.usefixtures("trained")
def test_a_period_ends_where_it_is_said_to(api: Api, tmp_path: Path) -> None:
    recorded = [
        (one["position"], datetime.fromisoformat(one["recorded_at"]))
        for one in api.auditor.get("audit/events?sort=recorded_at&limit=500").json["items"]
    ]
    (first, begin), (last, end) = recorded[1], recorded[-2]
    before = (end + timedelta(microseconds=1)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    since = begin.astimezone(UTC).isoformat().replace("+00:00", "Z")
    verdict = verified(bundle(api, f"recorded_from={since}&recorded_before={before}"), tmp_path)
    assert verdict.first_position is not None
    assert verdict.last_position is not None
    # Several may have been recorded in the same moment.
    assert verdict.first_position <= first
    assert verdict.last_position >= last


def test_everybody_on_a_page_is_logged_with_it(
    api: Api, trained: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundling, "PAGE", 2)
    reader = api.with_token(token("auditor", subject="auditor-of-bundles"))
    answer = reader.get(f"audit/bundle?program_id={trained.json['program_id']}")
    people = [json.loads(one["state"]).get("employee_id") for one in entries(answer)]
    pages = [people[at : at + 2] for at in range(0, len(people), 2)]
    log = api.auditor.get("audit/accesses?reader=auditor-of-bundles").json["items"]
    logged = [one["employees"] for one in reversed(log)]
    assert logged == [list(dict.fromkeys(filter(None, page))) for page in pages]
    assert {one["operation"] for one in log} == {"get_bundle"}


def test_one_subject_must_be_named_and_must_exist(api: Api, trained: Answer) -> None:
    program = f"program_id={trained.json['program_id']}"
    for query in ("", f"{program}&employee_id=e1", f"{program}&recorded_before=2020-01-01T00:00Z"):
        assert api.auditor.get(f"audit/bundle?{query}").status == 422
    for query in ("employee_id=nobody", "recorded_before=2000-01-01T00:00:00Z"):
        assert api.auditor.get(f"audit/bundle?{query}").status == 404


def test_an_altered_event_is_named_instead_of_sent(
    empty_api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled = empty_api.enrolled(empty_api.published()["id"], empty_api.hire())
    build_tree(empty_api.url)
    position = int(enrolled.headers["Rollbook-Position"])
    with tampering(empty_api.url) as conn:
        conn.execute(
            "update rollbook.events set state = (state::text || ' ')::json where position = %s",
            (position,),
        )
    path = f"audit/bundle?employee_id={enrolled.json['employee_id']}"
    refused = empty_api.auditor.get(path, at_least=enrolled)
    assert (refused.status, refused.json["code"]) == (409, "event_not_proven")
    assert refused.json["position"] == position
    # Found on a later page, it ends the bundle, which then does not hold.
    monkeypatch.setattr(bundling, "PAGE", 1)
    cut = empty_api.auditor.get("audit/bundle?recorded_from=2000-01-01T00:00:00Z")
    with pytest.raises(Broken, match=f"broke off behind .* event at position {position} is not"):
        verified(cut, tmp_path)
