"""How an organisation comes to be."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from tenants import audit, isolation, naming
from tenants.audit import Actor
from tenants.errors import SlugTaken
from tenants.models import Membership, Organization, Project, Role, User


@transaction.atomic
def found_organization(
    *, name: str, slug: str, actor: Actor, owner: User | None = None, time_zone: str = "UTC"
) -> Organization:
    """Make an organisation with a default project and, if given, its first owner. Raises InvalidName and SlugTaken."""
    organization = Organization(name=naming.name(name), slug=naming.slug(slug), time_zone=naming.time_zone(time_zone))
    with isolation.scope_to(organization.pk):
        _save(organization)
        Project.objects.create(organization=organization, name="Default", slug="default")
        if owner is not None:
            Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
        audit.record(actor, "organization.founded", organization, owner=owner.public_id if owner else None)
    return organization


def _save(organization: Organization) -> None:
    # The name, slug and status were checked: what is left to violate is the slug's uniqueness.
    try:
        with transaction.atomic():
            organization.save(force_insert=True)
    except IntegrityError as cause:
        raise SlugTaken(param="slug") from cause
