"""Who gets into an organisation's pages, and what everybody else is told."""

import pytest
from django.urls import reverse

from tenants import members, organizations
from tenants.models import Membership, Role
from tests.console.cast import visitor
from tests.keys.cast import inference_key
from tests.tenants import cast

PAGES = [
    "console:overview",
    "console:usage",
    "console:statements",
    "console:keys",
    "console:key_new",
    "console:limits",
    "console:limits_of",
    "console:settings",
]


@pytest.mark.parametrize("page", PAGES)
def test_an_anonymous_visitor_is_asked_to_sign_in_and_comes_back(acme, page):
    address = reverse(page, args=["acme"])
    answer = visitor().get(address)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"/accounts/login/?next={address}"


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_cannot_tell_an_organization_from_one_that_is_not_there(ada, globex, page):
    theirs = ada.get(reverse(page, args=["globex"]))
    nobodys = ada.get(reverse(page, args=["initech"]))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.content == nobodys.content


@pytest.mark.parametrize("action", ["console:key", "console:key_rotate", "console:key_revoke"])
def test_a_key_of_somebody_else_looks_like_one_that_is_not_there(ada, globex, action):
    theirs = inference_key(globex).key
    method = ada.get if action == "console:key" else ada.post
    found = method(reverse(action, args=["acme", theirs.public_id]))
    unknown = method(reverse(action, args=["acme", "key_00000000000000000000000000"]))
    assert found.status_code == unknown.status_code == 404
    assert found.content == unknown.content
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


@pytest.mark.parametrize(
    ("role", "page", "status"),
    [
        (Role.OWNER, "console:key_new", 200),
        (Role.ADMIN, "console:key_new", 200),
        (Role.DEVELOPER, "console:key_new", 200),
        (Role.VIEWER, "console:key_new", 403),
        (Role.VIEWER, "console:keys", 200),
        (Role.BILLING, "console:keys", 403),
        (Role.BILLING, "console:usage", 200),
        (Role.BILLING, "console:statements", 200),
        (Role.DEVELOPER, "console:statements", 403),
    ],
)
def test_a_role_opens_the_pages_of_its_rights(acme, role, page, status):
    answer = visitor(cast.member(acme, role)).get(reverse(page, args=["acme"]))
    assert answer.status_code == status


def test_a_member_without_the_right_is_told_which_role_they_have(viewer):
    assert "Your role in Acme is “Viewer”" in viewer.get("/app/acme/keys/new/").content.decode()


def test_a_member_who_left_is_a_stranger(acme, viewer):
    viewer.get("/app/acme/")
    members.remove(membership=Membership.objects.get(role=Role.VIEWER), actor=cast.SYSTEM)
    assert viewer.get("/app/acme/").status_code == 404


def test_home_goes_to_the_organization_that_was_looked_at_last(acme, globex, owner, ada):
    members.add(organization=globex, user=owner, role=Role.VIEWER, actor=cast.SYSTEM)
    assert ada.get("/app/").headers["location"] == "/app/acme/"
    ada.get("/app/globex/")
    assert ada.get("/app/").headers["location"] == "/app/globex/"


def test_the_menu_offers_the_other_organizations_of_a_person(acme, globex, owner, ada):
    assert "/app/globex/" not in ada.get("/app/acme/").content.decode()
    members.add(organization=globex, user=owner, role=Role.VIEWER, actor=cast.SYSTEM)
    assert "/app/globex/" in ada.get("/app/acme/").content.decode()


def test_somebody_without_an_organization_is_told_what_to_do(db):
    answer = visitor(cast.person("Nemo")).get("/app/")
    assert answer.status_code == 200
    assert "You are in no organization yet" in answer.content.decode()


def test_members_of_a_suspended_organization_are_told(acme, ada):
    organizations.suspend(organization=acme, reason="unpaid", actor=cast.SYSTEM)
    assert "This organization is suspended" in ada.get("/app/acme/").content.decode()


def test_pages_of_an_organization_are_kept_by_no_cache(ada):
    assert "no-store" in ada.get("/app/acme/").headers["cache-control"]
