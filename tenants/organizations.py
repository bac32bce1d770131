"""Changing an organisation: its name, time zone and origins by its people, its standing by operators."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from tenants import audit, configuration, naming
from tenants.audit import Actor
from tenants.models import Organization


@transaction.atomic
def rename(*, organization: Organization, name: str, actor: Actor) -> None:
    """Give it another name; the slug stays, links depend on it."""
    before, organization.name = organization.name, naming.name(name)
    organization.save(update_fields=["name"])
    audit.record(actor, "organization.renamed", organization, before=before, after=organization.name)


@transaction.atomic
def move_to_time_zone(*, organization: Organization, time_zone: str, actor: Actor) -> None:
    """Let days, weeks and months of budgets turn over at another midnight."""
    before, organization.time_zone = organization.time_zone, naming.time_zone(time_zone)
    organization.save(update_fields=["time_zone"])
    configuration.bump(organization.pk)
    audit.record(actor, "organization.time_zone_changed", organization, before=before, after=time_zone)


@transaction.atomic
def allow_origins(*, organization: Organization, origins: Iterable[str], actor: Actor) -> None:
    """Let scripts of these web pages, and of no others, read what its keys are answered."""
    before, organization.allowed_origins = organization.allowed_origins, naming.origins(origins)
    organization.save(update_fields=["allowed_origins"])
    configuration.bump(organization.pk)
    after = organization.allowed_origins
    audit.record(actor, "organization.origins_changed", organization, before=before, after=after)


@transaction.atomic
def suspend(*, organization: Organization, reason: str, actor: Actor) -> None:
    """Stop all its keys from the next request on. Suspending it again changes nothing."""
    if _move(organization, Organization.Status.ACTIVE, Organization.Status.SUSPENDED):
        audit.record(actor, "organization.suspended", organization, reason=reason)


@transaction.atomic
def resume(*, organization: Organization, reason: str, actor: Actor) -> None:
    """Let its keys work again. Resuming an active one changes nothing."""
    if _move(organization, Organization.Status.SUSPENDED, Organization.Status.ACTIVE):
        audit.record(actor, "organization.resumed", organization, reason=reason)


def _move(organization: Organization, before: Organization.Status, after: Organization.Status) -> bool:
    if not Organization.objects.filter(pk=organization.pk, status=before).update(status=after):
        return False
    organization.status = after
    configuration.bump(organization.pk)
    return True
