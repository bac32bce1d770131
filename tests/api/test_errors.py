"""What is wrong with a request is said in one shape, naming the field."""

from __future__ import annotations

import json

import pytest
from django.db import OperationalError
from django.test import Client

from foundation.rest import answers
from keys.models import ApiKey
from tests.api.world import Asking, error
from tests.tenants import cast


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": "X", "slug": "x", "color": "red"}, "color"),
        ({"name": "X"}, "slug"),
        ({"name": "", "slug": "x"}, "name"),
        ({"name": None, "slug": "x"}, "name"),
        ({"name": 7, "slug": "x"}, "name"),
        ({"name": True, "slug": "x"}, "name"),
        ({"name": "a\u0000b", "slug": "x"}, "name"),
        ({"name": "X" * 201, "slug": "x"}, "name"),
        ({"name": " ", "slug": "x"}, "name"),
        ({"name": "X", "slug": "Not A Slug"}, "slug"),
        ({"name": "X", "slug": "x", "id": "proj_1"}, "id"),
    ],
)
def test_a_field_at_fault_is_named(by_key, body, param):
    answer = by_key("POST", "projects", body)
    assert (answer.status_code, error(answer)["code"], error(answer)["param"]) == (400, "invalid_request", param)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"limits": {"rpm": "60"}}, "limits.rpm"),
        ({"limits": {"rpm": 60.0}}, "limits.rpm"),
        ({"limits": {"rpm": True}}, "limits.rpm"),
        ({"limits": {"rpm": -1}}, "limits.rpm"),
        ({"limits": {"rpm": 2**31}}, "limits.rpm"),
        ({"limits": {"rpm": 10**30}}, "limits.rpm"),
        ({"limits": {"rps": 1}}, "limits.rps"),
        ({"limits": {"allowed_models": ["sim", 7]}}, "limits.allowed_models[1]"),
        ({"limits": {"budget_nano_usd": 2**63, "budget_window": "day"}}, "limits.budget_nano_usd"),
        ({"limits": {"budget_nano_usd": 1}}, "limits.budget_window"),
        ({"limits": {"budget_nano_usd": 1, "budget_window": "year"}}, "limits.budget_window"),
        ({"limits": {"budget_usd": "1"}}, "limits.budget_usd"),
        ({"limits": []}, "limits"),
        ({"metadata": {"team": 7}}, "metadata.team"),
        ({"metadata": {"team": "a\u0000"}}, "metadata.team"),
        ({"metadata": {"": "x"}}, "metadata"),
        ({"metadata": "x"}, "metadata"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": 1893456000}, "expires_at"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"mode": "dead"}, "mode"),
        ({"scopes": ["keys.read"]}, "scopes"),
        ({"kind": "management"}, "project"),
    ],
)
def test_a_field_inside_another_is_named_by_its_path(acme, by_key, body, param):
    answer = by_key("POST", "keys", {"name": "New", "project": acme.project.public_id, **body})
    assert (answer.status_code, error(answer)["param"]) == (400, param), answer.content


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("7", "must be a JSON object"),
        ('{"name": NaN}', "not valid JSON"),
        ('{"name": "\\ud800"}', "not valid JSON"),
        (b'{"name": "\xff"}', "not valid JSON"),
        ('{"name": "a", "name": "b"}', "name is there more than once"),
        ('{"a":' * 2000 + "1" + "}" * 2000, "not valid JSON"),
    ],
)
def test_what_is_no_plain_json_object_is_refused(by_key, body, says):
    answer = by_key("POST", "projects", body or " ")
    assert answer.status_code == 400
    assert says in error(answer)["message"]


def test_a_body_has_a_size(by_key):
    answer = by_key("POST", "projects", json.dumps({"name": "x" * 1_100_000}))
    assert (answer.status_code, error(answer)["code"]) == (413, "request_too_large")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_json_is_read(acme, by_key, content_type):
    by_key.headers["content-type"] = content_type
    answer = by_key("POST", "projects", '{"name": "X", "slug": "x"}')
    assert (answer.status_code, error(answer)["code"]) == (415, "unsupported_media_type")


