"""Giving an organisation, a project, a key or a subject its limits. Nobody sets them wider than what is above."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import transaction

from foundation import ids
from foundation.errors import Forbidden, NotFound
from keys import subjects
from keys.effective import HARD, LIFETIME, MODES, PER_REQUEST, RATES, WINDOWS, Limits, excess
from keys.errors import InvalidLimit
from keys.models import ApiKey, LimitFields, Plan, ScopeLimits
from keys.subjects import Subject
from tenants import audit, configuration
from tenants.audit import Actor
from tenants.errors import WiderThanOwn
from tenants.models import Membership, Organization, Project, User

type Target = Organization | Project | ApiKey | Subject

EACH = "each"
LARGEST = 2**31 - 1
"""The highest limit that can be stated; a budget may be larger: 2**63 - 1 nano-dollars."""


def of(row: LimitFields) -> Limits:
    """Return the limits in a plan or in the limits of a scope."""
    return Limits.of(row.__dict__)


def subject(organization: Organization, scope: str, text: str | None) -> Subject:
    """Return a member (by public id), an end customer, a model or an address of an organisation; None is for each.

    Raises InvalidLimit for what cannot be one, and NotFound for somebody who is no member.
    """
    if scope not in subjects.SCOPES:
        raise InvalidLimit(f"A scope is one of {', '.join(subjects.SCOPES)}.", param="scope")
    if text is None:
        return Subject(organization.pk, scope, "")
    if scope == subjects.MEMBER:
        return Subject(organization.pk, scope, _member(organization, text))
    if scope == subjects.ADDRESS:
        try:
            return Subject(organization.pk, scope, subjects.address(text))
        except ValueError as cause:
            raise InvalidLimit("This is no IP address.", param="label") from cause
    if not subjects.is_name(text):
        raise InvalidLimit(f"A {scope} has 1 to {subjects.LONGEST} printable characters.", param="label")
    return Subject(organization.pk, scope, text)


@transaction.atomic
def set_limits(*, target: Target, limits: Limits, actor: Actor, plan: Plan | None = None) -> ScopeLimits:
    """Replace what limits the target; gateways heed it within a second.

    Raises InvalidLimit, WiderThanOwn (`param` names the first limit above that of a parent), NotFound for somebody
    else's plan, and Forbidden for an organisation's limits unless an operator sets them: they are the platform's side.
    """
    check(limits)
    _check_may_write(target, actor)
    organization_id = _organization_id(target)
    if plan is not None and plan.organization_id not in {None, organization_id}:
        raise NotFound
    _check_not_wider(target, limits, plan)
    scope, scope_id = _scope(target)
    row, _ = ScopeLimits.objects.update_or_create(
        organization_id=organization_id,
        scope=scope,
        scope_id=scope_id,
        defaults={**limits.columns(), "plan": plan, "label": _label(target)},
    )
    configuration.bump(organization_id)
    facts: dict[str, Any] = {"plan": plan.public_id if plan else None, "limits": _stated(limits)}
    if isinstance(target, Subject):
        audit.record(actor, "limits.set", row, scope=row.scope, label=row.label, **facts)
    else:
        audit.record(actor, "limits.set", target, **facts)
    return row


def limits_of(target: Target) -> ScopeLimits | None:
    """Return the target's own limits, if it has any."""
    scope, scope_id = _scope(target)
    rows = ScopeLimits.objects.filter(organization_id=_organization_id(target), scope=scope, scope_id=scope_id)
    return rows.select_related("plan").first()


@transaction.atomic
def remove_limits(*, target: Target, actor: Actor) -> None:
    """Take the target's own limits away, and its plan; to a subject what is set for each applies again.

    Limits that are set anew later begin with full budgets. Raises NotFound without any limits, and Forbidden for an
    organisation's unless an operator takes them away.
    """
    _check_may_write(target, actor)
    row = limits_of(target)
    if row is None:
        raise NotFound
    configuration.bump(row.organization_id)
    audit.record(actor, "limits.removed", row, scope=row.scope, label=row.label, limits=_stated(of(row)))
    row.delete()


