"""What a history of the state machine remembers: who there is, what was asked, and what the books say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg

from foundation.ids import uuid7
from tests.billing.machine import postgres
from tests.billing.machine.books import Ask, Books, Cap, Charge, Purse, Verdict
from tests.billing.machine.postgres import HOUR, OVER, Teller

# The budgets of an organization, some with two windows at once; the last one never ends.
# Each window has budgets of some kinds, which share its purse: a part of the limit that the history knows.
BUDGETS = ((0, "day"), (0, "month"), (1, "5h"), (1, "billing_period"), (2, "lifetime"))
PARTS = {
    "day": (("carrying", 1), ("soft", 2)),
    "month": (("limit", 1),),
    "5h": (("limit", 1), ("carrying", 2)),
    "billing_period": (("limit", 1), ("shadow", 2)),
    "lifetime": (("soft", 1), ("shadow", 1)),
}

type NewAsk = tuple[int, int, set[int]]


class History:
    """Three organizations that no other history knows; the last one never got a wallet."""

    def __init__(self, owner: psycopg.Connection, teller: Teller) -> None:
        owner.execute(postgres.CLEAN)
        self.teller = teller
        self.organizations = [postgres.found(owner, wallet=wallet) for wallet in (True, True, False)]
        self.budgets = {name: [uuid7() for _ in range(3)] for name in self.organizations}
        self.limits = {budget: 100 for budgets in self.budgets.values() for budget in budgets}
        self.asks: list[Ask] = []
        self.granted: dict[UUID, tuple[UUID, ...]] = {}
        self.paid: dict[int, UUID] = {}
        self.books = Books({name: Purse(name) for name in self.organizations[:2]})

    def ask(self, item: NewAsk | int) -> Ask:
        """A new request, or a known one once more, under the limits of today."""
        if isinstance(item, int):
            ask = self.chosen(item)
            return replace(ask, caps=tuple(replace(cap, limit=self.limits[cap.budget]) for cap in ask.caps))
        who, amount, which = item
        budgets = [(self.budgets[self.organizations[who]][BUDGETS[i][0]], BUDGETS[i][1]) for i in sorted(which)]
        caps = tuple(Cap(budget, window, self.limits[budget], PARTS[window]) for budget, window in budgets)
        self.asks.append(Ask(uuid7(), self.organizations[who], amount, caps))
        return self.asks[-1]

    def chosen(self, which: int) -> Ask:
        """One of the requests so far: of eight choices five are held, two have ended, where there are such."""
        if not self.asks:
            return self.ask((0, which, set()))
        kinds = {3: self.books.records, 4: self.books.records, 5: {}}
        kind = kinds.get(which % 8, self.books.holds)
        among = [ask for ask in self.asks if ask.request in kind] or self.asks
        return among[which // 8 % len(among)]

    def requests(self, several: Iterable[int]) -> list[UUID]:
        return [self.chosen(which).request for which in several]

    def charge(self, which: int, cost: int) -> Charge:
        ask = self.chosen(which)
        return Charge(ask.request, ask.organization, cost, self.granted.get(ask.request, ()))

    def hold(self, asks: list[Ask], lease: timedelta) -> list[Verdict]:
        """Ask Postgres and the books, who must agree."""
        self.close_windows()
        answers = self.teller.hold(asks, lease)
        self._learn_windows(asks)
        self._note_limits(asks)
        verdicts = [self.books.take(ask, stale=lease is OVER) for ask in asks]
        assert answers == [(ask.request, verdict) for ask, verdict in zip(asks, verdicts, strict=True)]
        self.granted |= {request: verdict.purses for request, verdict in answers if verdict.purses}
        return verdicts

    def extend(self, requests: list[UUID], lease: timedelta = HOUR) -> None:
        reached = self.books.holds.keys() & requests
        assert self.teller.extend(requests, lease) == reached
        for request in reached:
            self.books.holds[request].stale = lease is OVER

    def name(self, verdict: Verdict) -> str:
        """What kind of answer it is."""
        if verdict.purses or not verdict.refused_by:
            return "held" if verdict.purses else "ended"
        if verdict.refused_by not in self.books.purses:
            return "no wallet"
        return "no budget" if self.books.purses[verdict.refused_by].budget else "no credit"

    def close_windows(self) -> None:
        for name, _, _, _, is_over in self.teller.windows(self.organizations):
            if is_over and name in self.books.purses:
                self.books.purses[name].is_open = False

    def _learn_windows(self, asks: list[Ask]) -> None:
        """Windows open when they are needed. First the old ones once more: it may be midnight by now."""
        self.close_windows()
        needed = {(cap.budget, cap.window): cap for ask in asks for cap in ask.caps}
        for name, owner, budget, window, is_over in self.teller.windows(self.organizations):
            if name not in self.books.purses:
                assert (budget, window) in needed
                assert not is_over
                self.books.open(name, owner, needed[budget, window])

    def _note_limits(self, asks: list[Ask]) -> None:
        for cap in (cap for ask in asks if ask.organization in self.books.purses for cap in ask.caps):
            window = self.books.open_window(cap)
            assert window is not None
            self.books.purses[window].note(cap)