def test_an_encoded_body_is_not_read(by_key):
    answer = by_key("POST", "projects", {"name": "X", "slug": "x"}, content_encoding="gzip")
    assert (answer.status_code, error(answer)["code"]) == (415, "unsupported_media_type")


def test_a_charset_does_no_harm(by_key):
    by_key.headers["content-type"] = "application/json; charset=utf-8"
    assert by_key("POST", "projects", {"name": "Zoë", "slug": "x"}).json()["name"] == "Zoë"


def test_a_body_of_unknown_length_is_not_taken_for_none(acme, by_key):
    answer = by_key("PATCH", f"projects/{acme.project.public_id}", transfer_encoding="chunked", content_length="")
    assert (answer.status_code, error(answer)["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_not_allowed(by_key, method):
    answer = by_key(method, "projects")
    assert (answer.status_code, error(answer)["code"]) == (405, "method_not_allowed")
    assert answer["allow"] == "GET, HEAD, POST"


def test_head_is_get_without_a_body(by_key):
    assert by_key("HEAD", "projects").status_code == 200


@pytest.mark.parametrize("path", ["nowhere", "projects/", "keys/a/b/c", "openapi.yaml"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_other_address_answers_in_the_same_shape(db, method, path):
    answer = Asking()(method, path)
    assert (answer.status_code, error(answer)["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["projects", "nowhere", "openapi.json", "keys/key_x"])
def test_every_answer_carries_a_request_id(by_key, path):
    for who in (by_key, Asking()):
        assert who("GET", path)["x-request-id"].startswith("req_")


def test_nobody_is_asked_what_they_would_like_to_read(by_key):
    assert by_key("GET", "projects", accept="text/html")["content-type"] == "application/json"


def test_a_session_needs_the_token_of_forms_to_change_something(acme):
    client = Client(enforce_csrf_checks=True)
    client.force_login(acme.owner)
    answer = client.post("/api/v1/projects", {"name": "X", "slug": "x"}, content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in error(answer)["message"]


def test_an_error_undoes_what_was_written_on_the_way(acme, by_key):
    answer = by_key("PATCH", f"organizations/{acme.organization.public_id}", {"name": "New", "time_zone": "Mars"})
    assert (answer.status_code, error(answer)["param"]) == (400, "time_zone")
    acme.organization.refresh_from_db()
    assert acme.organization.name == "Acme"


def test_our_own_mistake_says_nothing_about_itself(by_key, settings):
    # A pepper that is no text breaks every look-up of a key.
    settings.KEY_PEPPER = None
    answer = by_key("GET", "keys")
    assert (answer.status_code, error(answer)["code"]) == (500, "internal_error")
    assert "NoneType" not in answer.content.decode()


def test_a_database_that_does_not_answer_is_worth_another_try():
    translated = answers.translate(OperationalError("server closed the connection"))
    assert (translated.status, translated.code, translated.retry_after) == (503, "overloaded", 1.0)
    assert "server closed" not in translated.message


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=key_nonsense", "cursor"),
        ("cursor=proj_01h455vb4pex5vsknk084sn02q", "cursor"),
        ("colour=red", "colour"),
        ("status=lost", "status"),
        ("kind=other", "kind"),
    ],
)
def test_a_parameter_at_fault_is_named(by_key, query, param):
    answer = by_key("GET", f"keys?{query}")
    assert (answer.status_code, error(answer)["param"]) == (400, param)


def test_nothing_was_made_by_any_request_that_failed(acme, by_key):
    before = ApiKey.objects.count()
    by_key("POST", "keys", {"name": "New", "project": acme.project.public_id, "limits": {"rpm": -1}})
    by_key("POST", "keys", {"name": "New", "project": acme.project.public_id, "plan": "plan_x"})
    assert ApiKey.objects.count() == before
    assert cast.project(acme.organization).pk == acme.project.pk
