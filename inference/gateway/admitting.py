"""Limits and purses are asked at the same time; if either refuses, the other is undone."""

from __future__ import annotations

import asyncio

from billing.holds import Hold, HoldRequest, Holds
from foundation import clock
from foundation.errors import PlatformError
from inference.gateway.admission import Admission, AdmissionRequest, Amounts, Ticket
from inference.gateway.catalogue import Catalogue
from inference.gateway.orders import Http, Order, order
from keys.verification import Caller, KeyDirectory


class Admitting:
    """The one way to a ticket and a hold."""

    def __init__(self, directory: KeyDirectory, admission: Admission, holds: Holds) -> None:
        self._directory = directory
        self._admission = admission
        self._holds = holds

    async def admit(
        self, http: Http, secret: str, caller: Caller, wanted: Order, catalogue: Catalogue
    ) -> tuple[Caller, Order, Ticket, Hold]:
        """Pass all limits and all purses, or raise what refused.

        The limits answer with the newest version of the organization. A caller that was read before that is read
        again, so that a revoked key or a changed limit counts from the next request on.
        """
        while True:
            ticket, hold = await self._both(http, caller, wanted)
            if ticket.fence <= caller.fence:
                return caller, wanted, ticket, hold
            try:
                newer = await self._directory.caller(secret, ticket.fence)
                if newer is caller:
                    return caller, wanted, ticket, hold
                wanted = order(wanted.chat, catalogue, newer, clock.now())
            except PlatformError:
                await self._undo(ticket, hold)
                raise
            await self._undo(ticket, hold)
            caller = newer

    async def _both(self, http: Http, caller: Caller, wanted: Order) -> tuple[Ticket, Hold]:
        holding = self._holds.enqueue(_hold_request(http, caller, wanted))
        admitting = self._admission.enqueue(_admission_request(http, caller, wanted))
        ticket, hold = await asyncio.gather(admitting, holding, return_exceptions=True)
        if isinstance(ticket, Ticket) and isinstance(hold, Hold):
            return ticket, hold
        await self._undo(ticket, hold)
        raise next(refusal for refusal in (ticket, hold) if isinstance(refusal, BaseException))

    async def _undo(self, ticket: Ticket | BaseException, hold: Hold | BaseException) -> None:
        if isinstance(ticket, Ticket):
            self._admission.undo(ticket)
        if isinstance(hold, Hold):
            await self._holds.void(hold)


def _hold_request(http: Http, caller: Caller, wanted: Order) -> HoldRequest:
    return HoldRequest(
        request_id=http.request_id,
        organization_id=caller.organization_id,
        project_id=caller.project_id or caller.organization_id,
        key_id=caller.key_id,
        model=wanted.model.id,
        amount_nusd=wanted.worst_case_nusd,
        zone=caller.time_zone,
        customer=wanted.chat.customer,
        caps=caller.caps,
    )


def _admission_request(http: Http, caller: Caller, wanted: Order) -> AdmissionRequest:
    amounts = Amounts(wanted.bound.likely_input, wanted.bound.likely_output)
    return AdmissionRequest(caller.organization_id, http.public_id, caller.rates, amounts)
