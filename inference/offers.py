"""What is on offer: models with what they cost and whether they answer. Public facts, no tenant's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q, QuerySet

from billing import price_list
from billing.models import Price
from billing.rates import Rates
from foundation import clock
from foundation.money import nano
from inference.gateway.offering import endpoints
from inference.models import Deployment, Model, Replica


class Availability(StrEnum):
    """Whether a model answers, by the states of its replicas."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    STARTING = "starting"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Offer:
    """A model with the price in force; without one it cannot be called."""

    model: Model
    price: Price | None
    availability: Availability
    endpoints: tuple[str, ...] = ()
    """The paths at which it is offered."""


def models() -> QuerySet[Model]:
    """Return every model that is on offer now."""
    return Model.objects.filter(Q(sunset_at=None) | Q(sunset_at__gt=clock.now()), enabled=True)


def of(models: Iterable[Model]) -> list[Offer]:
    """Return what is to be known of these models, in their order."""
    known = list(models)
    ids = [model.pk for model in known]
    prices, states, engines = price_list.of(ids), _states(ids), _engines(ids)
    return [
        Offer(
            model,
            price := prices.get(model.pk),
            availability(states.get(model.pk, ())),
            endpoints(model.input_modalities, model.output_modalities, engines.get(model.pk, ()), _rates(price)),
        )
        for model in known
    ]


def availability(states: Iterable[str]) -> Availability:
    """Judge a model by the states of all its replicas."""
    known = list(states)
    if Replica.State.HEALTHY in known:
        # A replica that drains or has just come is maintenance, not trouble.
        return Availability.DEGRADED if Replica.State.UNHEALTHY in known else Availability.OPERATIONAL
    return Availability.STARTING if Replica.State.UNKNOWN in known else Availability.UNAVAILABLE


def _rates(price: Price | None) -> Rates | None:
    """Return a price as the gateway has it; one without rates that does not say that it is free is unfinished."""
    if price is None:
        return None
    rates = {component.kind: nano(component.usd_per_million) for component in price.components.all()}
    return Rates(price.version, price.effective_from, rates) if bool(rates) is not price.free else None


def _engines(models: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    rows = Deployment.objects.filter(pool__enabled=True, model__in=models)
    engines: dict[str, list[tuple[str, str]]] = {}
    for model, engine, template in rows.values_list("model_id", "pool__engine", "chat_template"):
        engines.setdefault(model, []).append((engine, template))
    return engines


def _states(models: Iterable[str]) -> dict[str, list[str]]:
    rows = Replica.objects.filter(pool__enabled=True, pool__deployments__model__in=models)
    states: dict[str, list[str]] = {}
    for model, state in rows.values_list("pool__deployments__model_id", "state"):
        states.setdefault(model, []).append(state)
    return states
