"""How full the budgets of a scope are: its limits, of keys, beside what is spent in their windows, of billing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from billing import spending
from billing.spending import Window
from keys.effective import Cap, Scope, merge
from tenants.models import Organization


@dataclass(frozen=True, slots=True)
class Spending:
    """One budget and its present window, in nano-dollars."""

    cap: Cap
    window: Window

    @property
    def carried_nusd(self) -> int:
        """What the window before left to this one."""
        return min(self.window.carried_nusd, self.cap.limit_nusd) if self.cap.carries_over else 0

    @property
    def limit_nusd(self) -> int:
        """What may be spent in this window, with what was carried over."""
        return self.cap.limit_nusd + self.carried_nusd

    @property
    def left_nusd(self) -> int:
        """What is neither spent nor reserved; negative where a budget that does not refuse is overspent."""
        return self.limit_nusd - self.window.spent_nusd - self.window.held_nusd

    @property
    def percent(self) -> int:
        """How much is spent, in whole per cent, rounded down. Of nothing, anything is all."""
        if self.limit_nusd == 0:
            return 100
        return self.window.spent_nusd * 100 // self.limit_nusd

    @property
    def reserved_percent(self) -> int:
        """How much is reserved beside that, as far as a bar of a hundred has room for it."""
        if self.limit_nusd == 0:
            return 0
        return max(0, min(100 - self.percent, self.window.held_nusd * 100 // self.limit_nusd))


def of(organization: Organization, scopes: Iterable[Scope]) -> list[list[Spending]]:
    """Return the budgets of each scope, in their order, read together."""
    caps = [merge([scope]).caps for scope in scopes]
    windows = spending.windows(organization, {(cap.budget_id, cap.window) for many in caps for cap in many})
    return [[Spending(cap, windows.get((cap.budget_id, cap.window)) or Window()) for cap in many] for many in caps]
