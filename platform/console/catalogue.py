"""What is on offer: models with what they cost and whether they answer. Public facts, no tenant's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.db.models import Q

from billing.models import Price
from foundation import clock
from inference.models import Model, Replica


class Availability(StrEnum):
    """Whether a model answers, by the states of its replicas."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    STARTING = "starting"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Offer:
    """A model as visitors see it. Rates are US dollars per million tokens by kind; none and not free: not for sale."""

    model: Model
    rates: Mapping[str, Decimal]
    free: bool
    availability: Availability

    @property
    def callable(self) -> bool:
        """A model without a price is refused."""
        return self.free or bool(self.rates)


def offers() -> list[Offer]:
    """Return every model that is on offer now, by id."""
    now = clock.now()
    models = list(Model.objects.filter(Q(sunset_at=None) | Q(sunset_at__gt=now), enabled=True))
    prices = _prices([model.id for model in models])
    states = _states()
    return [_offer(model, prices.get(model.id), states.get(model.id, ())) for model in models]


def availability(states: Iterable[str]) -> Availability:
    """Judge a model by the states of all its replicas."""
    known = list(states)
    healthy = known.count(Replica.State.HEALTHY)
    if healthy:
        # A replica that drains or has just come is maintenance, not trouble.
        return Availability.DEGRADED if Replica.State.UNHEALTHY in known else Availability.OPERATIONAL
    return Availability.STARTING if Replica.State.UNKNOWN in known else Availability.UNAVAILABLE


def overall(availabilities: Iterable[Availability]) -> Availability:
    """Sum up the models: the worst there is, but all is down only if every model is."""
    known = set(availabilities)
    if not known or known == {Availability.UNAVAILABLE}:
        return Availability.UNAVAILABLE
    if known == {Availability.STARTING}:
        return Availability.STARTING
    return Availability.OPERATIONAL if known == {Availability.OPERATIONAL} else Availability.DEGRADED


def _offer(model: Model, price: Price | None, states: Iterable[str]) -> Offer:
    components = price.components.all() if price is not None else ()
    rates = {component.kind: component.usd_per_million for component in components}
    return Offer(model, rates, price is not None and price.free, availability(states))


def _prices(models: list[str]) -> dict[str, Price]:
    started = Price.objects.filter(model__in=models, effective_from__lte=clock.now())
    latest = started.order_by("model", "-effective_from").distinct("model").prefetch_related("components")
    return {price.model: price for price in latest}


def _states() -> dict[str, list[str]]:
    states: dict[str, list[str]] = {}
    rows = Replica.objects.filter(pool__enabled=True, pool__deployments__isnull=False)
    for model, state in rows.values_list("pool__deployments__model_id", "state"):
        states.setdefault(model, []).append(state)
    return states
