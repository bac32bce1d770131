"""Where a model is offered: one decision for the lists of models here, in the management API and on the pages."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from billing.rates import Rates
from inference.gateway.engines.kinds import ENGINES, has_words, serves
from inference.gateway.surfaces.router import SURFACES
from inference.gateway.surfaces.surface import TOKENS


def endpoints(
    reads: Collection[str], makes: Collection[str], engines: Iterable[tuple[str, str]], rates: Rates | None
) -> tuple[str, ...]:
    """Return the paths of the endpoints that a model is for.

    It reads and makes what they take and give (its modalities), an engine behind it serves them, and the price in
    force has a rate for them. Without a price, nowhere. `engines` are their kinds, each with its template for chats.
    """
    if rates is None:
        return ()
    known = set(engines)
    return tuple(
        surface.path
        for surface in SURFACES
        if surface.takes in reads
        and surface.makes in makes
        and surface.is_priced(rates)
        and any(
            serves(kind, surface.name) and has_words(ENGINES[kind], surface.name, template) for kind, template in known
        )
    )


def sells_no_tokens(reads: Collection[str], makes: Collection[str], kinds: Collection[str]) -> bool:
    """Say whether a price of these kinds is meant for the tokens of a model's answers and lacks a rate of theirs."""
    generates = any(surface.generates and surface.takes in reads and surface.makes in makes for surface in SURFACES)
    given = set(kinds)
    is_for_tokens = bool(given) and given <= {*TOKENS, "cached_input", "requests"}
    return generates and is_for_tokens and not TOKENS.issubset(given)
