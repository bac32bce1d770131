"""Keeps running requests alive and in time: renews their leases, stops those that take too long, ends them all.

One loop for the whole process, so that a stream costs no timer and no task of its own for this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from billing.holds import Holds
from foundation import logs, metrics
from foundation.errors import PlatformError
from inference.gateway.admission import Admission
from inference.gateway.charging import Ending
from inference.gateway.exchange import Exchange

log = logs.get(__name__)

TICK_SECONDS = 0.1


class Kept:
    """The time for which one request is kept. A class, because a generator would cost each request twice as much."""

    __slots__ = ("_exchange", "_keeper")

    def __init__(self, keeper: Keeper, exchange: Exchange) -> None:
        self._keeper = keeper
        self._exchange = exchange

    def __enter__(self) -> None:
        self._keeper.add(self._exchange)

    def __exit__(self, *_: object) -> None:
        self._keeper.discard(self._exchange)


class Keeper:
    """All exchanges of this process."""

    def __init__(self, holds: Holds, admission: Admission, *, renew_seconds: float) -> None:
        self._holds = holds
        self._admission = admission
        self._renew_seconds = renew_seconds
        self._exchanges: set[Exchange] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._signs_of_life: set[asyncio.Future[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._exchanges)

    def running(self) -> list[Exchange]:
        """Return what is under way now."""
        return list(self._exchanges)

    def start(self) -> None:
        """Start watching; call it on the running loop."""
        self._loops = [
            asyncio.create_task(self._every(TICK_SECONDS, self._check), name="deadlines"),
            asyncio.create_task(self._renew(), name="leases"),
        ]

    def keeping(self, exchange: Exchange) -> Kept:
        """Keep a request that holds money for the length of a block, until it is settled."""
        return Kept(self, exchange)

    def add(self, exchange: Exchange) -> None:
        """Begin to keep a request."""
        self._exchanges.add(exchange)
        self._idle.clear()

    def discard(self, exchange: Exchange) -> None:
        """Keep it no longer."""
        self._exchanges.discard(exchange)
        if not self._exchanges:
            self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Wait for what runs; after `seconds` end it in-band. Returns when all is settled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        for exchange in list(self._exchanges):
            exchange.stop(Ending.DRAINED)
        await self._idle.wait()

    async def stop(self) -> None:
        """Stop watching."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        metrics.in_flight.set(len(self._exchanges))

    def _check(self) -> None:
        metrics.in_flight.set(len(self._exchanges))
        now = asyncio.get_running_loop().time()
        for exchange in list(self._exchanges):
            exchange.check(now)
            if exchange.keep_alive is not None and exchange.is_quiet(now):
                # A task, for a client may be slow; remembered, for the loop itself forgets tasks.
                sign = asyncio.ensure_future(exchange.keep_alive())
                self._signs_of_life.add(sign)
                sign.add_done_callback(self._signs_of_life.discard)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._renew_seconds)
            running = list(self._exchanges)
            metrics.event_loop_tasks.set(len(asyncio.all_tasks()))
            try:
                await asyncio.gather(
                    asyncio.create_task(self._holds.extend([exchange.request_id for exchange in running])),
                    asyncio.create_task(self._admission.extend([exchange.ticket for exchange in running])),
                )
            except PlatformError as error:
                # Leases outlive several rounds; the next one may succeed.
                log.warning("leases_not_renewed", reason=type(error).__name__, count=len(running))
            except Exception:  # Whatever it was: without this loop every longer request would lose its hold.
                log.exception("leases_not_renewed", count=len(running))

    async def _every(self, seconds: float, action: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            action()
