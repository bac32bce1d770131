"""Signing up, where it is open."""

import html

import pytest

from billing import wallet
from billing.models import Purse
from tenants.models import Membership, Organization, Role, User
from tests.console.cast import PASSWORD, visitor
from tests.tenants import cast

FORM = {
    "name": "Nia",
    "organization": "Initech",
    "email": "nia@initech.example",
    "password1": PASSWORD,
    "password2": PASSWORD,
}


@pytest.fixture
def open_house(settings):
    settings.SIGNUP_OPEN = True


def test_signing_up_is_closed_by_default_and_says_whom_to_ask(db):
    page = html.unescape(visitor().get("/accounts/signup/").content.decode())
    assert "Sign-up is closed here" in page
    assert "operators" in page


def test_nobody_gets_in_by_sending_the_form_all_the_same(db):
    visitor().post("/accounts/signup/", FORM)
    assert not User.objects.exists()


def test_the_way_to_sign_up_is_shown_only_where_there_is_one(db, settings):
    assert "/accounts/signup/" not in visitor().get("/accounts/login/").content.decode()
    settings.SIGNUP_OPEN = True
    assert "/accounts/signup/" in visitor().get("/accounts/login/").content.decode()


def test_somebody_new_owns_an_organization_with_an_empty_wallet(db, open_house):
    someone = visitor()
    assert someone.post("/accounts/signup/", FORM).headers["location"] == "/app/"
    membership = Membership.objects.get(user__email="nia@initech.example")
    assert membership.user.name == "Nia"
    assert membership.role == Role.OWNER
    assert membership.organization.slug == "initech"
    assert Purse.objects.filter(id=membership.organization_id).exists()
    assert wallet.balance(membership.organization_id).posted_nusd == 0
    assert someone.get("/app/initech/").status_code == 200


def test_a_name_that_is_taken_gets_another_short_name(db, open_house):
    cast.organization("Initech")
    visitor().post("/accounts/signup/", FORM)
    slugs = set(Organization.objects.values_list("slug", flat=True))
    assert len(slugs) == 2
    assert all(slug.startswith("initech") for slug in slugs)


@pytest.mark.parametrize("name", ["株式会社", "--", "!!!"])
def test_a_name_that_makes_no_short_name_gets_one_all_the_same(db, open_house, name):
    visitor().post("/accounts/signup/", {**FORM, "organization": name})
    assert Organization.objects.get().name == name


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"organization": " "}, "This field is required"),
        ({"organization": "a\x07b"}, "printable characters"),
        ({"password1": "short", "password2": "short"}, "at least 12 characters"),
        ({"password2": "something-else-entirely"}, "same password"),
        ({"email": "nonsense"}, "valid email"),
    ],
)
def test_a_mistake_makes_neither_user_nor_organization(db, open_house, fields, problem):
    answer = visitor().post("/accounts/signup/", {**FORM, **fields})
    assert problem in html.unescape(answer.content.decode())
    assert not User.objects.exists()
    assert not Organization.objects.exists()


def test_an_address_has_one_account_whatever_its_case(db, open_house):
    User.objects.create_user("nia@initech.example", PASSWORD)
    visitor().post("/accounts/signup/", {**FORM, "email": "NIA@initech.example"})
    assert User.objects.count() == 1
    assert not Organization.objects.exists()
