"""What is spent of budgets in their present windows: for people and programs that look, never for a decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import BigIntegerField, F, Func, QuerySet

from billing.budgets import LIFETIME, PER_REQUEST
from billing.models import BudgetNotice, Purse
from foundation import clock
from tenants.models import Organization

ROLLING = "5h"
# What lies idle in slices is free: it is there for new requests.
IDLE = Func(F("organization_id"), F("id"), function="turnpike_idle", output_field=BigIntegerField())

type Name = tuple[UUID, str]
"""A budget's id and the kind of its window, which name a purse at every instant."""


@dataclass(frozen=True, slots=True)
class Window:
    """What was spent and is reserved, in nano-dollars. Without an end it never ends, or has not begun."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    spent_nusd: int = 0
    held_nusd: int = 0
    carried_nusd: int = 0
    shadow_refused: int = 0
    shadow_refused_nusd: int = 0


def windows(organization: Organization, budgets: Iterable[Name]) -> dict[Name, Window]:
    """Return the present window of each of an organisation's budgets; limits of single requests have none."""
    wanted = {name for name in budgets if name[1] != PER_REQUEST}
    now = clock.now()
    rows = Purse.objects.filter(
        organization_id=organization.pk,
        budget_id__in={budget for budget, _ in wanted},
        starts_at__lte=now,
        ends_at__gt=now,
    ).annotate(in_flight_nusd=F("held_nusd") - IDLE)
    found = {(row.budget_id, row.window): _window(row, row.in_flight_nusd) for row in rows}
    return {name: found.get(name) or _unused(organization, name[1], now) for name in wanted}


def notices(organization: Organization) -> QuerySet[BudgetNotice]:
    """Return the marks that an organisation's budgets have passed, with their purses."""
    return BudgetNotice.objects.for_organization(organization).select_related("purse")


def _window(purse: Purse, held_nusd: int) -> Window:
    return Window(
        starts_at=None if purse.window == LIFETIME else purse.starts_at,
        ends_at=None if purse.window == LIFETIME else purse.ends_at,
        spent_nusd=purse.posted_nusd,
        held_nusd=held_nusd,
        carried_nusd=purse.carried_nusd,
        shadow_refused=purse.shadow_refused,
        shadow_refused_nusd=purse.shadow_refused_nusd,
    )


def _unused(organization: Organization, window: str, now: datetime) -> Window:
    """Say when a window that nothing was spent in began and ends; one that rolls begins with its first use."""
    if window in {ROLLING, LIFETIME}:
        return Window()
    return Window(*bounds(organization, window, now))


def bounds(organization: Organization, window: str, at: datetime) -> tuple[datetime, datetime]:
    """Return when the calendar's window of this kind that contains an instant begins and ends for an organisation."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT starts, ends FROM turnpike_window(%s, %s, %s, %s)",
            [window, at, organization.time_zone, organization.created_at],
        )
        starts, ends = cursor.fetchone()
    return starts, ends
