"""Limits and purses are asked at the same time; if either refuses, the other is undone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

from billing.holds import Hold, HoldRequest, Holds
from foundation import clock, metrics
from foundation.errors import PlatformError
from inference.gateway.admission import Admission, AdmissionRequest, Amounts, Ticket
from inference.gateway.catalogue import Catalogue
from inference.gateway.orders import Http, Order, Ordering
from inference.gateway.routing import Balance
from keys.verification import Caller, KeyDirectory

# So few requests are measured: to write down the time of each one would be felt.
ONE_IN = 16


class Admitting:
    """The one way to a ticket and a hold."""

    def __init__(
        self, directory: KeyDirectory, ordering: Ordering, admission: Admission, holds: Holds, balance: Balance
    ) -> None:
        self._directory = directory
        self._ordering = ordering
        self._balance = balance
        self._admission = admission
        self._holds = holds
        self._admitted = 0

    async def admit(
        self, http: Http, secret: str, caller: Caller, order: Order, catalogue: Catalogue
    ) -> tuple[Caller, Order, Ticket, Hold]:
        """Pass all limits and all purses, or raise what refused.

        The limits answer with the newest version of the organization. A caller that was read before that is read
        again, so that a revoked key or a changed limit counts from the next request on.
        """
        attempt = 0
        while True:
            ticket, hold = await self._both(http, caller, order, attempt)
            if ticket.fence <= caller.fence:
                return caller, order, ticket, hold
            try:
                newer = await self._directory.caller(secret, ticket.fence)
                if newer is caller:
                    return caller, order, ticket, hold
                order = await self._ordering.decide(http, order.surface, order.wanted, catalogue, newer, clock.now())
            except PlatformError:
                await self._undo(ticket, hold)
                raise
            await self._undo(ticket, hold)
            caller, attempt = newer, attempt + 1

    async def _both(self, http: Http, caller: Caller, order: Order, attempt: int) -> tuple[Ticket, Hold]:
        request, began = _hold_request(http, caller, order), time.monotonic()
        taken = self._holds.begin(request)
        try:
            admitting = self._admission.enqueue(self._admission_request(http, caller, order, attempt))
        except PlatformError:
            # What was asked for is on its way: only what has come can be given back.
            await self._undo(None, await self._held(request, taken))
            raise
        # Both are under way: waiting for one after the other takes as long as the slower one.
        ticket = await _outcome(admitting)
        hold = await self._held(request, taken)
        if isinstance(ticket, Ticket) and isinstance(hold, Hold):
            self._measure(began)
            return ticket, hold
        await self._undo(ticket, hold)
        raise next(refusal for refusal in (ticket, hold) if isinstance(refusal, Exception))

    async def _held(self, request: HoldRequest, taken: Hold | asyncio.Future[Hold]) -> Hold | Exception:
        return taken if isinstance(taken, Hold) else await _outcome(self._holds.outcome(request, taken))

    def _measure(self, began: float) -> None:
        self._admitted += 1
        if self._admitted % ONE_IN == 0:
            metrics.admission.observe(time.monotonic() - began)

    def _admission_request(self, http: Http, caller: Caller, order: Order, attempt: int) -> AdmissionRequest:
        return AdmissionRequest(
            organization_id=caller.organization_id,
            # The lease of an attempt that is undone must not take the next one's with it.
            lease_id=f"{http.public_id}.{attempt}" if attempt else http.public_id,
            rates=caller.rates + order.finer.rates,
            amounts=Amounts(order.bound.likely_input, order.bound.likely_output),
            pools=self._balance.seats(order.routes, asyncio.get_running_loop().time()),
        )

    async def _undo(self, ticket: object, hold: object) -> None:
        if isinstance(ticket, Ticket):
            self._admission.undo(ticket)
        if isinstance(hold, Hold):
            await self._holds.void(hold)


async def _outcome[Result](future: Awaitable[Result]) -> Result | Exception:
    try:
        return await future
    except Exception as refusal:  # noqa: BLE001 - whatever it is, the other one has to be undone before it is raised
        return refusal


def _hold_request(http: Http, caller: Caller, order: Order) -> HoldRequest:
    return HoldRequest(
        request_id=http.request_id,
        organization_id=caller.organization_id,
        project_id=caller.project_id or caller.organization_id,
        key_id=caller.key_id,
        model=order.model.id,
        amount_nusd=order.worst_case_nusd,
        zone=caller.time_zone,
        customer=order.wanted.customer,
        caps=caller.caps + order.finer.caps,
    )
