"""Monthly statements: what an organization began with, what came in, what it used, what it was left with.

Nothing is stored: a statement is a reading of the ledger (`migrations/sql/0003_statements.sql`) and of its sub-ledger,
the usage records. `verify_ledger` proves that they agree, and that each month opens with what the last one closed with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from billing.models import UsageRecord
from foundation.errors import NotFound
from foundation.ids import lowest_at
from tenants.models import Organization

STATEMENTS = "SELECT * FROM turnpike_statements(%s, %s) ORDER BY month DESC"
# A request is settled at most so long after it began; its id says when that was.
LONGEST_REQUEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Statement:
    """One month of an organization's time zone, in nano-dollars. Usage is negative: it is taken from the wallet."""

    month: date
    starts_at: datetime
    ends_at: datetime
    opening_nusd: int
    credits_nusd: int
    usage_nusd: int
    corrections_nusd: int
    closing_nusd: int

    @property
    def name(self) -> str:
        """The month as addresses have it: `2026-11`."""
        return f"{self.month:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Line:
    """What the charged requests of one model used, and what they cost in nano-dollars."""

    model: str
    requests: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_nusd: int


def of(organization: Organization) -> list[Statement]:
    """Return all statements, the newest first; the first one is of the month that is under way."""
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS, [organization.pk, organization.time_zone])
        return [Statement(*row) for row in cursor.fetchall()]


def one(organization: Organization, name: str) -> Statement:
    """Return the statement of a month such as `2026-11`. Raises `NotFound`."""
    found = next((statement for statement in of(organization) if statement.name == name), None)
    if found is None:
        raise NotFound("There is no statement of this month.")
    return found


def usage(organization: Organization, statement: Statement) -> list[Line]:
    """Return the usage that a statement sums up, by model, the dearest first."""
    charged = UsageRecord.objects.filter(
        organization_id=organization.pk,
        request_id__gte=lowest_at(statement.starts_at - LONGEST_REQUEST),
        at__gte=statement.starts_at,
        at__lt=statement.ends_at,
        cost_nusd__gt=0,
    )
    sums: Any = charged.values("model").annotate(
        requests=Count("request_id"),
        prompt=Sum("prompt_tokens"),
        cached=Sum("cached_tokens"),
        completion=Sum("completion_tokens"),
        cost=Sum("cost_nusd"),
    )
    return [
        Line(row["model"], row["requests"], row["prompt"], row["cached"], row["completion"], int(row["cost"]))
        for row in sums.order_by("-cost", "model")
    ]