def check(limits: Limits) -> None:
    """Raise InvalidLimit unless every number can be stored and a budget has a window."""
    for name in (*RATES, "max_output_tokens"):
        value = getattr(limits, name)
        if value is not None and not 0 <= value <= LARGEST:
            raise InvalidLimit(f"A limit is between 0 (blocks) and {LARGEST}; leave it out for none.", param=name)
    if limits.budget_nusd is not None and not 0 <= limits.budget_nusd < 2**63:
        raise InvalidLimit("A budget is not negative.", param="budget_nusd")
    if (limits.budget_nusd is None) != (limits.budget_window is None):
        raise InvalidLimit("A budget has an amount and a window.", param="budget_window")
    if limits.budget_window is not None and limits.budget_window not in WINDOWS:
        raise InvalidLimit(f"A window is one of {', '.join(sorted(WINDOWS))}.", param="budget_window")
    _check_kind_of_budget(limits)


def _check_kind_of_budget(limits: Limits) -> None:
    if limits.budget_mode not in MODES:
        raise InvalidLimit(f"A mode is one of {', '.join(sorted(MODES))}.", param="budget_mode")
    if limits.budget_mode != HARD and limits.budget_window in {None, PER_REQUEST}:
        raise InvalidLimit("A budget that refuses nothing needs a window to count in.", param="budget_mode")
    if limits.budget_carries_over and (limits.budget_nusd or 0) >= 2**62:
        raise InvalidLimit("A budget that carries over is below 2^62 nano-dollars.", param="budget_nusd")
    if limits.budget_carries_over and limits.budget_window in {None, PER_REQUEST, LIFETIME}:
        raise InvalidLimit(
            "Only a budget whose window is followed by another carries over.", param="budget_carries_over"
        )


def _check_may_write(target: Target, actor: Actor) -> None:
    if isinstance(target, Organization) and not actor.is_operator:
        raise Forbidden("Only operators set the limits of an organization.")


def _check_not_wider(target: Target, limits: Limits, plan: Plan | None) -> None:
    parents = list(_above(target))
    # A plan's own budget is the plan maker's business; in all else it must fit, as limits of the target's own must.
    asked = [limits] if plan is None else [limits, _without_budget(of(plan))]
    for wide in (name for request in asked for name in excess(request, parents)):
        raise WiderThanOwn(f"The limit {wide} is wider than the one above it.", param=wide)


def _without_budget(limits: Limits) -> Limits:
    return replace(limits, budget_nusd=None, budget_window=None, budget_mode=HARD, budget_carries_over=False)


def _above(target: Target) -> Iterator[Limits]:
    """Yield what limits the scopes above the target: those of their own, and those of their plans."""
    scopes: list[UUID | None] = []
    if not isinstance(target, Organization):
        scopes.append(target.organization_id)
    if isinstance(target, ApiKey):
        scopes.append(target.project_id)
    rows = ScopeLimits.objects.filter(organization_id=_organization_id(target), scope_id__in=filter(None, scopes))
    for row in rows.select_related("plan"):
        yield of(row)
        if row.plan is not None:
            yield of(row.plan)


def _scope(target: Target) -> tuple[str, UUID]:
    if isinstance(target, Subject):
        return target.scope, target.scope_id
    if isinstance(target, Organization):
        return ScopeLimits.Scope.ORGANIZATION, target.pk
    if isinstance(target, Project):
        return ScopeLimits.Scope.PROJECT, target.pk
    return ScopeLimits.Scope.KEY, target.lineage


def _label(target: Target) -> str:
    return (target.text or EACH) if isinstance(target, Subject) else ""


def _stated(limits: Limits) -> dict[str, object]:
    usual = Limits().columns()
    return {name: value for name, value in limits.columns().items() if value != usual[name]}


def _member(organization: Organization, public_id: str) -> str:
    try:
        user_id = ids.parse(User.PREFIX, public_id)
    except ValueError as cause:
        raise NotFound("There is no such member.", param="label") from cause
    if not Membership.objects.filter(organization=organization, user_id=user_id).exists():
        raise NotFound("There is no such member.", param="label")
    return subjects.member(user_id)


def _organization_id(target: Target) -> UUID:
    return target.pk if isinstance(target, Organization) else target.organization_id
