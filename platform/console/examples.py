"""The first call that a page shows people, ready to copy: templates/console/_example.html writes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.http import HttpRequest

from console.catalogue import Offer
from inference.offers import Availability

NO_MODEL = "MODEL"


@dataclass(frozen=True, slots=True)
class Example:
    """What a first call needs; `base_url` is what OpenAI's clients call by that name."""

    base_url: str
    model: str
    key: str = field(default="", repr=False)


def first_call(request: HttpRequest, offers: Iterable[Offer], key: str = "") -> Example:
    """Return the example, with a model that answers in tokens, with a key's secret on the one page that may show it."""
    can_be_called = [offer for offer in offers if offer.free or "output" in offer.rates]
    working = [offer for offer in can_be_called if offer.availability is Availability.OPERATIONAL]
    model = next((offer.model.id for offer in (*working, *can_be_called)), NO_MODEL)
    return Example(request.build_absolute_uri("/v1"), model, key)
