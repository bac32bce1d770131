"""The first call that a page shows people, ready to copy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.http import HttpRequest

from console.catalogue import Offer


@dataclass(frozen=True, slots=True)
class Example:
    """What a first call needs: templates/console/_example.html writes it for a shell and for Python."""

    base_url: str
    model: str
    key: str = field(default="", repr=False)


def first_call(request: HttpRequest, offers: Iterable[Offer], key: str = "") -> Example:
    """Return the example for this installation, with a key's secret on the one page that may show it."""
    model = next((offer.model.id for offer in offers if offer.callable), "MODEL")
    return Example(request.build_absolute_uri("/v1"), model, key)
