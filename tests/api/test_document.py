"""The OpenAPI document, and the page to read it on."""

from __future__ import annotations

import re

import pytest
from django.core.management import call_command
from django.test import Client

from config.api import document
from tests.api.operations import OF_OPERATORS, OPERATIONS
from tests.api.world import Asking
from tests.docs import pages

pytestmark = pytest.mark.django_db


def operations() -> list[tuple[str, str, dict]]:
    """Return every operation of the document, with its method and path."""
    return [(method, path, facts) for path, methods in document()["paths"].items() for method, facts in methods.items()]


def test_the_document_is_valid_and_complete(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "openapi.yaml"))


def test_everybody_may_read_the_document():
    answer = Asking()("GET", "openapi.json")
    assert (answer.status_code, answer["content-type"]) == (200, "application/json")
    assert answer.json() == document()


def test_every_operation_says_what_it_is():
    assert not [
        facts["operationId"] for _, _, facts in operations() if not facts["summary"] or not facts["description"]
    ]


def test_every_post_documents_the_key_that_makes_it_safe_to_repeat():
    for method, _, facts in operations():
        headers = {parameter["name"] for parameter in facts.get("parameters", ()) if parameter["in"] == "header"}
        assert ("Idempotency-Key" in headers) is (method == "post"), facts["operationId"]


def test_every_operation_documents_its_errors():
    reference = {"$ref": "#/components/schemas/Error"}
    for _, _, facts in operations():
        assert facts["responses"]["default"]["content"]["application/json"]["schema"] == reference
    assert "Error" in document()["components"]["schemas"]


def test_amounts_are_whole_numbers_and_decimal_strings():
    for name, schema in document()["components"]["schemas"].items():
        for field, facts in schema.get("properties", {}).items():
            kinds = {facts.get("type")} if isinstance(facts.get("type"), str) else set(facts.get("type", ()))
            if field.endswith("_nano_usd"):
                assert "integer" in kinds, (name, field)
            elif field.endswith("_usd"):
                assert "string" in kinds, (name, field)


def test_answers_are_what_the_document_says(acme):
    for operation in OPERATIONS:
        if operation.method != "GET" or operation.id == "models_retrieve":
            continue
        shown = Asking(key=acme.management).get(operation.path(acme))
        [facts] = [facts for _, _, facts in operations() if facts["operationId"] == operation.id]
        schema = facts["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(shown) == set(_properties(schema)), operation.id


def test_the_page_shows_every_operation_to_everybody():
    answer = Client().get("/api/v1/docs")
    page = answer.content.decode()
    assert answer.status_code == 200
    for name in {operation.id for operation in OPERATIONS} | OF_OPERATORS:
        assert f'id="{name}"' in page
    assert "limits.budget_nano_usd" in page
    assert "data[].price.rates[].per_million_usd" in page


def test_the_page_asks_no_other_host_for_anything():
    page = Client().get("/api/v1/docs").content.decode()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert "<style" not in page


def test_the_guide_names_only_addresses_that_exist():
    guide = pages.page("api.md")
    named = {path.rstrip("`\"'") for path in re.findall(r"/api/v1/[\w/{}.$-]*", guide)}
    known = {re.sub(r"\{\w+\}", "{}", path) for _, path, _ in operations()} | {"/api/v1/openapi.json", "/api/v1/docs"}
    plain = {re.sub(r"\$\w+|\{\w+\}", "{}", path).rstrip("/") for path in named}
    assert named
    assert not plain - known - {"/api/v1"}


def test_the_guide_names_every_resource():
    guide = pages.page("api.md")
    tags = {facts["tags"][0] for _, _, facts in operations()}
    assert not [tag for tag in tags if f"/api/v1/{tag}" not in guide]


def _properties(schema: dict) -> dict:
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    found: dict = schema["properties"]
    return found
