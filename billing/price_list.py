"""Which price of each model is in force: for those who show prices. The gateway keeps its own, in memory (rates.py)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from billing.models import Price
from foundation import clock

NEWEST_FIRST = ("-effective_from",)


def in_force(at: datetime | None = None) -> QuerySet[Price]:
    """Return the version of every model's price that applies at an instant, by the model's id, components included."""
    started = Price.objects.filter(effective_from__lte=at or clock.now())
    return started.order_by("model", *NEWEST_FIRST).distinct("model").prefetch_related("components")


def of(models: Iterable[str]) -> dict[str, Price]:
    """Return the prices in force of these models, by their ids; a model without a price is left out."""
    return {price.model: price for price in in_force().filter(model__in=list(models))}
