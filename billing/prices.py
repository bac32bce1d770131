"""Prices of models: publishing a version, and the book of what applies when.

Rates are US dollars per million units, exact decimals in the database, and integers of nano-dollars per million
units in memory. A charge is rounded once, by `foundation.money.charge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Max

from billing.errors import InvalidAmount, PriceConflict
from billing.models import Price, PriceComponent
from foundation import clock
from foundation.money import nano
from tenants import audit
from tenants.audit import Actor

KINDS = frozenset(PriceComponent.Kind.values)
LARGEST = 10**9
"""What a rate must stay below, in US dollars per million: the column's nine places before the point."""


@transaction.atomic
def publish(
    *,
    model: str,
    components: Mapping[str, Decimal],
    actor: Actor,
    effective_from: datetime | None = None,
    free: bool = False,
) -> Price:
    """Add the next version of a model's price. Earlier versions stay: history is never rewritten."""
    _check(components, free)
    latest = Price.objects.filter(model=model).aggregate(Max("version"))["version__max"] or 0
    try:
        with transaction.atomic():
            price = Price.objects.create(
                model=model, version=latest + 1, effective_from=effective_from or clock.now(), free=free
            )
    except IntegrityError as error:
        raise PriceConflict from error
    PriceComponent.objects.bulk_create(
        PriceComponent(price=price, kind=kind, usd_per_million=rate) for kind, rate in components.items()
    )
    rates = {kind: str(rate) for kind, rate in components.items()}
    audit.record(actor, "price.published", price, model=model, version=price.version, rates=rates)
    return price


def current(model: str, at: datetime | None = None) -> Price | None:
    """Return the version of a model's price that applies at an instant."""
    started = Price.objects.filter(model=model, effective_from__lte=at or clock.now())
    return started.prefetch_related("components").order_by("-effective_from").first()


def _check(components: Mapping[str, Decimal], free: bool) -> None:
    unknown = set(components) - KINDS
    if unknown:
        raise InvalidAmount(f"Unknown kind of price: {', '.join(sorted(unknown))}.", param="components")
    if free == bool(components):
        raise InvalidAmount("A price has rates, or is free: one of the two.", param="components")
    for rate in components.values():
        if not rate.is_finite() or rate < 0:
            raise InvalidAmount("A rate is a decimal of at least zero.", param="components")
        if rate >= LARGEST:
            raise InvalidAmount(f"A rate is less than {LARGEST:,} US dollars per million.", param="components")
        try:
            nano(rate)
        except ValueError as error:
            raise InvalidAmount("A rate has at most nine decimal places.", param="components") from error
