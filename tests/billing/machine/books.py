"""What the money of some organizations must be, kept by hand: the exact model that Postgres is compared with.

Plain Python, one request at a time, no batches and no locks: what the SQL functions do to many at once must come out
as if they had done it one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

EXPIRED = "expired"


@dataclass(frozen=True)
class Cap:
    """The budgets of one purse that apply to a request: limits by kind, each a part of one limit of the moment.

    Of the kinds, `limit` and `carrying` refuse; the latter carries over what is unspent. `soft` and `shadow` watch.
    """

    budget: UUID
    window: str
    limit: int
    parts: tuple[tuple[str, int], ...] = (("limit", 1),)

    def of(self, kind: str) -> int | None:
        return next((self.limit // part for name, part in self.parts if name == kind), None)

    def hard(self, carried: int) -> int | None:
        plain, carrying = self.of("limit"), self.of("carrying")
        lent = None if carrying is None else carrying + min(carrying, carried)
        return min((limit for limit in (plain, lent) if limit is not None), default=None)


@dataclass(frozen=True)
class Ask:
    """A request's worst case."""

    request: UUID
    organization: UUID
    amount: int
    caps: tuple[Cap, ...] = ()
    is_slice: bool = False


@dataclass(frozen=True)
class Charge:
    """A request's bill; `purses` are those that its process remembers."""

    request: UUID
    organization: UUID
    cost: int
    purses: tuple[UUID, ...] = ()
    slice: UUID | None = None
    held: int = 0
    release: int = 0


@dataclass(frozen=True)
class Verdict:
    """The answer to an ask: `purses` if it was granted, else what refused it; neither if the request has ended.

    `room` is that of the scarcest purse, or of the one that refused; `idle` is what of it lies in slices.
    """

    purses: tuple[UUID, ...] | None = None
    refused_by: UUID | None = None
    room: int | None = None
    held: int | None = None
    idle: int | None = None


@dataclass
class Purse:
    """A wallet, or a window of a budget. `excused` is what took it beyond its bounds with good reason.

    `limit`, `soft` and `carrying` are what a budget was when it was asked for last; `marks` what was noticed.
    """

    organization: UUID
    posted: int = 0
    credit_line: int = 0
    budget: UUID | None = None
    window: str = ""
    is_open: bool = True
    highest_limit: int = 0
    excused: int = 0
    limit: int | None = None
    soft: int | None = None
    carrying: int | None = None
    carried: int = 0
    shadow_refused: int = 0
    shadow_refused_amount: int = 0
    marks: set[tuple[str, int]] = field(default_factory=set)

    def note(self, cap: Cap) -> None:
        self.limit, self.soft, self.carrying = cap.hard(self.carried), cap.of("soft"), cap.of("carrying")

    def pass_marks(self) -> None:
        """Each is passed once, by what is spent, not by what is held."""
        for mode, limit in (("hard", self.limit), ("soft", self.soft)):
            if limit is not None and self.posted > 0:
                self.marks |= {(mode, percent) for percent in (50, 80, 100) if self.posted * 100 >= limit * percent}


