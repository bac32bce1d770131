"""Organizations: one's own for members and keys, every one for operators."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission

from billing import wallet
from foundation import ids
from tenants.models import AuditEvent, Membership, Organization, Project
from tests.api.world import Asking, error
from tests.keys import cast as keys
from tests.tenants import cast

NEW = {"name": "Initech", "slug": "initech", "time_zone": "Europe/Berlin"}


@pytest.fixture
def operator(db) -> Asking:
    """A signed-in operator."""
    return Asking(user=cast.person("Root", is_staff=True, is_superuser=True))


@pytest.fixture
def platform_key(acme) -> Asking:
    """An operators' program."""
    return Asking(key=keys.management_key(acme.organization, "platform").secret)


def test_an_organization_is_shown_by_its_public_facts(acme, by_key):
    assert by_key.get(f"organizations/{acme.organization.public_id}") == {
        "id": acme.organization.public_id,
        "name": "Acme",
        "slug": "acme",
        "status": "active",
        "time_zone": "UTC",
        "allowed_origins": [],
        "created_at": acme.organization.created_at.isoformat().replace("+00:00", "Z"),
    }


@pytest.mark.parametrize("who", ["operator", "platform_key"])
def test_operators_make_organizations_that_can_be_used(who, acme, request):
    asking = request.getfixturevalue(who)
    answer = asking("POST", "organizations", NEW | {"owner_email": "OWNER-acme@example.com"})
    assert answer.status_code == 201, answer.content
    made = Organization.objects.get(slug="initech")
    assert answer.json()["id"] == made.public_id
    assert (made.time_zone, Project.objects.get(organization=made).slug) == ("Europe/Berlin", "default")
    assert Membership.objects.get(organization=made).user == acme.owner
    # Only an organization with a wallet can be given credit.
    wallet.credit(organization_id=made.pk, amount_nusd=5, reference="x", memo="", actor=cast.SYSTEM)


def test_staff_need_the_permission_of_the_admin(acme):
    user = cast.person("Support", is_staff=True)
    assert Asking(user=user)("POST", "organizations", NEW).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="add_organization"))
    assert Asking(user=user)("POST", "organizations", NEW).status_code == 201
    assert Asking(user=user).get("organizations")["data"] == []


@pytest.mark.parametrize("who", ["owner", "key"])
def test_nobody_else_makes_organizations(who, acme, by_key):
    asking = Asking(user=acme.owner) if who == "owner" else by_key
    answer = asking("POST", "organizations", NEW)
    assert (answer.status_code, error(answer)["code"]) == (403, "forbidden")
    assert not Organization.objects.filter(slug="initech").exists()


def test_an_owner_is_somebody_with_an_account(operator):
    answer = operator("POST", "organizations", NEW | {"owner_email": "nobody@example.com"})
    assert (answer.status_code, error(answer)["param"]) == (404, "owner_email")
    assert not Organization.objects.filter(slug="initech").exists()


def test_a_slug_is_taken_once(acme, operator):
    answer = operator("POST", "organizations", NEW | {"slug": "acme"})
    assert (answer.status_code, error(answer)["code"], error(answer)["param"]) == (409, "slug_taken", "slug")


@pytest.mark.parametrize("who", ["operator", "platform_key"])
def test_founding_twice_under_one_key_founds_once(who, acme, request):
    asking = request.getfixturevalue(who)
    first = asking("POST", "organizations", NEW, idempotency_key="a")
    assert first.status_code == 201
    assert asking("POST", "organizations", NEW, idempotency_key="a").content == first.content
    assert error(asking("POST", "organizations", NEW | {"name": "X"}, idempotency_key="a"))["code"].startswith("idem")


@pytest.mark.parametrize("who", ["operator", "platform_key"])
def test_operators_see_and_manage_every_organization(who, acme, globex, request):
    asking = request.getfixturevalue(who)
    assert {row["slug"] for row in asking.get("organizations")["data"]} == {"acme", "globex"}
    assert asking.get(f"organizations/{globex.organization.public_id}")["slug"] == "globex"
    asking.headers["x-turnpike-organization"] = globex.organization.public_id
    body = {"name": "By operators", "project": globex.project.public_id}
    assert asking("POST", "keys", body).status_code == 201
    asking.headers["x-turnpike-organization"] = ids.public("org", ids.uuid7())
    assert asking("GET", "keys").status_code == 404


def test_only_operators_hand_out_the_scope_of_operators(acme, by_key, platform_key):
    body = {"name": "Root", "kind": "management", "scopes": ["platform"]}
    for who in (by_key, Asking(user=acme.owner)):
        answer = who("POST", "keys", body)
        assert (answer.status_code, error(answer)["code"]) == (403, "forbidden")
    assert platform_key("POST", "keys", body).status_code == 201


def test_an_owner_does_not_get_at_operators_rights_by_rotating(acme, platform_key, by_key):
    [key] = by_key.get("keys?kind=management&limit=1")["data"]
    assert key["scopes"] == ["platform"]
    assert by_key("POST", f"keys/{key['id']}/rotate").status_code == 403


def test_a_change_is_made_by_somebody_and_audited(acme):
    path = f"organizations/{acme.organization.public_id}"
    answer = Asking(user=acme.owner)("PATCH", path, {"name": " Acme Ltd ", "time_zone": "Asia/Tokyo"})
    assert (answer.json()["name"], answer.json()["time_zone"]) == ("Acme Ltd", "Asia/Tokyo")
    actions = AuditEvent.objects.filter(actor_label=acme.owner.email).values_list("action", flat=True)
    assert set(actions) == {"organization.renamed", "organization.time_zone_changed"}


def test_origins_are_replaced_as_a_whole(acme):
    path, owner = f"organizations/{acme.organization.public_id}", Asking(user=acme.owner)
    owner("PATCH", path, {"allowed_origins": ["https://a.test", "https://b.test"]})
    answer = owner("PATCH", path, {"allowed_origins": ["https://b.test"]})
    assert (answer.status_code, answer.json()["allowed_origins"]) == (200, ["https://b.test"])
    refused = owner("PATCH", path, {"allowed_origins": ["https://b.test/page"]})
    assert (refused.status_code, error(refused)["param"]) == (400, "allowed_origins")
    assert owner.get(path)["allowed_origins"] == ["https://b.test"]


def test_a_person_of_none_sees_an_empty_list(db):
    assert Asking(user=cast.person()).get("organizations") == {"data": [], "next_cursor": None}
