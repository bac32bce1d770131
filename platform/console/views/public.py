"""Pages for everybody: what this installation is, and whether it works."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import catalogue, examples
from inference.offers import Availability


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """Say what this installation is, what it offers at what price, and how to call it."""
    offers = catalogue.on_offer()
    example = examples.first_call(request, offers)
    context = {"offers": offers, "example": example, "overall": _overall(offers)}
    return render(request, "console/landing.html", context)


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Say which models answer right now."""
    offers = catalogue.on_offer()
    return render(request, "console/status.html", {"offers": offers, "overall": _overall(offers), "section": "status"})


def _overall(offers: list[catalogue.Offer]) -> Availability:
    return catalogue.overall(offer.availability for offer in offers)
