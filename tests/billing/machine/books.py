"""What the money of some organizations must be, kept by hand: the exact model that Postgres is compared with.

Plain Python, one request at a time, no batches and no locks: what the SQL functions do to many at once must come out
as if they had done it one by one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

EXPIRED = "expired"


@dataclass(frozen=True)
class Cap:
    """A budget that applies to a request, with its limit at the time of asking."""

    budget: UUID
    window: str
    limit: int


@dataclass(frozen=True)
class Ask:
    """A request's worst case."""

    request: UUID
    organization: UUID
    amount: int
    caps: tuple[Cap, ...] = ()


@dataclass(frozen=True)
class Charge:
    """A request's bill; `purses` are those that its process remembers."""

    request: UUID
    organization: UUID
    cost: int
    purses: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The answer to an ask: `purses` if it was granted, else what refused it; neither if the request has ended."""

    purses: tuple[UUID, ...] | None = None
    refused_by: UUID | None = None
    room: int | None = None
    held: int | None = None


@dataclass
class Purse:
    """A wallet, or a window of a budget. `excused` is what took it beyond its bounds with good reason."""

    organization: UUID
    posted: int = 0
    credit_line: int = 0
    budget: UUID | None = None
    window: str = ""
    is_open: bool = True
    highest_limit: int = 0
    excused: int = 0


@dataclass
class Hold:
    organization: UUID
    amount: int
    purses: tuple[UUID, ...]
    stale: bool


@dataclass(frozen=True)
class Record:
    organization: UUID
    outcome: str
    cost: int
    hold: int
    late: bool
    purses: tuple[UUID, ...]


@dataclass
class Books:
    """All of it. A wallet has the id of its organization."""

    purses: dict[UUID, Purse] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    records: dict[UUID, Record] = field(default_factory=dict)
    ledger: Counter[tuple[UUID, str, str]] = field(default_factory=Counter)

    def held(self, purse: UUID) -> int:
        return sum(hold.amount for hold in self.holds.values() if purse in hold.purses)

    def room(self, purse: UUID, limit: int | None) -> int:
        it = self.purses[purse]
        most = it.posted + it.credit_line if limit is None else limit - it.posted
        return most - self.held(purse)

    def open_window(self, cap: Cap) -> UUID | None:
        """The purse that a cap draws on now, if there is one."""
        found = [
            name
            for name, purse in self.purses.items()
            if (purse.budget, purse.window, purse.is_open) == (cap.budget, cap.window, True)
        ]
        assert len(found) <= 1, "two windows of one budget are open"
        return found[0] if found else None

    def take(self, ask: Ask, *, stale: bool) -> Verdict:
        """Hold all or nothing; every window is open already. A request that is held is answered as before."""
        if ask.request in self.holds:
            return Verdict(self.holds[ask.request].purses)
        if ask.request in self.records:
            return Verdict()
        if ask.organization not in self.purses:
            return Verdict(refused_by=ask.organization)
        needed: list[tuple[UUID, int | None]] = [(ask.organization, None)]
        for cap in ask.caps:
            window = self.open_window(cap)
            assert window is not None, "a window that was asked for is not open"
            needed.append((window, cap.limit))
        for purse, limit in needed:
            room = self.room(purse, limit)
            if limit == 0 or (ask.amount > 0 and room < ask.amount):
                return Verdict(refused_by=purse, room=room, held=self.held(purse))
        for purse, limit in needed:
            self.purses[purse].highest_limit = max(self.purses[purse].highest_limit, limit or 0)
        granted = tuple(purse for purse, _ in needed)
        self.holds[ask.request] = Hold(ask.organization, ask.amount, granted, stale)
        return Verdict(granted)

    def grow(self, ask: Ask, needed: int, wanted: int) -> tuple[int | None, UUID | None]:
        """Raise a hold in all of its purses: what is held then, or which purse refused; neither if nothing is held."""
        hold = self.holds.get(ask.request)
        if hold is None:
            return None, None
        limits = {(cap.budget, cap.window): cap.limit for cap in ask.caps}
        rooms = {}
        for name in hold.purses:
            purse = self.purses[name]
            rooms[name] = self.room(name, limits[purse.budget, purse.window] if purse.budget else None)
        tightest = min(rooms, key=lambda name: rooms[name])
        more = min(wanted - hold.amount, rooms[tightest])
        if hold.amount < needed and hold.amount + more < needed:
            return None, tightest
        if hold.amount < needed:
            hold.amount += more
            for name in hold.purses:
                purse = self.purses[name]
                limit = limits.get((purse.budget, purse.window), 0) if purse.budget else 0
                purse.highest_limit = max(purse.highest_limit, limit)
        return hold.amount, None

    def settle(self, charge: Charge) -> tuple[str, int]:
        """Charge once. Returns the verdict and the overage."""
        known = self.records.get(charge.request)
        if known is not None and known.outcome != EXPIRED:
            return "duplicate", 0
        hold = self.holds.pop(charge.request, None)
        held = hold.amount if hold else 0
        purses = hold.purses if hold else (charge.organization, *charge.purses[1:])
        overage = max(charge.cost - held, 0)
        for name in purses:
            purse = self.purses[name]
            purse.posted += charge.cost if purse.budget else -charge.cost
            purse.excused += overage
        for kind, amount in (("usage", min(charge.cost, held)), ("overage", overage)):
            self._post(charge.organization, kind, -amount, "revenue")
        self.records[charge.request] = Record(
            charge.organization, "complete", charge.cost, known.hold if known else held, hold is None, purses
        )
        return ("settled" if hold else "late"), overage

    def void(self, request: UUID) -> bool:
        return self.holds.pop(request, None) is not None

    def expire(self, request: UUID) -> None:
        hold = self.holds.pop(request)
        assert hold.stale, "a hold within its lease was reaped"
        self.records[request] = Record(hold.organization, EXPIRED, 0, hold.amount, False, hold.purses)

    def reap(self) -> int:
        stale = [request for request, hold in self.holds.items() if hold.stale]
        for request in stale:
            self.expire(request)
        return len(stale)

    def credit(self, organization: UUID, kind: str, amount: int) -> None:
        """Put money in or, below zero, take it out."""
        wallet = self.purses[organization]
        wallet.posted += amount
        wallet.excused += max(-amount, 0)
        self._post(organization, kind, amount, "grants")

    def lend(self, organization: UUID, credit_line: int) -> None:
        wallet = self.purses[organization]
        wallet.excused += max(wallet.credit_line - credit_line, 0)
        wallet.credit_line = credit_line

    def check(self) -> None:
        """Nothing is ever spent that was not there, but for what is excused."""
        for name, purse in self.purses.items():
            if purse.budget:
                assert purse.posted + self.held(name) - purse.excused <= purse.highest_limit
            else:
                assert self.room(name, None) + purse.excused >= 0
        assert not self.holds.keys() & self.records.keys(), "a request is both held and ended"

    def _post(self, organization: UUID, kind: str, amount: int, counter_account: str) -> None:
        if amount:
            self.ledger[organization, "wallet", kind] += amount
            self.ledger[organization, counter_account, kind] -= amount
