"""Turns the end of an exchange into a bill, and has it charged before anybody is told that the answer is complete."""

from __future__ import annotations

import asyncio
import math

from billing.holds import Holds
from billing.settlement import Bill, Receipt, Settlements
from foundation import metrics
from foundation.errors import Overloaded
from foundation.failpoints import reach
from inference.gateway.admission import Admission, Amounts
from inference.gateway.charging import Consumption, Ending, Source, consumption
from inference.gateway.errors import SettlementFailed
from inference.gateway.exchange import Exchange
from inference.gateway.learning import Experience
from inference.gateway.tallying import Tally

# A settlement gets at least this long, however late the request already is.
LEAST_SECONDS = 5.0


class Settling:
    """The one way from a finished delivery to a charge."""

    def __init__(self, settlements: Settlements, holds: Holds, admission: Admission, experience: Experience) -> None:
        self._settlements = settlements
        self._holds = holds
        self._admission = admission
        self._experience = experience
        self._tally = Tally()

    def close(self) -> None:
        """Write what is counted and not in the metrics yet."""
        self._tally.write()

    async def show(self, exchange: Exchange) -> None:
        """Return when it is on record that the request runs: before the first of its answer leaves."""
        await self._holds.show(exchange.hold)

    async def settle(self, exchange: Exchange) -> int:
        """Charge once, durably, and correct the limits. Returns the cost in nano-dollars.

        Raises `SettlementFailed` if the charge could not be made durable: nothing was charged then, and the hold
        ends by its lease, which leaves a record.
        """
        used = _consumption(exchange)
        bill = _bill(exchange, used)
        reach("used")
        self._admission.release(exchange.ticket, _amounts(exchange, used))
        _learn(self._experience, exchange, used)
        try:
            await self._charge(exchange, bill)
        except Overloaded as cause:
            metrics.requests(exchange.order.surface.name, "settlement_failed", "503").inc()
            raise SettlementFailed(retry_after=cause.retry_after) from cause
        self._tally.count(bill)
        if exchange.first_output is not None:
            metrics.time_to_first_token(bill.model).observe(exchange.first_output - exchange.started)
        return bill.cost

    async def _charge(self, exchange: Exchange, bill: Bill) -> None:
        receipt: Receipt | None = None
        try:
            await self._holds.leave(exchange.hold)
            receipt = await self._settlements.settle(bill, within_seconds=_patience(exchange))
        finally:
            self._holds.ended(exchange.hold, receipt, bill.release)


def _consumption(exchange: Exchange) -> Consumption:
    surface = exchange.order.surface
    return consumption(
        exchange.ending,
        exchange.usage,
        final=exchange.usage_is_final,
        outputs=exchange.outputs,
        # No model reads what is only taken apart into tokens, so none of them are on record.
        likely_prompt=exchange.order.bound.likely_input if surface.charges else 0,
        generates=surface.generates,
    )


def _learn(experience: Experience, exchange: Exchange, used: Consumption) -> None:
    if used.source not in (Source.FINAL, Source.CONTINUOUS):
        return
    wanted, bound, model = exchange.order.wanted, exchange.order.bound, exchange.order.model.id
    if 0 < used.tokens.prompt <= bound.most_input and not wanted.has_media:
        experience.note_input(model, wanted.size, used.tokens.prompt)
    if used.outcome == Ending.COMPLETE and 0 < used.tokens.completion <= bound.most_output:
        experience.note_output(exchange.caller.key_id, model, -(-used.tokens.completion // wanted.choices))


def _amounts(exchange: Exchange, used: Consumption) -> Amounts:
    """What counts against the limits. An engine that never said what it read has read the input all the same."""
    prompt = exchange.order.bound.likely_input if used.source is Source.NONE else used.tokens.prompt
    return Amounts(prompt, used.tokens.completion)


def price(exchange: Exchange, used: Consumption) -> int:
    """Return what a request that used so much is charged, in nano-dollars."""
    if not (used.billable and exchange.order.surface.charges):
        return 0
    return exchange.order.rates.cost(
        prompt_tokens=used.tokens.prompt,
        cached_tokens=used.tokens.cached,
        completion_tokens=used.tokens.completion,
        unit=exchange.order.surface.unit,
        quantity=exchange.quantity,
    )


def _patience(exchange: Exchange) -> float:
    """While Postgres is away the end marker waits for as long as the request's own time allows."""
    left = exchange.total_deadline - asyncio.get_running_loop().time()
    return max(LEAST_SECONDS, left) if math.isfinite(left) else LEAST_SECONDS


def _bill(exchange: Exchange, used: Consumption) -> Bill:
    target, caller, first = exchange.target, exchange.caller, exchange.first_output
    now = asyncio.get_running_loop().time()
    cost, place = price(exchange, used), exchange.hold.place
    return Bill(
        request=exchange.request_id,
        organization=caller.organization_id,
        project=caller.project_id or caller.organization_id,
        key=caller.key_id,
        customer=exchange.order.wanted.customer,
        model=exchange.order.model.id,
        pool=target.pool.name if target else "",
        replica=target.replica.url if target else "",
        endpoint=exchange.order.surface.name,
        streamed=exchange.order.wanted.stream,
        outcome=used.outcome,
        source=used.source,
        status=exchange.shown_status,
        prompt_tokens=used.tokens.prompt,
        cached_tokens=used.tokens.cached,
        completion_tokens=used.tokens.completion,
        unit=exchange.order.surface.unit if exchange.quantity else "",
        quantity=exchange.quantity,
        # What costs nothing at any price is charged by none, so that no corrected one ever makes it cost anything.
        price_version=exchange.order.rates.version if exchange.order.surface.charges else None,
        cost=cost,
        purses=exchange.hold.purses,
        ttft_ms=None if first is None else int((first - exchange.started) * 1000),
        latency_ms=int((now - exchange.started) * 1000),
        started_at=exchange.started_at,
        slice=place.slice.id if place else None,
        held=exchange.hold.amount_nusd if place else 0,
        release=place.release(cost) if place else 0,
        attempts=len(exchange.attempts),
    )
