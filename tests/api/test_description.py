"""The description: valid, and complete enough to work by."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.world import Api


def test_the_description_is_valid_openapi_3_1(api: Api) -> None:
    document = api.contract.document
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.parametrize("member", ["summary", "description", "operationId", "tags", "responses"])
def test_every_operation_says_what_it_is(api: Api, member: str) -> None:
    lacking = [f"{m} {p}" for m, p, o in api.contract.operations() if not o.get(member)]
    assert lacking == []


def test_every_parameter_and_body_has_an_example_and_says_what_it_is(api: Api) -> None:
    for method, path, operation in api.contract.operations():
        shared = api.contract.document["paths"][path].get("parameters", [])
        for parameter in (*shared, *operation.get("parameters", [])):
            assert parameter["description"], f"{method} {path}: {parameter['name']}"
            validate(parameter["schema"], parameter["example"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            components = {"components": api.contract.document["components"]}
            validate(content["schema"] | components, content["example"])


def validate(schema: dict[str, Any], example: object) -> None:
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(example)


def parameter_of(api: Api, operation_id: str, name: str) -> dict[str, Any]:
    (found,) = (
        parameter
        for _, _, operation in api.contract.operations()
        if operation["operationId"] == operation_id
        for parameter in operation["parameters"]
        if parameter["name"] == name
    )
    return dict(found)


@pytest.mark.parametrize(
    ("operation", "name", "words"),
    [
        ("get_enrollment", "include", {"program", "employee", "certificate"}),
        ("get_certificates", "include", {"program", "employee", "enrollment"}),
        ("get_employees", "sort", {"id", "-id", "name", "-name"}),
        ("get_waitlist", "fields", {"place", "enrollment_id", "program_id", "employee_id"}),
    ],
)
def test_names_that_may_be_asked_for_are_described_one_by_one(
    api: Api, operation: str, name: str, words: set[str]
) -> None:
    parameter = parameter_of(api, operation, name)
    assert (parameter["style"], parameter["explode"]) == ("form", False)
    assert words <= set(parameter["schema"]["items"]["enum"])
    assert name == "fields" or words == set(parameter["schema"]["items"]["enum"])


@pytest.mark.parametrize("several", ["programs", "employees", "enrollments"])
def test_all_fields_that_are_shown_may_be_asked_for(api: Api, several: str) -> None:
    last = api.enrolled(api.published()["id"], api.hire())
    schema = parameter_of(api, f"get_{several}", "fields")["schema"]
    item = api.admin.get(f"{several}?limit=1", at_least=last).json["items"][0]
    assert schema["items"]["enum"] == list(item)
    every = api.admin.get(f"{several}?limit=1&fields={','.join(item)}").json["items"][0]
    assert every == item


def test_every_error_of_an_operation_is_a_problem(api: Api) -> None:
    for method, path, operation in api.contract.operations():
        errors = [s for s in operation["responses"] if s.isdigit() and int(s) >= 400]
        assert {"500", "503"} <= set(errors), f"{method} {path}"
        for status in errors:
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"]
