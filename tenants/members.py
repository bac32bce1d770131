"""People in an organisation: joining, changing role, leaving. Nobody grants a role wider than their own."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from tenants import audit, authority, isolation, roles
from tenants.audit import Actor
from tenants.errors import AlreadyMember, LastOwner
from tenants.models import Membership, Organization, Role, User


def of_user(user: User) -> list[Membership]:
    """Return a person's memberships with their organisations, in all tenants: what signing in has to offer."""
    with isolation.everything():
        return list(Membership.objects.filter(user=user).select_related("organization").order_by("organization__name"))


@transaction.atomic
def add(*, organization: Organization, user: User, role: Role, actor: Actor) -> Membership:
    """Take a person into the organisation. Raises WiderThanOwn and AlreadyMember."""
    authority.check_not_wider(actor, organization, roles.rights(role))
    membership = Membership(organization=organization, user=user, role=role)
    try:
        with transaction.atomic():
            membership.save(force_insert=True)
    except IntegrityError as cause:
        raise AlreadyMember from cause
    audit.record(actor, "member.added", membership, user=user.public_id, role=role)
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role, actor: Actor) -> None:
    """Give a member another role. Raises WiderThanOwn, for the old role as for the new one, and LastOwner."""
    current = _lock(membership)
    authority.check_not_wider(actor, membership.organization, roles.rights(role) | roles.rights(current.role))
    if current.role == role:
        return
    _check_not_last_owner(current)
    Membership.objects.filter(pk=current.pk).update(role=role)
    membership.role = role
    audit.record(actor, "member.role_changed", membership, before=current.role, after=role)


@transaction.atomic
def remove(*, membership: Membership, actor: Actor) -> None:
    """Let a member go; people may always leave by themselves. Raises WiderThanOwn and LastOwner."""
    current = _lock(membership)
    if actor.user_id != current.user_id:
        authority.check_not_wider(actor, membership.organization, roles.rights(current.role))
    _check_not_last_owner(current)
    audit.record(actor, "member.removed", membership, user=current.user.public_id, role=current.role)
    current.delete()


def _lock(membership: Membership) -> Membership:
    # One change of members at a time in an organisation, or two owners could each remove the other.
    Organization.objects.select_for_update(no_key=True).get(pk=membership.organization_id)
    return Membership.objects.select_related("user").get(pk=membership.pk, organization_id=membership.organization_id)


def _check_not_last_owner(membership: Membership) -> None:
    owners = Membership.objects.for_organization(membership.organization).filter(role=Role.OWNER)
    if membership.role == Role.OWNER and not owners.exclude(pk=membership.pk).exists():
        raise LastOwner
