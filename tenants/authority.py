"""Who may do what in which organisation: asked at the edges, and wherever somebody hands out rights."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from foundation.errors import Forbidden, NotFound
from tenants import isolation, roles
from tenants.audit import Actor
from tenants.errors import WiderThanOwn
from tenants.models import Membership, Organization, User
from tenants.roles import Right


def enter(*, user: User, organization_id: UUID, right: Right) -> Membership:
    """Find the person's membership, check the right, and see that organisation's rows until the transaction ends.

    Raises NotFound for a stranger, as for an organisation that does not exist, and Forbidden for a member without the
    right. Needs an open transaction.
    """
    with isolation.everything():
        memberships = Membership.objects.filter(organization_id=organization_id, user=user).select_related(
            "organization"
        )
        membership = memberships.first()
    if membership is None or not user.is_active:
        raise NotFound
    if not roles.allows(membership.role, right):
        raise Forbidden
    isolation.enter(organization_id)
    return membership


def held(actor: Actor, organization: Organization) -> frozenset[Right]:
    """Return what the actor may do in this organisation."""
    if actor.organization_id not in {None, organization.pk}:
        return frozenset()
    if actor.rights is not None:
        return actor.rights
    if actor.user_id is None:
        return frozenset()
    memberships = Membership.objects.for_organization(organization)
    membership = memberships.filter(user_id=actor.user_id).first()
    return roles.rights(membership.role) if membership else frozenset()


def check_not_wider(actor: Actor, organization: Organization, granted: Iterable[Right]) -> None:
    """Raise WiderThanOwn if the actor would hand out a right that they do not hold themselves."""
    if excess := set(granted) - held(actor, organization):
        raise WiderThanOwn(f"You cannot grant what you may not do yourself: {', '.join(sorted(excess))}.")
