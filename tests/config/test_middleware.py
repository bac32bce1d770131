from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config import middleware
from foundation import ids, logs
from tenants import isolation
from tenants.models import User


@pytest.fixture
def get(rf: RequestFactory) -> Callable[..., HttpRequest]:
    def request(path: str, user: User | AnonymousUser | None = None) -> HttpRequest:
        made = rf.get(path)
        made.user = user or AnonymousUser()
        return made

    return request


def view_that_makes_a_user(status: int) -> Callable[[HttpRequest], HttpResponse]:
    def view(_: HttpRequest) -> HttpResponse:
        User.objects.create(email="ada@acme.example", name="Ada")
        return HttpResponse(status=status)

    return view


@pytest.mark.parametrize(("status", "kept"), [(200, 1), (302, 1), (404, 1), (429, 1), (500, 0), (503, 0)])
def test_a_request_is_kept_whole_unless_we_failed(fresh_database, get, status, kept):
    middleware.TransactionPerRequest(view_that_makes_a_user(status))(get("/"))
    assert User.objects.count() == kept


def test_a_request_runs_in_one_transaction_that_sees_no_tenant(fresh_database, get):
    seen = []

    def view(_: HttpRequest) -> HttpResponse:
        seen.append((connection.in_atomic_block, isolation.current()))
        return HttpResponse()

    middleware.TransactionPerRequest(view)(get("/"))
    assert seen == [(True, "")]
    assert not connection.in_atomic_block


@pytest.mark.parametrize(
    ("path", "is_staff", "is_active", "scope"),
    [
        ("/admin/keys/", True, True, "all"),
        ("/admin/keys/", False, True, ""),
        ("/admin/keys/", True, False, ""),
        ("/app/", True, True, ""),
        ("/api/v1/admin/", True, True, ""),
        ("/administrators", True, True, ""),
    ],
)
def test_only_staff_see_every_organization_and_on_their_pages_only(
    fresh_database, get, path, is_staff, is_active, scope
):
    user = User(email="op@turnpike.example", is_staff=is_staff, is_active=is_active)
    request = get(path, user)
    operator_scope = middleware.OperatorScope(lambda _: HttpResponse(isolation.current()))
    response = middleware.TransactionPerRequest(operator_scope)(request)
    assert response.content.decode() == scope


def test_a_stranger_at_the_operators_door_sees_nothing(fresh_database, get):
    operator_scope = middleware.OperatorScope(lambda _: HttpResponse(isolation.current()))
    assert middleware.TransactionPerRequest(operator_scope)(get("/admin/")).content == b""


def test_an_answer_carries_the_id_that_its_log_lines_have(get):
    seen = []

    def view(_: HttpRequest) -> HttpResponse:
        seen.append(logs.request_id.get())
        return HttpResponse()

    response = middleware.RequestId(view)(get("/"))
    assert seen == [response.headers["x-request-id"]]
    assert ids.parse("req", response.headers["x-request-id"]).version == 7
    assert logs.request_id.get() is None


def test_an_id_is_ours_even_if_the_client_sends_one(client: Client, db):
    response = client.get("/no-such-page", headers={"x-request-id": "req_mine"})
    assert response.status_code == 404
    assert response.headers["x-request-id"] != "req_mine"


def test_pages_may_run_only_scripts_with_the_nonce_or_of_our_own(client: Client, db):
    policy = client.get("/").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "object-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_the_operators_pages_may_evaluate_and_nothing_more(client: Client, db):
    client.force_login(User.objects.create(email="op@turnpike.example", is_staff=True, is_superuser=True))
    response = client.get("/admin/")
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "script-src 'self' 'unsafe-eval' 'unsafe-inline'" not in policy
    assert "frame-ancestors 'none'" in policy


def test_answers_forbid_frames_and_guessing_of_types(client: Client, db):
    headers = client.get("/").headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_a_static_file_is_answered_in_one_piece(client: Client):
    response = client.get("/static/admin/css/base.css")
    assert response.status_code == 200
    assert not response.streaming
    assert len(response.content) == int(response.headers["content-length"])
    assert response.headers["content-type"].startswith("text/css")


def test_a_static_file_that_the_browser_has_is_not_sent_again(client: Client):
    first = client.get("/static/admin/css/base.css")
    again = client.get("/static/admin/css/base.css", headers={"if-modified-since": first.headers["last-modified"]})
    assert (again.status_code, again.content) == (304, b"")
