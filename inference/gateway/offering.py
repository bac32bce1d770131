"""Where a model is offered: one decision for the lists of models here, in the management API and on the pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from billing.rates import Rates
from inference.gateway.catalogue import Route
from inference.gateway.engines.kinds import leads_to
from inference.gateway.surfaces.router import SURFACES


def endpoints(
    reads: Collection[str], makes: Collection[str], routes: Iterable[Route], rates: Rates | None
) -> tuple[str, ...]:
    """Return the paths of the endpoints that a model is for.

    It reads and makes what they take and give (its modalities), an engine behind it serves them, and the price in
    force has a rate for them. Without a price, nowhere.
    """
    if rates is None:
        return ()
    known = tuple(routes)
    return tuple(
        surface.path
        for surface in SURFACES
        if surface.takes in reads
        and surface.makes in makes
        and surface.is_priced(rates)
        and any(leads_to(route, surface.name) for route in known)
    )
