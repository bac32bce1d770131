"""What applies when: the versions of one model's price, as the gateway keeps them in memory. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from foundation.money import charge


@dataclass(frozen=True, slots=True)
class Rates:
    """One version: nano-dollars per million units, by kind. An empty mapping is free."""

    version: int
    effective_from: datetime
    per_million: Mapping[str, int]

    def cost(
        self, *, prompt_tokens: int, cached_tokens: int, completion_tokens: int, unit: str = "", quantity: int = 0
    ) -> int:
        """Price a request in nano-dollars, rounded once: its tokens, `quantity` of another `unit`, and itself.

        Cached input has its own rate where one is set; otherwise it costs what other input costs.
        """
        rates = self.per_million
        if not rates:
            return 0
        quantities = self.quantities(
            prompt_tokens=prompt_tokens,
            cached_tokens=cached_tokens,
            completion_tokens=completion_tokens,
            unit=unit,
            quantity=quantity,
        )
        return charge(quantities, rates)

    def quantities(
        self, *, prompt_tokens: int, cached_tokens: int, completion_tokens: int, unit: str = "", quantity: int = 0
    ) -> dict[str, int]:
        """Return how many units are charged at which of the rates."""
        rates = self.per_million
        cached = min(cached_tokens, prompt_tokens) if "cached_input" in rates else 0
        quantities = {
            "input": prompt_tokens - cached,
            "cached_input": cached,
            "output": completion_tokens,
            "requests": 1,
            unit: quantity,
        }
        return {kind: units for kind, units in quantities.items() if kind in rates}

    def worst_case(self, *, prompt_tokens: int, completion_tokens: int, unit: str = "", quantity: int = 0) -> int:
        """Bound the cost from above: the dearer of plain and cached input, for every token."""
        rates = self.per_million
        if not rates:
            return 0
        dearest = max(rates.get("input", 0), rates.get("cached_input", 0))
        quantities = {"input": prompt_tokens, "output": completion_tokens, "requests": 1, unit: quantity}
        return charge(quantities, {kind: rates.get(kind, 0) for kind in quantities} | {"input": dearest})


def in_force(versions: tuple[Rates, ...], at: datetime) -> Rates | None:
    """Return the latest version that has started; `versions` are in the order of their start."""
    started = None
    for rates in versions:
        if rates.effective_from > at:
            break
        started = rates
    return started
