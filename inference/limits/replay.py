"""What limits would have refused: requests that ran, replayed in the order in which they came. Pure, no I/O.

Decided as the gateway decides, with two differences that lie in what is known afterwards: tokens count as they were
used, not as they were estimated, and counters are empty when the replay begins. What is refused here uses nothing.
Soft and shadow budgets are judged as if they were hard: that is what one wants to know of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from uuid import UUID

from keys.effective import LIFETIME, PER_REQUEST, Limits

# As in admission.lua: a bucket a second, which counts until 61 s after its start.
WINDOW_SECONDS = 61
ROLLING = "5h"
ROLLS_FOR = timedelta(hours=5)

type Bounds = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Past:
    """A request that ran. `group` is whose counters it uses; money in nano-dollars."""

    id: UUID
    group: str
    at: datetime
    ended_at: datetime
    key: UUID
    customer: str
    model: str
    input: int
    output: int
    hold_nusd: int
    cost_nusd: int


class Replay:
    """Limits at work. `calendar` holds the windows of the budget in order, where they are the calendar's."""

    def __init__(self, limits: Limits, calendar: Sequence[Bounds] = ()) -> None:
        self._limits = limits
        self._calendar = calendar
        self._scopes: dict[str, _Scope] = {}

    def refused_by(self, past: Past) -> str | None:
        """Return the name of the limit that refuses a request, or let it use what it used. Ask in order of time."""
        if self._limits.allowed_models is not None and past.model not in self._limits.allowed_models:
            return "allowed_models"
        if self._limits.max_output_tokens == 0:
            return "max_output_tokens"
        scope = self._scopes.get(past.group)
        if scope is None:
            scope = self._scopes[past.group] = _Scope(self._limits, _Budget.of(self._limits, self._calendar))
        return scope.refused_by(past)


@dataclass(slots=True)
class _Rate:
    """Amounts of the last seconds."""

    name: str
    limit: int
    amount: Callable[[Past], int]
    used: int = 0
    buckets: deque[tuple[int, int]] = field(default_factory=deque)

    def has_room(self, past: Past, second: int) -> bool:
        while self.buckets and self.buckets[0][0] + WINDOW_SECONDS <= second:
            self.used -= self.buckets.popleft()[1]
        return self.used + self.amount(past) <= self.limit

    def use(self, past: Past, second: int) -> None:
        amount = self.amount(past)
        self.used += amount
        self.buckets.append((second, amount))


_AMOUNTS: dict[str, Callable[[Past], int]] = {
    "rpm": lambda _: 1,
    "tpm": lambda past: past.input + past.output,
    "input_tpm": lambda past: past.input,
    "output_tpm": lambda past: past.output,
}


class _Scope:
    """The counters of one key, project or customer."""

    def __init__(self, limits: Limits, budget: _Budget | None) -> None:
        limited = [(name, getattr(limits, name), amount) for name, amount in _AMOUNTS.items()]
        self._rates = [_Rate(name, limit, amount) for name, limit, amount in limited if limit is not None]
        self._concurrency = limits.concurrency
        self._running: list[datetime] = []
        self._budget = budget

    def refused_by(self, past: Past) -> str | None:
        """Check all, then use all."""
        second = int(past.at.timestamp())
        while self._running and self._running[0] <= past.at:
            heappop(self._running)
        if self._concurrency is not None and len(self._running) >= self._concurrency:
            return "concurrency"
        for rate in self._rates:
            if not rate.has_room(past, second):
                return rate.name
        if self._budget is not None and not self._budget.take(past):
            return "budget_nusd"
        for rate in self._rates:
            rate.use(past, second)
        if self._concurrency is not None:
            heappush(self._running, past.ended_at)
        return None


@dataclass(slots=True)
class _Purse:
    """One window. `place` is where it stands in the calendar."""

    ends_at: datetime
    place: int
    carried: int = 0
    spent: int = 0
    held: int = 0


@dataclass(slots=True)
class _Budget:
    """A budget's present window, and what requests in flight hold."""

    limit: int
    window: str
    carries_over: bool
    calendar: Sequence[Bounds]
    purse: _Purse | None = None
    in_flight: list[tuple[datetime, UUID, int, int, _Purse]] = field(default_factory=list)

    @classmethod
    def of(cls, limits: Limits, calendar: Sequence[Bounds]) -> _Budget | None:
        if limits.budget_nusd is None or limits.budget_window is None:
            return None
        return cls(limits.budget_nusd, limits.budget_window, limits.budget_carries_over, calendar)

    def take(self, past: Past) -> bool:
        """Hold the worst case until the request's end, if there is room."""
        if self.window == PER_REQUEST:
            return 0 < self.limit >= past.hold_nusd
        self._settle(past.at)
        purse = self.purse
        if purse is None or purse.ends_at <= past.at:
            purse = self.purse = self._next(purse, past.at)
        room = self.limit + purse.carried - purse.spent - purse.held
        if self.limit == 0 or (past.hold_nusd > 0 and room < past.hold_nusd):
            return False
        purse.held += past.hold_nusd
        heappush(self.in_flight, (past.ended_at, past.id, past.hold_nusd, past.cost_nusd, purse))
        return True

    def _settle(self, at: datetime) -> None:
        while self.in_flight and self.in_flight[0][0] <= at:
            _, _, hold, cost, purse = heappop(self.in_flight)
            purse.held -= hold
            purse.spent += cost

    def _next(self, before: _Purse | None, at: datetime) -> _Purse:
        if self.window == LIFETIME:
            return _Purse(datetime.max.replace(tzinfo=at.tzinfo), 0)
        if self.window == ROLLING:
            return _Purse(at + ROLLS_FOR, 0, self._left(before))
        place = bisect_right(self.calendar, at, key=lambda bounds: bounds[0]) - 1
        # A whole window without use left all of it.
        whole_passed = before is not None and self.carries_over and place > before.place + 1
        return _Purse(self.calendar[place][1], place, self.limit if whole_passed else self._left(before))

    def _left(self, before: _Purse | None) -> int:
        if before is None or not self.carries_over:
            return 0
        return min(self.limit, max(0, self.limit + before.carried - before.spent - before.held))
