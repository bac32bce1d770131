"""One request on its way: what is known of it, how long the present step may take, and how to stop it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from billing.holds import Hold
from billing.rates import Rates
from foundation.errors import PlatformError
from inference.gateway.admission import Ticket
from inference.gateway.catalogue import Model
from inference.gateway.charging import Ending
from inference.gateway.estimating import Estimate
from inference.gateway.routing import Target
from keys.verification import Caller

CLIENT_SECONDS = 30.0
"""How long a client may not read before it counts as gone (architecture §4.3)."""


@dataclass(slots=True, eq=False)
class Exchange:
    """Mutable, and owned by the one task that serves the request; the keeper only calls `stop`. Times are the loop's."""

    request_id: UUID
    public_id: str
    endpoint: str
    streamed: bool
    customer: str
    caller: Caller
    model: Model
    rates: Rates
    estimate: Estimate
    likely_prompt: int
    ticket: Ticket
    hold: Hold
    started: float
    started_at: datetime
    target: Target | None = None
    pump: asyncio.Task[None] | None = None
    deadline: float = float("inf")
    total_deadline: float = float("inf")
    on_deadline: Ending = Ending.TIMEOUT
    stopped: Ending | None = None
    error: PlatformError | None = None
    status: int = 0
    first_output: float | None = None
    usage: object = None
    usage_is_final: bool = False
    outputs: int = 0
    complete: bool = False
    attempts: list[str] = field(default_factory=list)

    def wait_for_engine(self, now: float, seconds: float) -> None:
        """The next step is the engine's."""
        self.on_deadline = Ending.TIMEOUT
        self.deadline = min(now + seconds, self.total_deadline)

    def wait_for_client(self, now: float) -> None:
        """The next step is the client's: it has to read."""
        self.on_deadline = Ending.CLIENT_LEFT
        self.deadline = now + CLIENT_SECONDS

    def stop(self, why: Ending) -> None:
        """End the delivery now. The first reason counts."""
        if self.stopped is None and self.pump is not None and not self.pump.done():
            self.stopped = why
            self.pump.cancel()

    def check(self, now: float) -> None:
        """Stop when the present step takes too long."""
        if now > self.deadline:
            self.stop(self.on_deadline)

    @property
    def ending(self) -> Ending:
        """How the delivery ended."""
        if self.complete:
            return Ending.COMPLETE
        return self.stopped or Ending.UPSTREAM_ERROR
