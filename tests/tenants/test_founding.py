"""How an organisation comes to be."""

import pytest

from tenants import founding, isolation
from tenants.errors import InvalidName, SlugTaken
from tenants.models import AuditEvent, Membership, Organization, Role
from tests.tenants import cast


def test_an_organization_starts_with_a_default_project(acme):
    assert list(acme.projects.values_list("name", "slug")) == [("Default", "default")]
    assert (acme.status, acme.time_zone, acme.config_version) == ("active", "UTC", 1)


def test_whoever_founds_it_owns_it(db):
    ada = cast.person("Ada")
    acme = cast.organization(owner=ada)
    assert Membership.objects.get(organization=acme).user == ada
    assert Membership.objects.get(organization=acme).role == Role.OWNER


def test_founding_is_audited(acme):
    event = AuditEvent.objects.get(organization=acme)
    assert (event.action, event.target_id, event.actor_label) == ("organization.founded", acme.public_id, "tests")


def test_founding_needs_no_scope_and_leaves_none(db):
    cast.leave_scope()
    cast.organization()
    assert isolation.current() == ""


def test_a_slug_is_taken_once_in_the_whole_platform(acme):
    with isolation.scope_to(acme.pk), pytest.raises(SlugTaken) as caught:
        cast.organization("ACME")
    assert caught.value.param == "slug"
    assert Organization.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "param"), [({"name": " "}, "name"), ({"slug": "A B"}, "slug"), ({"time_zone": "Mars/Base"}, "time_zone")]
)
def test_nonsense_is_refused(db, change, param):
    wanted = {"name": "Acme", "slug": "acme", "time_zone": "UTC"} | change
    with pytest.raises(InvalidName) as caught:
        founding.found_organization(**wanted, actor=cast.SYSTEM)
    assert caught.value.param == param
