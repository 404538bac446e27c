"""Erasing a person: the text is nowhere any more, and all else is as before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal
from redis import Redis

from directory.employees import Employee
from domain.signature import SignedRecord
from eventlog.pool import open_connection
from tests.api.world import Answer, Api, unique
from tests.patience import eventually
from workers.event_stream import STREAM, EventStream
from workers.publish import Publisher

_COLUMNS: LiteralString = """
select table_schema::text, table_name::text, column_name::text from information_schema.columns
where table_schema not in ('pg_catalog', 'information_schema')
    and data_type not in ('bigint', 'integer', 'double precision', 'boolean', 'uuid')
"""


PLACES = {
    "rollbook.employees.name",
    "rollbook.kept_answers.body",
    "rollbook_read.enrollment_listing.grade",
    "rollbook_read.enrollment_listing.signer_name",
}
"""Where text about somebody is, all of them columns that can be blanked."""


@pytest.fixture
def secret() -> str:
    """A word that stands in every text about the person, and nowhere else."""
    return unique("Geheimnis")


def keyed() -> dict[str, str]:
    """The headers of a request whose answer is kept."""
    return {"Idempotency-Key": unique("key")}


@pytest.fixture
def trained(api: Api, secret: str) -> dict[str, Any]:
    """An employee of whom there is text of every kind, in two programs."""
    employee_id = api.hire(name=f"Name {secret}", department="Sales")
    done, left = api.published(certification={"offered": True}), api.published(capacity=1)
    enrollment = api.enrolled(done["id"], employee_id, reason=f"because {secret}").json
    path = f"enrollments/{enrollment['id']}"
    api.admin.post(f"{path}/progress", {"percent": 60, "note": f"note {secret}"})
    api.admin.post(f"{path}/correct", {"percent": 50, "reason": f"typo {secret}"})
    api.admin.post(
        f"{path}/complete",
        {
            "score_percent": 90,
            "grade": f"A, {secret}",
            "signature": {"printed_name": f"Signer {secret}", "meaning": "approved"},
        },
        headers=keyed(),
    )
    seated = api.enrolled(left["id"], employee_id, reason=f"a seat for {secret}")
    return {
        "id": employee_id,
        "enrollment": enrollment["id"],
        "limited": left["id"],
        "seated": seated.json["id"],
        "last": seated,
    }


def erase(api: Api, employee_id: str, **options: Any) -> Answer:
    return api.admin.post(f"employees/{employee_id}/erase", {"reason": "Case 17"}, **options)


def places_of(url: str, text: str) -> set[str]:
    """The columns of all tables of all schemas in which a live row holds the text."""
    found = set()
    with psycopg.connect(url) as conn:
        for schema, table, column in conn.execute(_COLUMNS).fetchall():
            query = SQL("select 1 from {} where position({} in {}::text) > 0 limit 1").format(
                Identifier(schema, table), Literal(text), Identifier(column)
            )
            # A bytea is shown in hexadecimal.
            in_bytes = SQL("select 1 from {} where position({} in {}::text) > 0 limit 1").format(
                Identifier(schema, table), Literal(text.encode().hex()), Identifier(column)
            )
            if conn.execute(query).fetchone() or conn.execute(in_bytes).fetchone():
                found.add(f"{schema}.{table}.{column}")
    return found


def stored_states(url: str) -> list[str]:
    with psycopg.connect(url) as conn:
        query = "select state::text from rollbook.events order by position"
        return [state for (state,) in conn.execute(query)]


def test_after_an_erasure_the_text_is_in_no_row_of_any_table_and_no_event_changed(
    api: Api, trained: dict[str, Any], secret: str
) -> None:
    eventually(lambda: places_of(api.url, secret) == PLACES)
    before = stored_states(api.url)
    erased = erase(api, trained["id"])
    assert erased.status == 200
    shown = api.admin.get(f"enrollments/{trained['enrollment']}", at_least=erased).json
    eventually(lambda: not places_of(api.url, secret))
    assert stored_states(api.url)[: len(before)] == before
    assert (shown["grade"], shown["score_percent"]) == ("[erased]", 90)
    assert shown["employee_name"] is None
    assert shown["signature"]["printed_name"] == "[erased]"
    assert shown["signature"]["meaning"] == "approved"


def held(api: Api, trained: dict[str, Any], secret: str) -> Answer:
    """What placing a legal hold on the person is answered; the reason has the secret in it."""
    body = {"reason": f"Lawsuit of {secret}"}
    return api.admin.post(f"employees/{trained['id']}/hold", body, headers=keyed())


def test_the_reasons_of_legal_holds_are_in_no_row_of_any_table_after_an_erasure(
    api: Api, trained: dict[str, Any], secret: str
) -> None:
    assert held(api, trained, secret).status == 200
    eventually(lambda: places_of(api.url, secret) == PLACES | {"rollbook_read.legal_holds.reason"})
    refused = erase(api, trained["id"], headers=keyed())
    assert (refused.status, refused.json["reason"]) == (409, f"Lawsuit of {secret}")
    lift = {"reason": f"Settled with {secret}"}
    lifted = api.admin.post(f"employees/{trained['id']}/lift-hold", lift, headers=keyed())
    assert lifted.status == 200
    eventually(lambda: places_of(api.url, secret) == PLACES)
    path = f"audit/employees/{trained['id']}"
    assert f"Lawsuit of {secret}" in str(api.auditor.get(path, at_least=lifted).json)
    assert f"Settled with {secret}" in api.auditor.get(f"{path}?format=csv").data.decode()
    erased = erase(api, trained["id"])
    eventually(lambda: not places_of(api.url, secret))
    told = api.auditor.get(path, at_least=erased).json["items"]
    reasons = {item["stored"]["topic"]: item["reason"] for item in told}
    assert reasons["employee.hold_placed.v1"] == "[erased]"
    assert reasons["employee.hold_lifted.v1"] == "[erased]"
    assert reasons["employee.erased.v1"] == "Case 17"
    assert secret not in str(told)
    assert secret not in api.auditor.get(f"{path}?format=csv").data.decode()


def test_who_was_erased_cannot_be_held(api: Api, trained: dict[str, Any], secret: str) -> None:
    erase(api, trained["id"])
    refused = held(api, trained, secret)
    assert (refused.status, refused.json["code"]) == (409, "employee_erased")
    assert secret not in refused.data.decode()


def test_the_redis_stream_holds_no_text_before_or_after_an_erasure(
    api: Api, trained: dict[str, Any], secret: str, redis_url: str
) -> None:
    assert held(api, trained, secret).status == 200
    with Redis.from_url(redis_url) as client, open_connection(api.url) as conn:
        publisher = Publisher(conn, EventStream(client))
        while not publisher.has_caught_up:
            publisher.publish_batch()
        entries = client.xrange(STREAM)
    assert len(entries) == api.log_length()
    assert trained["id"].encode() in b"".join(fields[b"data"] for _, fields in entries)
    assert secret.encode() not in b"".join(fields[b"data"] for _, fields in entries)


def test_auditors_read_the_same_history_but_for_the_text(
    api: Api, trained: dict[str, Any], secret: str
) -> None:
    path = f"audit/enrollments/{trained['enrollment']}"
    before = api.auditor.get(path).json["items"]
    erase(api, trained["id"])
    after = api.auditor.get(path).json["items"]
    assert secret in str(before)
    assert secret not in str(after)
    assert [item["reason"] for item in before] == [
        f"because {secret}",
        None,
        f"typo {secret}",
        None,
        None,
    ]
    assert [item["reason"] for item in after] == [
        "[erased]",
        None,
        "[erased]",
        None,
        None,
        None,
    ]
    assert [item["stored"] for item in after[:-1]] == [item["stored"] for item in before]
    assert [item["summary"] for item in after[:-1]] == [item["summary"] for item in before]


def test_figures_are_as_before(api: Api, trained: dict[str, Any]) -> None:
    paths = ["analytics/completion-rate", "analytics/by-status", "analytics/overview"]
    before = [api.admin.get(path, at_least=trained["last"]).json for path in paths]
    erased = erase(api, trained["id"])
    assert [api.admin.get(path, at_least=erased).json for path in paths] == before


def test_the_receipt_tells_what_was_erased_and_is_given_again(
    api: Api, trained: dict[str, Any]
) -> None:
    receipt = erase(api, trained["id"])
    assert receipt.json == {
        "employee_id": trained["id"],
        "position": int(receipt.headers["Rollbook-Position"]) - 2,
        "version": 1,
        "erased_at": receipt.json["erased_at"],
        "erased_by": "hr_admin-1",
        "role": "hr_admin",
        "reason": "Case 17",
        "enrollments": 2,
        "events": 6,
    }
    length = api.log_length()
    assert erase(api, trained["id"]).json == receipt.json
    assert api.auditor.get(f"employees/{trained['id']}/erasure").json == receipt.json
    assert api.log_length() == length


def test_who_was_erased_does_not_come_back(api: Api, trained: dict[str, Any]) -> None:
    erase(api, trained["id"])
    refused = api.admin.put(f"employees/{trained['id']}", {"name": "Back again"})
    assert (refused.status, refused.json["code"]) == (409, "employee_erased")
    api.services.employees.put_many([Employee(trained["id"], "Back again")])
    assert api.admin.get(f"employees/{trained['id']}").status == 404
    body = {"program_id": api.published()["id"], "employee_id": trained["id"]}
    assert api.admin.post("enrollments", body).json["code"] == "unknown_employee"


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("progress", {"percent": 10}),
        ("complete", {}),
        ("fail", {}),
        ("withdraw", {"reason": "Left for good"}),
    ],
)
def test_nothing_more_is_recorded_of_who_was_erased(
    api: Api, trained: dict[str, Any], command: str, body: dict[str, Any]
) -> None:
    erase(api, trained["id"])
    refused = api.admin.post(f"enrollments/{trained['seated']}/{command}", body)
    assert (refused.status, refused.json["code"]) == (409, "employee_erased")


def test_the_place_of_who_was_erased_can_still_be_freed(api: Api, trained: dict[str, Any]) -> None:
    other = api.hire()
    waiting = api.enrolled(trained["limited"], other).json
    assert waiting["status"] == "waitlisted"
    erase(api, trained["id"])
    freed = api.admin.post(f"enrollments/{trained['seated']}/withdraw")
    assert freed.json["status"] == "withdrawn"
    shown = api.admin.get(f"enrollments/{waiting['id']}", at_least=freed)
    assert shown.json["status"] == "enrolled"


def test_a_legal_hold_refuses_the_erasure_with_its_reason_until_it_is_lifted(
    api: Api, trained: dict[str, Any], secret: str
) -> None:
    path = f"employees/{trained['id']}"
    held = api.admin.post(f"{path}/hold", {"reason": "Lawsuit 4"})
    assert (held.status, held.json["reason"]) == (200, "Lawsuit 4")
    assert held.json in api.auditor.get("legal-holds", at_least=held).json["items"]
    for refused in (api.admin.post(f"{path}/hold", {"reason": "Again"}), erase(api, trained["id"])):
        assert (refused.status, refused.json["code"]) == (409, "legal_hold")
        assert refused.json["detail"] == f"The data of employee {trained['id']} is held: Lawsuit 4"
        assert (refused.json["reason"], refused.json["hold_version"]) == ("Lawsuit 4", 1)
    assert f"Name {secret}" == api.admin.get(path).json["name"]
    lifted = api.admin.post(f"{path}/lift-hold", {"reason": "Settled"})
    assert (lifted.status, lifted.json["version"]) == (200, 2)
    listed = api.auditor.get("legal-holds", at_least=lifted).json["items"]
    assert trained["id"] not in [hold["employee_id"] for hold in listed]
    assert api.admin.post(f"{path}/lift-hold", {"reason": "No"}).json["code"] == "no_legal_hold"
    assert erase(api, trained["id"]).status == 200


def test_nobody_unknown_is_erased_or_held(api: Api) -> None:
    for command in ("erase", "hold"):
        refused = api.admin.post(f"employees/nobody/{command}", {"reason": "Case 17"})
        assert (refused.status, refused.json["code"]) == (404, "employee_not_found")


@pytest.mark.parametrize("command", ["erase", "hold", "lift-hold"])
def test_a_reason_is_required(api: Api, command: str) -> None:
    refused = api.admin.post(f"employees/{api.hire()}/{command}", {"reason": " "})
    assert (refused.status, list(refused.broken)) == (422, ["reason"])


def test_a_certificate_shows_the_signature_on_its_completion(
    api: Api, trained: dict[str, Any]
) -> None:
    enrollment = api.admin.get(f"enrollments/{trained['enrollment']}", at_least=trained["last"])
    path = f"certificates/{enrollment.json['certificate_number']}"
    assert api.admin.get(path).json["signature"] == enrollment.json["signature"]
    again = api.enrolled(enrollment.json["program_id"], trained["id"])
    assert again.json["signature"] is None
    shown = api.admin.get(path, at_least=again).json["signature"]
    assert shown == enrollment.json["signature"]
    erased = erase(api, trained["id"])
    shown = api.admin.get(path, at_least=erased).json["signature"]
    assert shown == enrollment.json["signature"] | {"printed_name": "[erased]"}


def test_a_signature_is_bound_to_what_was_signed(api: Api, trained: dict[str, Any]) -> None:
    shown = api.admin.get(f"enrollments/{trained['enrollment']}", at_least=trained["last"]).json
    record = SignedRecord(
        enrollment_id=UUID(shown["id"]),
        program_id=UUID(shown["program_id"]),
        employee_id=trained["id"],
        cycle=1,
        follows_version=3,
        score_percent=90.0,
        signed_by="hr_admin-1",
        meaning="approved",
    )
    assert shown["signature"]["record_sha256"] == record.sha256()
    assert replace(record, score_percent=91.0).sha256() != record.sha256()
