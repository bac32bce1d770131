"""The operators' start page: how much money is held, what goes on, what is up, and what needs somebody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncHour
from django.http import HttpRequest
from django.urls import reverse
from redis.exceptions import RedisError

from billing.models import Purse, UsageRecord
from foundation import clock, money
from foundation.ids import lowest_at
from inference import offers
from inference.models import Pool, Replica
from inference.usage import FAILED

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOST_CONCERNS = 8
LATEST = 8


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and what it means."""

    title: str
    value: str
    note: str
    link: str
    alarming: bool = False


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that an operator should look at."""

    text: str
    link: str


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the page shows; called by the theme, inside of the operator's scope."""
    now = clock.now()
    context |= {
        "figures": [_balance(), _in_flight(), _requests(now), _replicas()],
        "concerns": list(_concerns())[:MOST_CONCERNS],
        "chart": json.dumps(_traffic(now)),
        "chart_options": json.dumps(CHART_OPTIONS),
        "latest": UsageRecord.objects.select_related("organization").order_by("-request_id")[:LATEST],
    }
    return context


def _balance() -> Figure:
    wallets = Purse.objects.filter(kind=Purse.Kind.WALLET)
    sums = wallets.aggregate(posted=Sum("posted_nusd"), wallets=Count("pk"))
    note = f"in {sums['wallets']} wallets" if sums["wallets"] != 1 else "in one wallet"
    return Figure("Balance held", money.display(int(sums["posted"] or 0)), note, _list("tenants_organization"))


def _in_flight() -> Figure:
    sums = Purse.objects.filter(kind=Purse.Kind.WALLET).aggregate(held=Sum("held_nusd"))
    return Figure("In flight", money.display(int(sums["held"] or 0)), "set aside right now", _list("billing_hold"))


def _requests(now: datetime) -> Figure:
    sums = _since(now - HOUR).aggregate(requests=Count("pk"), errors=Count("pk", filter=Q(outcome__in=FAILED)))
    requests, errors = sums["requests"], sums["errors"]
    note = f"{errors:,} of them failed" if errors else "none failed"
    return Figure("Requests, last hour", f"{requests:,}", note, _list("billing_usagerecord"), alarming=errors > 0)


def _replicas() -> Figure:
    counts = Replica.objects.filter(pool__enabled=True).aggregate(
        known=Count("pk"), up=Count("pk", filter=Q(state=Replica.State.HEALTHY))
    )
    down = counts["known"] - counts["up"]
    note = f"{down} down, draining or unknown" if down else "all of them up"
    return Figure(
        "Replicas up", f"{counts['up']} of {counts['known']}", note, _list("inference_replica"), alarming=down > 0
    )


def _concerns() -> Iterator[Concern]:
    try:
        cache.get("alive")
    except RedisError:
        # The limits are degraded, as the metrics and the header x-ratelimit-mode say; people look here.
        text = "Valkey does not answer: limits are degraded, each process counts its share by itself"
        yield Concern(text, f"{reverse('console:docs_page', args=['limits'])}#without-valkey")
    for replica in Replica.objects.filter(state=Replica.State.UNHEALTHY, pool__enabled=True).select_related("pool"):
        text = f"{replica.url} of {replica.pool} failed {replica.failures} probes in a row"
        yield Concern(text, _page("inference_replica", replica.pk))
    for offer in offers.of(offers.models()):
        if offer.price is None:
            yield Concern(
                f"{offer.model} has no price, so it cannot be called", _page("inference_model", offer.model.pk)
            )
        if offer.availability is offers.Availability.UNAVAILABLE:
            yield Concern(f"{offer.model} has no replica that answers", _page("inference_model", offer.model.pk))
    for pool in Pool.objects.filter(enabled=False):
        yield Concern(f"The pool {pool} is disabled", _page("inference_pool", pool.pk))
    empty = Purse.objects.filter(kind=Purse.Kind.WALLET, posted_nusd__lte=0).select_related("organization")
    for purse in empty.order_by("organization__name")[:MOST_CONCERNS]:
        yield Concern(f"{purse.organization} has no credit", _page("tenants_organization", purse.organization_id))


def _traffic(now: datetime) -> dict[str, Any]:
    """Return the requests of the last day by hour, as Chart.js wants them."""
    top = now.replace(minute=0, second=0, microsecond=0)
    hours = [top - HOUR * back for back in reversed(range(24))]
    rows = _since(hours[0]).annotate(hour=TruncHour("started_at")).values("hour")
    counts = rows.annotate(errors=Count("pk", filter=Q(outcome__in=FAILED)), requests=Count("pk")).order_by()
    found = {row["hour"]: row for row in counts}
    errors = [found[hour]["errors"] if hour in found else 0 for hour in hours]
    answered = [found[hour]["requests"] - found[hour]["errors"] if hour in found else 0 for hour in hours]
    return {
        "labels": [f"{hour:%H:00}" for hour in hours],
        "datasets": [
            {"label": "Answered", "data": answered, "backgroundColor": "var(--color-primary-600)"},
            {"label": "Failed", "data": errors, "backgroundColor": "#dc2626"},
        ],
    }


CHART_OPTIONS: dict[str, Any] = {
    "responsive": True,
    "maintainAspectRatio": False,
    "animation": False,
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {"stacked": True, "grid": {"display": False}, "border": {"display": False}, "ticks": {"maxRotation": 0}},
        "y": {"stacked": True, "beginAtZero": True, "border": {"display": False}, "ticks": {"precision": 0}},
    },
}


def _since(at: datetime) -> Any:
    """Return the requests since an instant: their ids are ordered by time, and the table is cut by them."""
    return UsageRecord.objects.filter(request_id__gte=lowest_at(at))


def _list(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def _page(model: str, key: object) -> str:
    return reverse(f"admin:{model}_change", args=[key])
