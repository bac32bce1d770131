"""How large a slice is, when one is asked for, and when it is given back. In memory, without I/O (ADR 0011).

A slice is a hold that this process took in advance, from all purses of one kind of request at once. What no request
holds of it is `free`. A pocket is a kind of request: all that are held in the same purses under the same limits.
Times are the event loop's, amounts nano-dollars.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

# A slice lasts for about so long at the rate at which requests come.
HORIZON_SECONDS = 2.0
# What was not touched for so long is given back.
IDLE_SECONDS = 1.0
# After others wanted something back, or a slice was refused, requests are held one by one for a while.
REST_SECONDS = 5.0
# The processes together take at most one of so many parts of what is free in the scarcest purse.
PARTS = 4
# A slice for fewer than so many of the largest requests is not worth its while: so slices shrink as a purse empties,
# and end while there is still room for many requests in it.
FEWEST_REQUESTS = 16
# Requests a second from which on a purse is hot.
HOT = 20.0
# How much the last look counts in the rate.
WEIGHT = 0.3


@dataclass(slots=True, eq=False)
class Slice:
    """One slice. `free + what its requests hold` is never more than its row in Postgres has.

    `retired`: nothing more is held in it. `doubtful`: nobody knows what Postgres has of it, so it is left to its lease.
    """

    id: UUID
    purses: tuple[UUID, ...]
    free: int
    usable_until: float
    window_ends: float
    touched: float
    running: int = 0
    retired: bool = False
    doubtful: bool = False

    def take(self, amount: int, now: float) -> bool:
        """Hold an amount for one more request, if it is there and the slice may be used."""
        if amount > self.free or self.retired or now >= self.usable_until or now >= self.window_ends:
            return False
        self.free -= amount
        self.running += 1
        self.touched = now
        return True

    def put_back(self, amount: int) -> None:
        """A request has ended; so much of what it held is free again."""
        self.running -= 1
        self.free += amount

    def doubt(self) -> None:
        """Leave it to its lease: what it has in Postgres is not known any more."""
        self.retired = self.doubtful = True

    def surplus(self, now: float) -> int:
        """Take out what is to be given back now."""
        if now >= self.window_ends:
            self.retired = True
        if not self.retired and now - self.touched < IDLE_SECONDS:
            return 0
        amount, self.free = self.free, 0
        return amount

    def is_over(self, now: float) -> bool:
        """Whether nothing is held in it, nor will be."""
        return not self.running and not self.free and (self.retired or now - self.touched >= IDLE_SECONDS)


@dataclass(slots=True, eq=False)
class Pocket:
    """One kind of request: how much of it comes, and the slices for it. `room` is what its scarcest purse had left."""

    slices: list[Slice] = field(default_factory=list)
    room: int = 0
    asking: bool = False
    rest_until: float = 0.0
    touched: float = 0.0
    rate: float = 0.0
    _amounts_a_second: float = 0.0
    _largest: int = 0
    _count: int = 0
    _amount: int = 0

    def note(self, amount: int, now: float) -> None:
        """Take notice of a request."""
        self.touched = now
        self._count += 1
        self._amount += amount
        self._largest = max(self._largest, amount)

    def take(self, amount: int, now: float) -> Slice | None:
        """Hold an amount in the oldest slice that has it: so the surplus is in the youngest ones, which end first."""
        for one in self.slices:
            if one.take(amount, now):
                return one
        return None

    def look(self, seconds: float) -> None:
        """Renew the rates after so many seconds."""
        self.rate += WEIGHT * (self._count / seconds - self.rate)
        self._amounts_a_second += WEIGHT * (self._amount / seconds - self._amounts_a_second)
        if not self._count:
            self._largest = 0
        self._count = self._amount = 0

    def wish(self, now: float, processes: int) -> int:
        """Return how large the next slice should be; 0 for none."""
        if self.asking or now < self.rest_until or self.rate < HOT:
            return 0
        need = int(self._amounts_a_second * HORIZON_SECONDS)
        if sum(one.free for one in self.slices if not one.retired) > need // 2:
            return 0
        size = min(need, self.room // (PARTS * processes))
        return size if size >= FEWEST_REQUESTS * self._largest > 0 else 0

    def rest(self, now: float) -> None:
        """Hold nothing in slices for a while, and give back what is idle."""
        self.rest_until = now + REST_SECONDS
        for one in self.slices:
            one.retired = True
