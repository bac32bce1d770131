"""Who may do what in which organisation: a stranger gets 404, a member without the right 403."""

import pytest
from django.db import transaction

from foundation.errors import Forbidden, NotFound
from foundation.ids import uuid7
from tenants import authority, isolation, roles
from tenants.audit import Actor
from tenants.errors import WiderThanOwn
from tenants.models import Organization, Role
from tenants.roles import ALL, Right
from tests.tenants import cast


def test_a_member_with_the_right_enters(acme, globex):
    ada = cast.member(acme, Role.DEVELOPER)
    cast.leave_scope()
    membership = authority.enter(user=ada, organization_id=acme.pk, right=Right.KEYS_MANAGE)
    assert (membership.organization, membership.role) == (acme, Role.DEVELOPER)
    assert list(Organization.objects.all()) == [acme]


def test_a_member_without_the_right_is_refused_and_sees_nothing(acme):
    viewer = cast.member(acme, Role.VIEWER)
    cast.leave_scope()
    with pytest.raises(Forbidden), transaction.atomic():
        authority.enter(user=viewer, organization_id=acme.pk, right=Right.KEYS_MANAGE)
    assert isolation.current() == ""


def test_a_stranger_cannot_tell_an_organization_from_none(acme, globex):
    stranger = cast.member(globex, Role.OWNER)
    with pytest.raises(NotFound) as there:
        authority.enter(user=stranger, organization_id=acme.pk, right=Right.ORGANIZATION_READ)
    with pytest.raises(NotFound) as nowhere:
        authority.enter(user=stranger, organization_id=uuid7(), right=Right.ORGANIZATION_READ)
    assert there.value.message == nowhere.value.message


def test_a_deactivated_person_is_a_stranger(acme):
    ada = cast.member(acme, Role.OWNER)
    ada.is_active = False
    with pytest.raises(NotFound):
        authority.enter(user=ada, organization_id=acme.pk, right=Right.ORGANIZATION_READ)


@pytest.mark.parametrize("role", list(Role))
def test_a_person_holds_the_rights_of_their_role_here(acme, globex, role):
    actor = Actor.of_user(cast.member(acme, role))
    assert authority.held(actor, acme) == roles.rights(role)
    assert authority.held(actor, globex) == frozenset()


def test_a_superuser_and_the_platform_hold_everything_everywhere(acme):
    root = cast.person("Root", is_superuser=True)
    assert authority.held(Actor.of_user(root), acme) == ALL
    assert authority.held(cast.SYSTEM, acme) == ALL


def test_a_key_holds_its_scopes_in_its_own_organization_only(acme, globex):
    actor = Actor.of_key(public_id="key_1", label="CI", scopes=["keys.read"], organization_id=acme.pk)
    assert authority.held(actor, acme) == {Right.KEYS_READ}
    assert authority.held(actor, globex) == frozenset()


def test_somebody_unheard_of_holds_nothing(acme):
    assert authority.held(Actor("system", "", "ghost"), acme) == frozenset()


def test_what_is_granted_must_be_held(acme):
    actor = Actor.of_user(cast.member(acme, Role.DEVELOPER))
    authority.check_not_wider(actor, acme, [Right.KEYS_READ, Right.KEYS_MANAGE])
    with pytest.raises(WiderThanOwn, match=r"audit\.read, billing\.read"):
        authority.check_not_wider(actor, acme, [Right.KEYS_READ, Right.BILLING_READ, Right.AUDIT_READ])
