"""Counts what requests came to in memory, and adds it to the metrics a few times a second.

A metric lives in a file that all processes share, and adding to it costs a microsecond or two: with six of them for
each request that was a tenth of the gateway's time. Nobody reads metrics more than once a second.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from billing.settlement import Bill
from foundation import metrics

WRITE_SECONDS = 0.1


class Tally:
    """The requests of one event loop that are counted and not written yet."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._charged: Counter[str] = Counter()
        self._due: asyncio.TimerHandle | None = None

    def count(self, bill: Bill) -> None:
        """Count a request that was charged, or whose charge is nothing."""
        model = bill.model
        self._requests[bill.endpoint, bill.outcome, str(bill.status)] += 1
        self._tokens["prompt", model] += bill.prompt_tokens
        self._tokens["cached", model] += bill.cached_tokens
        self._tokens["completion", model] += bill.completion_tokens
        self._charged[model] += bill.cost
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(WRITE_SECONDS, self.write)

    def write(self) -> None:
        """Add everything to the metrics now; before a process ends, call it once more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        _write(self._requests, metrics.requests)
        _write(self._tokens, metrics.tokens)
        for model, amount in self._charged.items():
            metrics.charged(model).inc(amount)
        self._charged.clear()


def _write[Labels: tuple[str, ...]](counts: Counter[Labels], metric: metrics.Labelled[metrics.Counter]) -> None:
    for labels, amount in counts.items():
        metric(*labels).inc(amount)
    counts.clear()
