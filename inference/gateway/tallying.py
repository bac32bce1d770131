"""Counts what requests came to in memory, and adds it to the metrics a few times a second.

A metric lives in a file that all processes share, and adding to it costs a microsecond or two: with six of them for
each request that was a tenth of the gateway's time. Nobody reads metrics more than once a second.
"""

from __future__ import annotations

import asyncio

from billing.settlement import Bill
from foundation import metrics

WRITE_SECONDS = 0.1


class Tally:
    """The requests of one event loop that are counted and not written yet."""

    def __init__(self) -> None:
        # Requests, tokens of the prompt, cached ones, tokens of the answer, nano-dollars.
        self._sums: dict[tuple[str, str, str, int], list[int]] = {}
        self._due: asyncio.TimerHandle | None = None

    def count(self, bill: Bill) -> None:
        """Count a request that was charged, or whose charge is nothing."""
        sums = self._sums.setdefault((bill.model, bill.endpoint, str(bill.outcome), bill.status), [0, 0, 0, 0, 0])
        sums[0] += 1
        sums[1] += bill.prompt_tokens
        sums[2] += bill.cached_tokens
        sums[3] += bill.completion_tokens
        sums[4] += bill.cost
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(WRITE_SECONDS, self.write)

    def write(self) -> None:
        """Add everything to the metrics now; before a process ends, call it once more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        for (model, endpoint, outcome, status), (requests, prompt, cached, completion, cost) in self._sums.items():
            metrics.requests(endpoint, outcome, str(status)).inc(requests)
            metrics.tokens("prompt", model).inc(prompt)
            metrics.tokens("cached", model).inc(cached)
            metrics.tokens("completion", model).inc(completion)
            metrics.charged(model).inc(cost)
        self._sums.clear()
