"""Signing in and out, and a forgotten password."""

import html
import re

import pytest
from django.core import mail

from tests.console.cast import PASSWORD, visitor
from tests.tenants import cast

LOGIN = "/accounts/login/"


@pytest.fixture
def ada(owner):
    owner.set_password(PASSWORD)
    owner.save()
    return owner


def text(answer) -> str:
    return html.unescape(answer.content.decode())


def test_signing_in_leads_to_where_one_wanted_to_go(ada):
    answer = visitor().post(LOGIN, {"login": ada.email.upper(), "password": PASSWORD, "next": "/app/acme/keys/"})
    assert answer.headers["location"] == "/app/acme/keys/"


def test_signing_in_leads_nowhere_else_on_the_web(ada):
    answer = visitor().post(LOGIN, {"login": ada.email, "password": PASSWORD, "next": "https://evil.example/"})
    assert answer.headers["location"] == "/app/"


def test_a_wrong_password_and_an_unknown_address_are_told_alike(ada):
    wrong = visitor().post(LOGIN, {"login": ada.email, "password": "wrong-wrong-wrong"})
    unknown = visitor().post(LOGIN, {"login": "nemo@example.com", "password": "wrong-wrong-wrong"})
    assert wrong.status_code == unknown.status_code == 200
    pattern = r'role="alert">.*?</div>\s*</div>'
    assert len(re.findall(pattern, text(wrong), re.DOTALL)) == 1
    assert re.findall(pattern, text(wrong), re.DOTALL) == re.findall(pattern, text(unknown), re.DOTALL)


def test_somebody_who_was_deactivated_cannot_sign_in(ada):
    ada.is_active = False
    ada.save()
    someone = visitor()
    someone.post(LOGIN, {"login": ada.email, "password": PASSWORD})
    assert someone.get("/app/").status_code == 302


def test_too_many_tries_are_stopped_also_with_the_right_password(ada):
    someone = visitor()
    for _ in range(6):
        someone.post(LOGIN, {"login": ada.email, "password": "wrong-wrong-wrong"})
    answer = someone.post(LOGIN, {"login": ada.email, "password": PASSWORD})
    assert answer.status_code != 302
    assert someone.get("/app/").headers["location"].startswith(LOGIN)


def test_signing_out_takes_a_button_and_works(ada):
    someone = visitor(ada)
    assert someone.get("/accounts/logout/").status_code == 200
    assert someone.get("/app/acme/").status_code == 200
    someone.post("/accounts/logout/")
    assert someone.get("/app/acme/").status_code == 302


def test_a_forgotten_password_is_set_anew_by_a_link(ada):
    someone = visitor()
    someone.post("/accounts/password/reset/", {"email": ada.email})
    (link,) = re.findall(r"http://testserver(/\S+)", str(mail.outbox[0].body))
    page = someone.get(link, follow=True)
    fresh = "another-correct-horse-battery"
    someone.post(page.redirect_chain[-1][0], {"password1": fresh, "password2": fresh})
    assert visitor().post(LOGIN, {"login": ada.email, "password": fresh}).status_code == 302


def test_a_reset_tells_nobody_who_has_an_account(ada):
    known = visitor().post("/accounts/password/reset/", {"email": ada.email})
    unknown = visitor().post("/accounts/password/reset/", {"email": "nemo@example.com"})
    assert known.headers["location"] == unknown.headers["location"]


def test_the_pages_of_an_account_have_our_look(ada):
    someone = visitor(ada)
    for page in ("/accounts/password/change/", "/accounts/email/", "/accounts/logout/"):
        answer = someone.get(page)
        assert answer.status_code == 200, page
        assert "console/console.css" in text(answer), page


def test_the_door_to_the_admin_is_the_same_one(db):
    answer = visitor().get("/admin/")
    assert answer.status_code == 302
    assert visitor().get(answer.headers["location"]).headers["location"].startswith(LOGIN)


def test_a_member_who_is_no_operator_stays_out_of_the_admin(acme, owner):
    assert visitor(owner).get("/admin/", follow=True).status_code == 403
    assert visitor(cast.person("Op", is_staff=True)).get("/admin/").status_code == 200
