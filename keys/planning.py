"""Plans: limits under a name. The platform's are made by operators, an organisation may make its own."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from foundation.errors import Forbidden
from keys import limiting
from keys.effective import Limits
from keys.models import Plan, ScopeLimits
from tenants import audit, configuration, naming
from tenants.audit import Actor
from tenants.errors import SlugTaken
from tenants.models import Organization


def offered_to(organization: Organization) -> QuerySet[Plan]:
    """Return the plans that an organisation may give: the platform's and its own."""
    return Plan.objects.filter(Q(organization=organization) | Q(organization=None))


@transaction.atomic
def create(*, name: str, slug: str, limits: Limits, actor: Actor, organization: Organization | None = None) -> Plan:
    """Make a plan: of an organisation, or without one of the platform. Raises InvalidLimit, InvalidName, SlugTaken."""
    _check_may_write(organization.pk if organization else None, actor)
    limiting.check(limits)
    plan = Plan(organization=organization, name=naming.name(name), slug=naming.slug(slug), **limits.columns())
    try:
        with transaction.atomic():
            plan.save(force_insert=True)
    except IntegrityError as cause:
        raise SlugTaken(param="slug") from cause
    audit.record(actor, "plan.created", plan, limits=_stated(limits))
    return plan


@transaction.atomic
def rename(*, plan: Plan, name: str, actor: Actor) -> None:
    """Give a plan another name; the slug stays. Raises InvalidName."""
    _check_may_write(plan.organization_id, actor)
    before, plan.name = plan.name, naming.name(name)
    plan.save(update_fields=["name"])
    audit.record(actor, "plan.renamed", plan, before=before, after=plan.name)


@transaction.atomic
def change(*, plan: Plan, limits: Limits, actor: Actor) -> None:
    """Give a plan other limits; everybody who has it gets them at once."""
    _check_may_write(plan.organization_id, actor)
    limiting.check(limits)
    before = limiting.of(plan)
    for column, value in limits.columns().items():
        setattr(plan, column, value)
    plan.save(update_fields=list(limits.columns()))
    # In one order everywhere, so that two changes at once do not lock each other out.
    having = ScopeLimits.objects.filter(plan=plan).values_list("organization_id", flat=True)
    for organization_id in sorted(set(having)):
        configuration.bump(organization_id)
    audit.record(actor, "plan.changed", plan, before=_stated(before), after=_stated(limits))


def _check_may_write(organization_id: object, actor: Actor) -> None:
    if organization_id is None and not actor.is_operator:
        raise Forbidden("Only operators change the platform's plans.")


def _stated(limits: Limits) -> dict[str, object]:
    usual = Limits().columns()
    return {name: value for name, value in limits.columns().items() if value != usual[name]}