@dataclass
class Hold:
    organization: UUID
    amount: int
    purses: tuple[UUID, ...]
    stale: bool
    slice: UUID | None = None
    recalled: bool = False


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
        return sum(
            hold.amount for name, hold in self.holds.items() if purse in hold.purses and hold.slice in (None, name)
        )

    def idle(self, purse: UUID) -> int:
        slices = {name: hold for name, hold in self.holds.items() if hold.slice and purse in hold.purses}
        return sum(hold.amount if hold.slice == name else -hold.amount for name, hold in slices.items())

    def recall(self, purse: UUID) -> None:
        for name, hold in self.holds.items():
            if hold.slice == name and purse in hold.purses:
                hold.recalled = True

    def room(self, purse: UUID, limit: int | None) -> int:
        it = self.purses[purse]
        if it.budget and limit is None:
            return 2**63 - 1 - it.posted - self.held(purse)
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

    def open(self, name: UUID, organization: UUID, cap: Cap) -> None:
        """A window begins: with what the one before left, if it carries over."""
        purse = Purse(organization, budget=cap.budget, window=cap.window)
        before = [
            known for known in self.purses.items() if (known[1].budget, known[1].window) == (cap.budget, cap.window)
        ]
        if before and cap.of("carrying") is not None:
            last, ended = before[-1]
            if ended.carrying is not None:
                left = ended.carrying + min(ended.carrying, ended.carried) - ended.posted - self.held(last)
                purse.carried = min(cap.of("carrying") or 0, max(left, 0))
        self.purses[name] = purse

    def take(self, ask: Ask, *, stale: bool) -> Verdict:
        """Hold all or nothing; every window is open already. A request that is held is answered as before."""
        if ask.request in self.holds:
            return Verdict(self.holds[ask.request].purses)
        if ask.request in self.records:
            return Verdict()
        if ask.organization not in self.purses:
            return Verdict(refused_by=ask.organization, idle=None if ask.is_slice else 0)
        needed: list[tuple[UUID, int | None]] = [(ask.organization, None)]
        shadows: list[tuple[UUID, int]] = []
        for cap in ask.caps:
            window = self.open_window(cap)
            assert window is not None, "a window that was asked for is not open"
            needed.append((window, cap.hard(self.purses[window].carried)))
            if (shadow := cap.of("shadow")) is not None:
                shadows.append((window, shadow))
        for purse, limit in needed:
            room = self.room(purse, limit)
            if limit == 0 or (ask.amount > 0 and room < ask.amount):
                idle = None if ask.is_slice else self.idle(purse)
                if idle:
                    self.recall(purse)
                return Verdict(refused_by=purse, room=room, held=self.held(purse), idle=idle)
        scarcest = min(self.room(purse, limit) for purse, limit in needed) - ask.amount
        for purse, limit in needed:
            self.purses[purse].highest_limit = max(self.purses[purse].highest_limit, limit or 0)
        self._count_shadows(ask, shadows)
        granted = tuple(purse for purse, _ in needed)
        self.holds[ask.request] = Hold(
            ask.organization, ask.amount, granted, stale, slice=ask.request if ask.is_slice else None
        )
        return Verdict(granted, room=scarcest)

    def enter(self, ask: Ask, slice_id: UUID, *, stale: bool) -> int:
        """Write down a request that is held in a slice. No money moves."""
        its = self.holds.get(slice_id)
        if its is None or ask.request in self.holds or ask.request in self.records:
            return 0
        self.holds[ask.request] = Hold(ask.organization, ask.amount, its.purses, stale, slice=slice_id)
        return 1

    def shrink(self, slice_id: UUID, amount: int, *, over: bool) -> None:
        if slice_id in self.holds:
            self.holds[slice_id].amount -= amount
            if over and not self.holds[slice_id].amount:
                del self.holds[slice_id]

    def grow(self, ask: Ask, needed: int, wanted: int) -> tuple[int | None, UUID | None]:
        """Raise a hold in all of its purses: what is held then, or which purse refused; neither if nothing is held."""
        hold = self.holds.get(ask.request)
        if hold is None:
            return None, None
        caps = {(cap.budget, cap.window): cap for cap in ask.caps}
        limits: dict[UUID, int | None] = {}
        rooms: dict[UUID, int] = {}
        for name in hold.purses:
            purse = self.purses[name]
            limits[name] = caps[purse.budget, purse.window].hard(purse.carried) if purse.budget else None
            # What a window that is over has left was lent to the next one, where it carries over.
            lent = purse.budget is not None and not purse.is_open and purse.carrying is not None
            rooms[name] = 0 if lent else self.room(name, limits[name])
        tightest = min(rooms, key=lambda name: rooms[name])
        more = min(wanted - hold.amount, rooms[tightest])
        if hold.amount < needed and hold.amount + more < needed:
            if self.idle(tightest) > 0:
                self.recall(tightest)
                return hold.amount, None
            return None, tightest
        if hold.amount < needed:
            hold.amount += more
            if hold.slice:
                self.holds[hold.slice].amount += more
            for name in hold.purses:
                self.purses[name].highest_limit = max(self.purses[name].highest_limit, limits[name] or 0)
        return hold.amount, None

    def _count_shadows(self, ask: Ask, shadows: list[tuple[UUID, int]]) -> None:
        for purse, limit in shadows:
            if limit == 0 or (ask.amount > 0 and self.room(purse, limit) < ask.amount):
                self.purses[purse].shadow_refused += 1
                self.purses[purse].shadow_refused_amount += ask.amount

    def settle(self, charge: Charge) -> tuple[str, int]:
        """Charge once. Returns the verdict and the overage."""
        known = self.records.get(charge.request)
        if known is not None and known.outcome != EXPIRED:
            return "duplicate", 0
        hold = self.holds.pop(charge.request, None)
        if hold and hold.slice:
            hold = None
        held = hold.amount if hold else 0
        its = self.holds.get(charge.slice) if charge.slice and known is None else None
        if its:
            its.amount -= charge.release
            held = charge.held
        purses = hold.purses if hold else (charge.organization, *charge.purses[1:])
        overage = max(charge.cost - held, 0)
        for name in purses:
            purse = self.purses[name]
            purse.posted += charge.cost if purse.budget else -charge.cost
            purse.excused += overage
            if held or charge.cost:
                purse.pass_marks()
        for kind, amount in (("usage", min(charge.cost, held)), ("overage", overage)):
            self._post(charge.organization, kind, -amount, "revenue")
        self.records[charge.request] = Record(
            charge.organization, "complete", charge.cost, known.hold if known else held, not (hold or its), purses
        )
        return ("settled" if hold or its else "late"), overage

    def call_back(self, charges: Sequence[Charge]) -> None:
        """After a settlement what is idle of a purse that has less than is held of it is wanted back."""
        for name in {name for charge in charges for name in (charge.organization, *charge.purses)}:
            purse = self.purses[name]
            if not (purse.budget and purse.limit is None) and self.room(name, purse.limit) < 0:
                self.recall(name)

    def void(self, request: UUID) -> bool:
        return self.holds.pop(request, None) is not None

    def expire(self, request: UUID) -> None:
        hold = self.holds.pop(request)
        assert hold.stale or (hold.slice and hold.slice not in self.holds), "a hold within its lease was reaped"
        if hold.slice == request:
            return
        if hold.slice:
            self.shrink(hold.slice, hold.amount, over=False)
        self.records[request] = Record(hold.organization, EXPIRED, 0, hold.amount, False, hold.purses)

    def reap(self) -> int:
        stale = [request for request, hold in self.holds.items() if hold.stale]
        for request in sorted(stale, key=lambda name: self.holds[name].slice != name):
            self.expire(request)
        return len(stale)

    def credit(self, organization: UUID, kind: str, amount: int) -> None:
        """Put money in or, below zero, take it out."""
        wallet = self.purses[organization]
        wallet.posted += amount
        wallet.excused += max(-amount, 0)
        if amount < 0:
            self.recall(organization)
        self._post(organization, kind, amount, "grants")

    def lend(self, organization: UUID, credit_line: int) -> None:
        wallet = self.purses[organization]
        wallet.excused += max(wallet.credit_line - credit_line, 0)
        wallet.credit_line = credit_line
        self.recall(organization)

    def check(self) -> None:
        """Nothing is ever spent that was not there, but for what is excused."""
        for name, purse in self.purses.items():
            if purse.budget and purse.limit is None:
                continue
            if purse.budget:
                assert purse.posted + self.held(name) - purse.excused <= purse.highest_limit
            else:
                assert self.room(name, None) + purse.excused >= 0
        for name, hold in self.holds.items():
            if hold.slice == name:
                inside = sum(it.amount for it in self.holds.values() if it.slice == name) - hold.amount
                assert inside <= hold.amount, "a slice holds more than it has"
        assert not self.holds.keys() & self.records.keys(), "a request is both held and ended"

    def _post(self, organization: UUID, kind: str, amount: int, counter_account: str) -> None:
        if amount:
            self.ledger[organization, "wallet", kind] += amount
            self.ledger[organization, counter_account, kind] -= amount
