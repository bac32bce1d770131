"""Joining, changing role and leaving; nobody grants a role wider than their own."""

import threading

import pytest
from django.db import connection

from tenants import isolation, members
from tenants.audit import Actor
from tenants.errors import AlreadyMember, LastOwner, WiderThanOwn
from tenants.models import AuditEvent, Membership, Role
from tests.tenants import cast


def actor(of, role: Role) -> Actor:
    return Actor.of_user(cast.member(of, role))


def seat(user) -> Membership:
    return Membership.objects.get(user=user)


def test_a_person_is_taken_in_and_that_is_audited(acme):
    ada, owner = cast.person("Ada"), actor(acme, Role.OWNER)
    membership = members.add(organization=acme, user=ada, role=Role.DEVELOPER, actor=owner)
    event = AuditEvent.objects.get(action="member.added", target_id=membership.public_id)
    assert event.facts == {"user": ada.public_id, "role": "developer"}
    assert event.actor_id == owner.id


def test_a_person_is_a_member_once(acme):
    ada = cast.member(acme, Role.VIEWER)
    with pytest.raises(AlreadyMember):
        members.add(organization=acme, user=ada, role=Role.ADMIN, actor=cast.SYSTEM)


@pytest.mark.parametrize(
    ("own", "granted"),
    [
        (Role.ADMIN, Role.OWNER),
        (Role.ADMIN, Role.BILLING),
        (Role.DEVELOPER, Role.ADMIN),
        (Role.BILLING, Role.DEVELOPER),
        (Role.VIEWER, Role.BILLING),
    ],
)
def test_nobody_grants_a_role_wider_than_their_own(acme, own, granted):
    with pytest.raises(WiderThanOwn):
        members.add(organization=acme, user=cast.person(), role=granted, actor=actor(acme, own))


@pytest.mark.parametrize(
    ("own", "granted"),
    [(Role.OWNER, Role.OWNER), (Role.ADMIN, Role.ADMIN), (Role.ADMIN, Role.DEVELOPER), (Role.DEVELOPER, Role.VIEWER)],
)
def test_a_role_as_wide_as_ones_own_can_be_granted(acme, own, granted):
    assert members.add(organization=acme, user=cast.person(), role=granted, actor=actor(acme, own)).role == granted


def test_an_owner_elsewhere_grants_nothing_here(acme, globex):
    with pytest.raises(WiderThanOwn):
        members.add(organization=acme, user=cast.person(), role=Role.VIEWER, actor=actor(globex, Role.OWNER))


def test_a_role_is_changed(acme):
    membership = seat(cast.member(acme, Role.VIEWER))
    members.change_role(membership=membership, role=Role.ADMIN, actor=actor(acme, Role.OWNER))
    membership.refresh_from_db()
    assert membership.role == Role.ADMIN
    assert AuditEvent.objects.get(action="member.role_changed").facts == {"before": "viewer", "after": "admin"}


def test_an_admin_cannot_demote_an_owner(acme):
    cast.member(acme, Role.OWNER, "first")
    owner = seat(cast.member(acme, Role.OWNER, "second"))
    with pytest.raises(WiderThanOwn):
        members.change_role(membership=owner, role=Role.VIEWER, actor=actor(acme, Role.ADMIN))


def test_the_last_owner_cannot_be_demoted_not_even_by_the_platform(acme):
    with pytest.raises(LastOwner):
        members.change_role(membership=seat(cast.member(acme, Role.OWNER)), role=Role.ADMIN, actor=cast.SYSTEM)


def test_the_last_owner_cannot_leave(acme):
    ada = cast.member(acme, Role.OWNER)
    with pytest.raises(LastOwner):
        members.remove(membership=seat(ada), actor=Actor.of_user(ada))


def test_a_viewer_can_leave(acme):
    ada = cast.member(acme, Role.VIEWER)
    members.remove(membership=seat(ada), actor=Actor.of_user(ada))
    assert not Membership.objects.filter(user=ada).exists()
    assert AuditEvent.objects.get(action="member.removed").facts == {"user": ada.public_id, "role": "viewer"}


def test_nobody_removes_a_member_with_more_rights(acme):
    cast.member(acme, Role.OWNER, "first")
    with pytest.raises(WiderThanOwn):
        members.remove(membership=seat(cast.member(acme, Role.OWNER, "second")), actor=actor(acme, Role.ADMIN))


def test_a_person_finds_all_their_organizations_without_a_scope(acme, globex):
    ada = cast.member(acme, Role.OWNER, "Ada")
    members.add(organization=globex, user=ada, role=Role.VIEWER, actor=cast.SYSTEM)
    cast.leave_scope()
    assert [(found.organization.name, found.role) for found in members.of_user(ada)] == [
        ("Acme", "owner"),
        ("Globex", "viewer"),
    ]


def test_two_owners_cannot_each_remove_the_other(fresh_database):
    with isolation.everything():
        acme = cast.organization()
        owners = [cast.member(acme, Role.OWNER, name) for name in ("Ada", "Bob")]
        seats = [seat(owner) for owner in owners]

    def remove(membership: Membership, by: Actor) -> None:
        try:
            with isolation.scope_to(acme.pk):
                members.remove(membership=membership, actor=by)
        except (LastOwner, WiderThanOwn, Membership.DoesNotExist):
            pass
        finally:
            connection.close()

    pairs = zip(seats, reversed([Actor.of_user(owner) for owner in owners]), strict=True)
    threads = [threading.Thread(target=remove, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with isolation.everything():
        assert Membership.objects.filter(role=Role.OWNER).count() == 1
