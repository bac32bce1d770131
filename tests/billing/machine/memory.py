"""What processes remember of the slices that they took, and the requests they hold in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from foundation.ids import uuid7
from tests.billing.machine.books import EXPIRED, Ask, Cap, Charge
from tests.billing.machine.history import History, NewAsk
from tests.billing.machine.postgres import HOUR, OVER


@dataclass
class Part:
    """A slice in memory: what no request holds of it."""

    organization: UUID
    purses: tuple[UUID, ...]
    free: int
    caps: tuple[Cap, ...]


@dataclass
class Memory:
    """That of all processes together; `history` says what Postgres and the books do."""

    history: History
    parts: dict[UUID, Part] = field(default_factory=dict)
    places: dict[UUID, tuple[Ask, UUID]] = field(default_factory=dict)

    def lease(self, item: NewAsk, lease: timedelta) -> bool:
        """Take a slice as any hold is taken; no rule takes it for a request."""
        ask = replace(self.history.ask(item), is_slice=True)
        self.history.asks.pop()
        (verdict,) = self.history.hold([ask], lease)
        if verdict.purses:
            self.parts[ask.request] = Part(ask.organization, verdict.purses, ask.amount, ask.caps)
        return bool(verdict.purses)

    def hold(self, which: int, amount: int) -> UUID | None:
        """Hold a request by subtraction."""
        roomy = [name for name, part in self.parts.items() if part.free >= amount]
        if not roomy:
            return None
        name = roomy[which % len(roomy)]
        self.parts[name].free -= amount
        request = uuid7()
        self.places[request] = Ask(request, self.parts[name].organization, amount, self.parts[name].caps), name
        return request

    def write(self, request: UUID, lease: timedelta) -> None:
        """Write one down; more than once does no harm."""
        ask, name = self.places[request]
        assert self.history.teller.enter([(ask, name)], lease) == self.history.books.enter(
            ask, name, stale=lease is OVER
        )

    def settle(self, request: UUID, cost: int, *, last: bool) -> str:
        """Charge one; what it did not use is free again, or goes back to the purses with it."""
        ask, name = self.places.pop(request)
        release = ask.amount if last else min(cost, ask.amount)
        charge = Charge(request, ask.organization, cost, self.parts[name].purses, name, ask.amount, release)
        verdict, over = self.history.books.settle(charge)
        self.history.books.call_back([charge])
        assert [answer[1:3] for answer in self.history.teller.settle([charge])] == [(verdict, over)]
        assert [answer[1] for answer in self.history.teller.settle([charge])] == ["duplicate"]
        if verdict == "settled":
            self.parts[name].free += ask.amount - release
        return verdict

    def grow(self, request: UUID, needed: int) -> None:
        """Raise what is held of one; its slice grows with it."""
        ask, name = self.places[request]
        ((_, amount, refused_by),) = self.history.teller.grow([(ask, needed, 2 * needed)])
        assert (amount, refused_by) == self.history.books.grow(ask, needed, 2 * needed)
        if amount is not None:
            self.places[request] = replace(ask, amount=amount), name

    def void(self, request: UUID) -> None:
        ask, name = self.places.pop(request)
        expired = request in self.history.books.records
        assert self.history.teller.void([request]) == self.history.books.void(request)
        if not expired:
            self.parts[name].free += ask.amount

    def give_back(self, which: int, percent: int, *, over: bool) -> None:
        if not self.parts:
            return
        name = sorted(self.parts)[which % len(self.parts)]
        part = self.parts[name]
        amount = part.free * percent // 100
        part.free -= amount
        over = over and name not in {slice_id for _, slice_id in self.places.values()}
        self.history.teller.shrink([(name, amount, over)])
        self.history.books.shrink(name, amount, over=over)

    def renew(self, names: list[UUID], lease: timedelta = HOUR) -> None:
        holds = self.history.books.holds
        reached = holds.keys() & set(names)
        assert self.history.teller.renew(names, lease) == reached
        for name in reached:
            holds[name].stale = lease is OVER

    def check(self) -> None:
        """No process believes that it has more of a slice than it has."""
        books = self.history.books
        for name, part in self.parts.items():
            if name in books.holds:
                inside = [
                    ask.amount
                    for ask, slice_id in self.places.values()
                    if slice_id == name and not self._has_expired(ask.request)
                ]
                assert part.free + sum(inside) <= books.holds[name].amount

    def _has_expired(self, request: UUID) -> bool:
        record = self.history.books.records.get(request)
        return record is not None and record.outcome == EXPIRED
