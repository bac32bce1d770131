"""What the tables themselves insist on."""

import pytest
from django.contrib.auth import authenticate
from django.db import IntegrityError

from foundation import ids
from tenants.models import Membership, Organization, Project, User
from tests.tenants import cast


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@example.com"])
def test_an_address_is_unique_in_any_case(db, email):
    cast.person("Ada")
    with pytest.raises(IntegrityError, match="user_email"):
        User(email=email).save()


def test_a_person_is_found_by_their_address_in_any_case(db):
    ada = cast.person("Ada")
    assert User.objects.get_by_natural_key("ADA@Example.com") == ada


def test_a_person_signs_in_with_address_and_password(rf, db):
    ada = cast.person("Ada", password="correct horse battery")
    sign_in = {"username": "Ada@example.com", "password": "correct horse battery"}
    assert authenticate(rf.post("/accounts/login/"), **sign_in) == ada


def test_a_person_without_a_password_cannot_sign_in_by_one(db):
    assert not cast.person("Ada").has_usable_password()


def test_a_person_needs_an_address(db):
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("")


def test_a_superuser_is_an_operator(db):
    root = User.objects.create_superuser("root@example.com", "a long password")
    assert root.is_staff
    assert root.is_superuser


def test_people_are_greeted_by_name_or_address():
    assert User(email="ada@example.com", name="Ada Lovelace").get_short_name() == "Ada"
    assert User(email="ada@example.com").get_short_name() == "ada"
    assert User(email="ada@example.com", name="  ").get_full_name() == "ada@example.com"


@pytest.mark.parametrize(
    ("model", "prefix"), [(User, "user"), (Organization, "org"), (Project, "proj"), (Membership, "mbr")]
)
def test_public_ids_are_prefixed_and_can_be_read_back(model, prefix):
    row = model()
    assert row.public_id.startswith(f"{prefix}_")
    assert ids.parse(prefix, row.public_id) == row.pk


@pytest.mark.parametrize("slug", ["", "Acme", "a b", "-a"])
def test_the_database_refuses_a_slug_that_is_none(db, slug):
    with pytest.raises(IntegrityError, match="organization_slug_is_lower_case_words"):
        Organization.objects.create(name="Acme", slug=slug)


def test_the_database_refuses_a_role_that_is_none(acme):
    with pytest.raises(IntegrityError, match="membership_role_is_known"):
        Membership.objects.create(organization=acme, user=cast.person(), role="root")
