"""What is on offer, as the public pages show it. Public facts, no tenant's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing import units
from inference import offers
from inference.models import Model
from inference.offers import Availability


@dataclass(frozen=True, slots=True)
class Offer:
    """A model as visitors see it. Rates are US dollars per million by kind; none and not free: not for sale."""

    model: Model
    rates: Mapping[str, Decimal]
    free: bool
    availability: Availability
    endpoints: Sequence[str] = ()

    @property
    def can_be_called(self) -> bool:
        """A model without a price is refused."""
        return self.free or bool(self.rates)

    @property
    def other_rates(self) -> str:
        """What is charged beside tokens, in words."""
        return ", ".join(units.listed({kind: rate for kind, rate in self.rates.items() if kind not in units.TOKENS}))

    @property
    def sells_tokens(self) -> bool:
        """Whether any rate is about tokens."""
        return bool(self.rates.keys() & units.TOKENS)


def on_offer() -> list[Offer]:
    """Return every model that is on offer now, by id."""
    return [_shown(offer) for offer in offers.of(offers.models())]


def overall(availabilities: Iterable[Availability]) -> Availability:
    """Sum up the models: the worst there is, but all is down only if every model is."""
    known = set(availabilities)
    if not known or known == {Availability.UNAVAILABLE}:
        return Availability.UNAVAILABLE
    if known == {Availability.STARTING}:
        return Availability.STARTING
    return Availability.OPERATIONAL if known == {Availability.OPERATIONAL} else Availability.DEGRADED


def _shown(offer: offers.Offer) -> Offer:
    components = offer.price.components.all() if offer.price is not None else ()
    rates = {component.kind: component.usd_per_million for component in components}
    return Offer(offer.model, rates, offer.price is not None and offer.price.free, offer.availability, offer.endpoints)
