"""Where no view could answer, the API still speaks its shape, and pages are pages."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory

from config import failing
from tests.api.world import error


# Without the database that this test did not ask for, every request fails around its view.
@pytest.mark.parametrize(("path", "kind"), [("/api/v1/keys", "application/json"), ("/status", "text/html")])
def test_a_failure_around_the_view_has_the_shape_of_its_address(path, kind):
    answer = Client(raise_request_exception=False).get(path)
    assert answer.status_code == 500
    assert answer["content-type"].startswith(kind)
    assert "Database" not in answer.content.decode()


def test_the_api_says_that_it_was_our_fault():
    answer = Client(raise_request_exception=False).get("/api/v1/keys")
    assert error(answer)["code"] == "internal_error"
    assert answer["x-request-id"].startswith("req_")


def test_a_database_that_is_away_is_worth_another_try():
    try:
        raise OperationalError("secret host")
    except OperationalError:
        answer = failing.server_error(RequestFactory().get("/api/v1/keys"))
    assert (answer.status_code, answer["retry-after"]) == (503, "1")
    assert b"secret" not in answer.content


@pytest.mark.parametrize(("path", "kind"), [("/api/v1/keys", "application/json"), ("/status", "text/html")])
def test_a_host_that_is_not_ours_is_refused_in_the_shape_of_its_address(db, path, kind):
    answer = Client().get(path, headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert answer["content-type"].startswith(kind)
