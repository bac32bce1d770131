"""One request on its way: what is known of it, how long the present step may take, and how to stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from billing.holds import Hold
from foundation.errors import PlatformError
from inference.gateway.admission import Ticket
from inference.gateway.charging import Ending
from inference.gateway.connections import Asking
from inference.gateway.engines.wire import Stream, Wire
from inference.gateway.errors import Draining, UpstreamError, UpstreamTimeout
from inference.gateway.orders import Order
from inference.gateway.routing import Target
from keys.verification import Caller

KEEP_ALIVE_SECONDS = 15.0
"""How long a stream may be silent before it is told to go on: half of what usual proxies allow."""


@dataclass(slots=True, eq=False)
class Exchange:
    """Mutable. Owned by the task that serves the request; others only call `stop` and `check`. Times are the loop's."""

    request_id: UUID
    public_id: str
    caller: Caller
    order: Order
    ticket: Ticket
    hold: Hold
    started: float
    started_at: datetime
    pump: asyncio.Task[None] | None = None
    deadline: float = float("inf")
    total_deadline: float = float("inf")
    on_deadline: Ending = Ending.TIMEOUT
    # Writes into a stream that it lives; there is none where nothing may be written before the end.
    keep_alive: Callable[[], Awaitable[None]] | None = None
    quiet_since: float = 0.0
    # What the relay learns.
    target: Target | None = None
    asking: Asking | None = None
    wire: Wire = field(init=False)
    stream: Stream | None = None
    attempts: list[str] = field(default_factory=list)
    head_sent: bool = False
    first_output: float | None = None
    usage: object = None
    usage_is_final: bool = False
    outputs: int = 0
    quantity: int = 0
    complete: bool = False
    stopped: Ending | None = None
    error: PlatformError | None = None

    def wait_for_engine(self, now: float, seconds: float) -> None:
        """Give the engine so long for the next step."""
        self.on_deadline = Ending.TIMEOUT
        self.deadline = min(now + seconds, self.total_deadline)

    def wait_for_client(self, now: float, seconds: float) -> None:
        """Give the client so long to take what it is sent now."""
        self.quiet_since = now
        self.on_deadline = Ending.CLIENT_LEFT
        self.deadline = now + seconds

    def stop(self, why: Ending) -> None:
        """End the delivery now. The first reason counts."""
        if self.stopped is None and self.pump is not None and not self.pump.done():
            self.stopped = why
            self.pump.cancel()

    def refuse(self, why: PlatformError) -> None:
        """End the delivery now, because nobody pays for more of it."""
        self.error = why
        self.stop(Ending.OUT_OF_CREDIT)

    def is_quiet(self, now: float) -> bool:
        """Say whether the engine has let a stream wait for so long that the client should hear of us."""
        waits = self.keep_alive is not None and self.on_deadline is Ending.TIMEOUT and self.stopped is None
        return waits and now - self.quiet_since > KEEP_ALIVE_SECONDS

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

    @property
    def failure(self) -> PlatformError | None:
        """Why the answer cannot be finished, if it cannot."""
        if self.complete:
            return None
        if self.stopped is Ending.DRAINED:
            return Draining(retry_after=1)
        if self.stopped is Ending.TIMEOUT:
            return UpstreamTimeout()
        return self.error or UpstreamError()

    def raise_for_failure(self) -> None:
        """Raise why the answer cannot be finished, if it cannot."""
        failure = self.failure
        if failure is not None:
            raise failure

    @property
    def shown_status(self) -> int:
        """The HTTP status that the client sees; 499 if it did not wait for one."""
        if self.head_sent or self.complete:
            return 200
        if self.stopped is Ending.CLIENT_LEFT:
            return 499
        failure = self.failure
        return failure.status if failure else 0
