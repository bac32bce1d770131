"""Can they still pay? Raises the holds of running requests that cost more than was held for them.

An engine may produce more than it was allowed to, and nobody knows beforehand how many tokens a picture is. Decided by
Postgres for all such requests of a process in one round trip (`migrations/sql/0003_grow.sql`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from billing.budgets import HARD, PER_REQUEST, Cap, as_item, by_purse
from billing.errors import BudgetExceeded, InsufficientCredit
from billing.holds import BUDGET
from foundation.errors import PlatformError
from foundation.money import display
from foundation.stores import Postgres, Row

GROW = "SELECT * FROM turnpike_grow(%s::jsonb)"


@dataclass(frozen=True, slots=True)
class Growth:
    """What the hold of a running request must become, and what it shall become where there is room. Nano-dollars."""

    request_id: UUID
    organization_id: UUID
    needed_nusd: int
    wanted_nusd: int
    caps: Sequence[Cap] = ()


class Growing:
    """Asks the purses of running requests for more."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def grow(self, wanted: Sequence[Growth]) -> list[int | PlatformError | None]:
        """Return for each what is held now, or why it must end; None where nothing is held any more.

        Raises `StoreDown` when Postgres is away: nothing is known then, ask again.
        """
        batch = orjson.dumps([_as_item(growth) for growth in wanted]).decode()
        rows = await self._postgres.fetch(GROW, (batch,))
        return [_verdict(growth, row) for growth, row in zip(wanted, rows, strict=True)]


def _as_item(growth: Growth) -> dict[str, object]:
    return {
        "request": growth.request_id,
        "organization": growth.organization_id,
        "needed": growth.needed_nusd,
        "wanted": growth.wanted_nusd,
        "caps": [as_item(caps) for caps in by_purse(growth.caps)],
    }


def _verdict(growth: Growth, row: Row) -> int | PlatformError | None:
    _, amount, refused_by, budget, limit, room = row
    cost = display(growth.needed_nusd)
    for cap in growth.caps:
        if (cap.window, cap.mode) == (PER_REQUEST, HARD) and growth.needed_nusd > cap.limit_nusd:
            return BudgetExceeded(
                f"This answer ends here: it has cost {cost}, and the {cap.who}'s limit is {display(cap.limit_nusd)} "
                "per request.",
                param=BUDGET,
            )
    if refused_by is None:
        return None if amount is None else int(amount)
    if budget is None:
        return InsufficientCredit(
            f"This answer ends here: it has cost {cost}, more than was reserved for it, and only {display(room)} of "
            "credit is free. Add credit to continue."
        )
    who = next(cap.who for cap in growth.caps if cap.budget_id == budget)
    return BudgetExceeded(
        f"This answer ends here: it has cost {cost}, more than was reserved for it, and the {who}'s budget of "
        f"{display(limit)} has only {display(room)} left.",
        param=BUDGET,
    )
