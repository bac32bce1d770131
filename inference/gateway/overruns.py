"""Notices running streams that have cost more than is held for them, asks their purses for more, and ends those that
get none: in-band, with what was delivered charged.

A hold covers the worst case that could be known. An engine that does not stop where it was told to, or media, can go
beyond it. One look at all streams of the process at a time, so that a stream costs no task of its own for this.
"""

from __future__ import annotations

import asyncio

import psycopg

from billing.growing import Growing, Growth
from foundation import logs, metrics
from foundation.errors import PlatformError
from inference.gateway.charging import Ending, consumption
from inference.gateway.exchange import Exchange
from inference.gateway.keeping import Keeper
from inference.gateway.settling import price

log = logs.get(__name__)

LOOK_SECONDS = 1.0
# Who needs more is given as much again where there is room, so that a long answer asks seldom.
AHEAD = 2


class Overruns:
    """Looks after all streams of one process, again and again."""

    def __init__(self, keeper: Keeper, growing: Growing) -> None:
        self._keeper = keeper
        self._growing = growing
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start looking; call it on the running loop."""
        self._loop = asyncio.create_task(self._look_again(), name="overruns")

    async def stop(self) -> None:
        """Look no more."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def look(self) -> None:
        """Raise the holds of the streams that need it, and end those for which there is no more."""
        over = [(it, cost) for it in self._keeper.running() if (cost := cost_so_far(it)) > it.hold.amount_nusd]
        if not over:
            return
        metrics.holds_outgrown.inc(len(over))
        verdicts = await self._growing.grow([_growth(exchange, cost) for exchange, cost in over])
        for (exchange, _), verdict in zip(over, verdicts, strict=True):
            if isinstance(verdict, PlatformError):
                log.warning("stream_out_of_credit", code=verdict.code, model=exchange.order.model.id)
                exchange.refuse(verdict)
            elif verdict is not None:
                exchange.hold = exchange.hold.grown(verdict)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except (PlatformError, psycopg.Error) as error:
                log.warning("overruns_not_seen", reason=type(error).__name__)
            except Exception:  # Whatever it was: without this loop nobody would stop an engine that goes on and on.
                log.exception("overruns_not_seen")


def cost_so_far(exchange: Exchange) -> int:
    """Return what a stream would be charged if its client left now, in nano-dollars; 0 before it has said anything."""
    stream = exchange.stream
    if stream is None:
        return 0
    used = consumption(
        Ending.CLIENT_LEFT,
        stream.usage(),
        final=False,
        outputs=stream.outputs,
        likely_prompt=exchange.order.bound.likely_input,
        generates=exchange.order.surface.generates,
    )
    return price(exchange, used)


def _growth(exchange: Exchange, cost: int) -> Growth:
    caller = exchange.caller
    return Growth(
        request_id=exchange.request_id,
        organization_id=caller.organization_id,
        needed_nusd=cost,
        wanted_nusd=AHEAD * cost,
        caps=caller.caps + exchange.order.finer.caps,
    )
