"""Budgets as the pages show them: how much of them is spent, and what is left until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from console.access import Place
from inference.limits import spending
from inference.limits.spending import Spending
from keys import limiting, scopes, subjects
from keys.models import ApiKey, ScopeLimits
from tenants.models import Organization
from tenants.roles import Right

_SHOWN_TO = {Right.KEYS_READ, Right.BILLING_READ}


@dataclass(frozen=True, slots=True)
class Meter:
    """One budget; `name` says whose it is."""

    name: str
    spending: Spending


def of_key(key: ApiKey) -> list[Meter]:
    """Return the budgets of a key by itself."""
    row = limiting.limits_of(key)
    return [] if row is None else [Meter(key.name, one) for one in spending.of(key.organization, [scopes.of(row)])[0]]


def of_organization(place: Place) -> list[Meter]:
    """Return the budgets of the organisation and of its projects, to those who may see limits or money."""
    if not place.rights & _SHOWN_TO:
        return []
    wanted = [ScopeLimits.Scope.ORGANIZATION, ScopeLimits.Scope.PROJECT]
    rows = ScopeLimits.objects.for_organization(place.organization).filter(scope__in=wanted)
    found = list(rows.select_related("plan").order_by("scope", "pk"))
    return of_rows(place.organization, found, scopes.names(place.organization, [row.pk for row in found]))


def of_rows(organization: Organization, rows: Sequence[ScopeLimits], names: Mapping[UUID, str]) -> list[Meter]:
    """Return the budgets in these rows, read together. In one for each, everybody has a budget of their own."""
    single = [row for row in rows if row.scope_id != subjects.EACH]
    budgets = spending.of(organization, [scopes.of(row) for row in single])
    return [Meter(names[row.pk], one) for row, many in zip(single, budgets, strict=True) for one in many]
