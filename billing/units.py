"""Rates and quantities in the units that people think in: minutes, images, millions of characters. No Django here.

The tables keep US dollars per million of everything, so that a charge is one kind of sum; only what is shown and what
is entered differ. Exact both ways, as far as nine places of the rate per million go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from types import MappingProxyType
from typing import Final

_MILLION: Final = 1_000_000
_PLACES: Final = Decimal("1e-9")
# More digits than any price has, whatever the thread's own context says.
_EXACT: Final = Context(prec=50)


@dataclass(frozen=True, slots=True)
class Unit:
    """How a kind of rate is told: for how many, in words, and what a quantity of it is called."""

    size: int
    words: str
    one: str
    many: str


UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        "input": Unit(_MILLION, "per million input tokens", "token", "tokens"),
        "cached_input": Unit(_MILLION, "per million cached input tokens", "token", "tokens"),
        "output": Unit(_MILLION, "per million output tokens", "token", "tokens"),
        "requests": Unit(1, "per request", "request", "requests"),
        "characters": Unit(_MILLION, "per million characters", "character", "characters"),
        "seconds": Unit(60, "per minute", "second", "seconds"),
        "images": Unit(1, "per image", "image", "images"),
    }
)

TOKENS: Final = frozenset({"input", "cached_input", "output"})


def in_unit(kind: str, usd_per_million: Decimal) -> Decimal:
    """Return what one of the kind's unit costs, in US dollars, without the traces of rounding a rate."""
    price = _EXACT.divide(usd_per_million * UNITS[kind].size, _MILLION)
    # A rate has nine places, so a price by the minute or image that was entered comes back as it was.
    return price.quantize(_PLACES, ROUND_HALF_UP).normalize()


def per_million(kind: str, usd_in_unit: Decimal) -> Decimal:
    """Return a rate from the price of the kind's unit, rounded half up to the nine places that a rate has."""
    rate = _EXACT.divide(usd_in_unit * _MILLION, UNITS[kind].size)
    return rate.quantize(_PLACES, ROUND_HALF_UP).normalize()


def described(kind: str, usd_per_million: Decimal) -> str:
    """Write a rate: `$0.006 per minute`."""
    return f"${_plain(in_unit(kind, usd_per_million))} {UNITS[kind].words}"


def listed(rates: Mapping[str, Decimal]) -> list[str]:
    """Write rates, in the order of the kinds."""
    return [described(kind, rates[kind]) for kind in UNITS if kind in rates]


def counted(kind: str, quantity: int) -> str:
    """Write a quantity: `1,200 characters`."""
    return f"{quantity:,} {UNITS[kind].one if quantity == 1 else UNITS[kind].many}"


def _plain(amount: Decimal) -> str:
    whole, _, fraction = f"{amount:,f}".partition(".")
    return f"{whole}.{fraction:0<2}" if fraction else whole
