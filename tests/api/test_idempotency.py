"""A POST that is repeated with its Idempotency-Key does its work once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from foundation import clock
from keys.models import ApiKey
from tenants.models import IdempotentAnswer, Project
from tests.api.operations import BY_ID, OF_OPERATORS, POSTS
from tests.api.world import Asking, error
from tests.keys import cast as keys

NEW = {"name": "New", "slug": "new"}


def test_the_second_time_gets_the_first_answer(acme, by_key):
    first = by_key("POST", "projects", NEW, idempotency_key="a")
    second = by_key("POST", "projects", NEW, idempotency_key="a")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert (first.get("idempotent-replayed"), second.get("idempotent-replayed")) == (None, "true")
    assert Project.objects.filter(slug="new").count() == 1


def test_the_order_of_fields_makes_no_other_request(by_key):
    first = by_key("POST", "projects", '{"name": "New", "slug": "new"}', idempotency_key="a")
    second = by_key("POST", "projects", '{ "slug": "new", "name": "New" }', idempotency_key="a")
    assert first.content == second.content


def test_another_body_under_the_same_key_is_refused(by_key):
    by_key("POST", "projects", NEW, idempotency_key="a")
    answer = by_key("POST", "projects", NEW | {"slug": "newer"}, idempotency_key="a")
    assert (answer.status_code, error(answer)["code"]) == (409, "idempotency_key_reused")
    assert not Project.objects.filter(slug="newer").exists()


def test_another_address_under_the_same_key_is_refused(acme, by_key):
    by_key("POST", f"keys/{acme.key.public_id}/revoke", {"reason": "lost"}, idempotency_key="a")
    other = keys.inference_key(acme.organization).key
    answer = by_key("POST", f"keys/{other.public_id}/revoke", {"reason": "lost"}, idempotency_key="a")
    assert (answer.status_code, error(answer)["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize("path", ["keys", "keys/{}/rotate"])
def test_a_secret_is_shown_once_whatever_is_repeated(acme, by_key, path):
    path = path.format(acme.key.public_id)
    body = {"name": "New", "project": acme.project.public_id} if path == "keys" else {}
    made = by_key("POST", path, body, idempotency_key="a").json()
    answer = by_key("POST", path, body, idempotency_key="a")
    assert (answer.status_code, error(answer)["code"]) == (409, "idempotency_replay_without_secret")
    assert made["id"] in error(answer)["message"]
    assert made["secret"] not in answer.content.decode()
    assert ApiKey.objects.filter(project=acme.project).count() == 2
    assert not [kept for kept in IdempotentAnswer.objects.all() if made["secret"] in kept.answer]


def test_a_request_that_failed_can_be_repeated(acme, by_key):
    Project.objects.create(organization=acme.organization, name="In the way", slug="new")
    assert by_key("POST", "projects", NEW, idempotency_key="a").status_code == 409
    Project.objects.filter(slug="new").update(slug="old")
    assert by_key("POST", "projects", NEW, idempotency_key="a").status_code == 201


def test_keys_count_per_caller(acme, by_key):
    assert by_key("POST", "projects", NEW, idempotency_key="a").status_code == 201
    other = Asking(key=keys.management_key(acme.organization, "projects.manage").secret)
    assert error(other("POST", "projects", NEW, idempotency_key="a"))["code"] == "slug_taken"


def test_keys_count_per_organization(acme, globex, by_key):
    assert by_key("POST", "projects", NEW, idempotency_key="a").status_code == 201
    assert Asking(key=globex.management)("POST", "projects", NEW, idempotency_key="a").status_code == 201


def test_answers_are_forgotten_after_a_day(by_key):
    by_key("POST", "projects", NEW, idempotency_key="a")
    IdempotentAnswer.objects.update(created_at=clock.now() - timedelta(days=1, seconds=1))
    Project.objects.filter(slug="new").update(slug="old")
    answer = by_key("POST", "projects", NEW | {"name": "Newer"}, idempotency_key="a")
    assert answer.status_code == 201
    assert IdempotentAnswer.objects.get().key == "a"


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "schlüssel"])
def test_a_key_is_short_plain_text(by_key, key):
    answer = by_key("POST", "projects", NEW, idempotency_key=key)
    assert (answer.status_code, error(answer)["param"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize("operation", POSTS, ids=str)
def test_every_post_honours_it(operation, acme, by_key):
    path, body = operation.path(acme), operation.body(acme) if operation.body else None
    first = by_key("POST", path, body, idempotency_key="a")
    again = by_key("POST", path, body, idempotency_key="a")
    assert first.status_code == operation.status
    if "secret" in first.json():
        assert error(again)["code"] == "idempotency_replay_without_secret"
    else:
        assert (again.status_code, again.content) == (first.status_code, first.content)


def test_every_post_is_tried_above_or_in_the_tests_of_organizations():
    assert {operation.id for operation in POSTS} | OF_OPERATORS >= {
        name for name in BY_ID if name.endswith(("_create", "_archive", "_rotate", "_revoke"))
    }
