"""How large a slice is, when one is asked for, and when it is given back. In memory, without I/O (ADR 0011).

A slice is a hold that this process took in advance, from all purses of one kind of request at once. What no request
holds of it is `free`. A pocket is a kind of request: all that are held in the same purses under the same limits.
Times are milliseconds of the event loop's clock, amounts nano-dollars. A process looks every tenth of a second.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

# How much comes is seen from the last half second, and a slice lasts for four times as long.
LOOKS = 5
TIMES = 4
# So many requests in the last half second make a purse hot.
HOT = 10
# What was not touched for so long is given back.
IDLE_MS = 1_000
# After others wanted something back requests are held one by one for a while.
REST_MS = 5_000
# The processes together take at most one of so many parts of what is free in the scarcest purse.
PARTS = 4
# A slice for fewer than so many of the largest requests is not worth its while: so slices shrink as a purse empties,
# and end while there is still room for many requests in it.
FEWEST_REQUESTS = 16
NEVER = 2**63


@dataclass(slots=True, eq=False)
class Slice:
    """One slice. `free + what its requests hold` is never more than its row in Postgres has.

    `retired`: nothing more is held in it. `doubtful`: nobody knows what Postgres has of it, so it is left to its lease.
    """

    id: UUID
    purses: tuple[UUID, ...]
    free: int
    usable_until: int
    window_ends: int
    touched: int
    running: int = 0
    retired: bool = False
    doubtful: bool = False

    def take(self, amount: int, now: int) -> bool:
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

    def surplus(self, now: int) -> int:
        """Take out what is to be given back now."""
        if now >= self.window_ends:
            self.retired = True
        if not self.retired and now - self.touched < IDLE_MS:
            return 0
        amount, self.free = self.free, 0
        return amount

    def is_over(self, now: int) -> bool:
        """Whether nothing is held in it, nor will be."""
        return not self.running and not self.free and (self.retired or now - self.touched >= IDLE_MS)


@dataclass(slots=True, eq=False)
class Pocket:
    """One kind of request: how much of it comes, and the slices for it. `room` is what its scarcest purse had left."""

    slices: list[Slice] = field(default_factory=list)
    room: int = 0
    asking: bool = False
    rest_until: int = 0
    touched: int = 0
    # Of the last looks, and of the present one: how many requests, how much in all, and the largest.
    _seen: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=LOOKS))
    _count: int = 0
    _amount: int = 0
    _largest: int = 0

    def note(self, amount: int, now: int) -> None:
        """Take notice of a request."""
        self.touched = now
        self._count += 1
        self._amount += amount
        self._largest = max(self._largest, amount)

    def take(self, amount: int, now: int) -> Slice | None:
        """Hold an amount in the oldest slice that has it: so the surplus is in the youngest ones, which end first."""
        for one in self.slices:
            if one.take(amount, now):
                return one
        return None

    def look(self) -> None:
        """Take notice that another tenth of a second is over."""
        self._seen.append((self._count, self._amount, self._largest))
        self._count = self._amount = self._largest = 0

    def wish(self, now: int, processes: int) -> int:
        """Return how large the next slice should be; 0 for none."""
        if self.asking or now < self.rest_until or not self._seen or not self._seen[-1][0]:
            return 0
        counts, amounts, largest = zip(*self._seen, strict=True)
        need = TIMES * sum(amounts)
        if sum(counts) < HOT or sum(one.free for one in self.slices if not one.retired) > need // 2:
            return 0
        size = min(need, self.room // (PARTS * processes))
        return size if size >= FEWEST_REQUESTS * max(largest) > 0 else 0

    def rest(self, now: int) -> None:
        """Hold nothing in slices for a while, and give back what is idle."""
        self.rest_until = max(self.rest_until, now + REST_MS)
        for one in self.slices:
            one.retired = True
