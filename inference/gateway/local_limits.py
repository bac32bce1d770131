"""The limits of one process for the time that Valkey is away: the shared limit divided by the number of processes.

The same rules as `admission.lua`, with the same answers, so that one piece of code reads both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keys.effective import Rate

if TYPE_CHECKING:
    from inference.gateway.admission import Amounts, Ask

WINDOW = 61
CONCURRENCY = 5
# Beyond this many scopes the ones that are idle are dropped.
MOST_SCOPES = 10_000
SWEEP_SECONDS = 10.0

type ScopeId = tuple[str, str]


@dataclass(slots=True)
class _Usage:
    buckets: dict[int, list[int]] = field(default_factory=dict)
    leases: dict[str, float] = field(default_factory=dict)

    def forget(self, now: float) -> None:
        for second in [second for second in self.buckets if second + WINDOW <= now]:
            del self.buckets[second]
        for lease in [lease for lease, ends in self.leases.items() if ends <= now]:
            del self.leases[lease]

    def used(self, position: int) -> int:
        return sum(amounts[position] for amounts in self.buckets.values())


class LocalLimits:
    """Sliding windows and leases in memory."""

    def __init__(self, *, processes: int, lease_seconds: float) -> None:
        self._processes = max(1, processes)
        self._lease_seconds = lease_seconds
        self._usage: dict[ScopeId, _Usage] = {}
        self._next_sweep = 0.0

    def admit(self, asks: Sequence[Ask], now: float) -> list[Any]:
        """Answer like the script: the fence (0: not known), the second, then a verdict for each question."""
        if len(self._usage) > MOST_SCOPES and now >= self._next_sweep:
            self._sweep(now)
        return [0, int(now), *(self._verdict(ask, now) for ask in asks)]

    def extend(self, leases: Sequence[str], now: float) -> None:
        """Renew leases that still stand."""
        for usage in self._usage.values():
            for lease in leases:
                if usage.leases.get(lease, 0.0) > now:
                    usage.leases[lease] = now + self._lease_seconds

    def release(self, ask: Ask, used: Amounts | None, second: int) -> None:
        """End a request that was let in here; None for one that is taken back."""
        after = used.as_row() if used else [0, 0, 0, 0]
        for rate in ask.rates:
            usage = self._usage.get((rate.scope, rate.scope_id))
            if usage is None:
                continue
            usage.leases.pop(ask.lease_id, None)
            bucket = usage.buckets.get(second)
            if bucket is not None:
                for position, before in enumerate(ask.amounts.as_row()):
                    bucket[position] += after[position] - before

    def _sweep(self, now: float) -> None:
        self._next_sweep = now + SWEEP_SECONDS
        for usage in self._usage.values():
            usage.forget(now)
        self._usage = {scope: usage for scope, usage in self._usage.items() if usage.buckets or usage.leases}

    def _verdict(self, ask: Ask, now: float) -> list[int]:
        amounts = ask.amounts.as_row()
        scopes = [(rate, self._current(rate, now)) for rate in ask.rates]
        for number, (rate, usage) in enumerate(scopes, start=1):
            refusal = self._refusal(number, rate, usage, amounts, now)
            if refusal:
                return refusal
        for rate, usage in scopes:
            bucket = usage.buckets.setdefault(int(now), [0, 0, 0, 0])
            for position, amount in enumerate(amounts):
                bucket[position] += amount
            if rate.concurrency is not None:
                usage.leases[ask.lease_id] = now + self._lease_seconds
        return self._headroom(scopes, now)

    def _current(self, rate: Rate, now: float) -> _Usage:
        usage = self._usage.setdefault((rate.scope, rate.scope_id), _Usage())
        usage.forget(now)
        return usage

    def _refusal(self, number: int, rate: Rate, usage: _Usage, amounts: list[int], now: float) -> list[int] | None:
        concurrency = self._share(rate.concurrency)
        if concurrency is not None and len(usage.leases) >= concurrency:
            return [0, number, CONCURRENCY, concurrency, 0, 1000]
        for position, limit in enumerate(self._rates(rate)):
            if limit is None:
                continue
            left = limit - usage.used(position)
            if amounts[position] > left:
                return [0, number, position + 1, limit, left, _wait_ms(usage, position, amounts[position] - left, now)]
        return None

    def _headroom(self, scopes: list[tuple[Rate, _Usage]], now: float) -> list[int]:
        verdict = [1, -1, -1, 0, -1, -1, 0]
        for rate, usage in scopes:
            for position, limit in enumerate(self._rates(rate)[:2]):
                at = position * 3 + 1
                if limit is not None:
                    left = limit - usage.used(position)
                    if verdict[at] < 0 or left < verdict[at + 1]:
                        reset = (max(usage.buckets) + WINDOW - now) * 1000
                        verdict[at : at + 3] = [limit, left, int(reset)]
        return verdict

    def _rates(self, rate: Rate) -> list[int | None]:
        return [self._share(limit) for limit in (rate.rpm, rate.tpm, rate.input_tpm, rate.output_tpm)]

    def _share(self, limit: int | None) -> int | None:
        return limit if not limit else max(1, limit // self._processes)


def _wait_ms(usage: _Usage, position: int, over: int, now: float) -> int:
    for second in sorted(usage.buckets):
        over -= usage.buckets[second][position]
        if over <= 0:
            return int((second + WINDOW - now) * 1000)
    return WINDOW * 1000
