"""Can they pay? Takes the worst case of a request from every purse that applies, before anything is dispatched.

Decided by Postgres in one round trip, shared by all requests that arrive meanwhile (`migrations/sql/0003_hold.sql`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg

from billing.budgets import LIFETIME, PER_REQUEST, Cap, as_item, by_purse, most_ever
from billing.errors import BudgetExceeded, InsufficientCredit
from billing.reserving import Hold, HoldRequest
from billing.settlement import SETTLED, Receipt
from billing.slicing import Slices
from foundation import logs, metrics
from foundation.batching import Batcher
from foundation.errors import Conflict
from foundation.money import display
from foundation.stores import Postgres, Row, StoreDown

# The limit's name, for programs that read an error's `param`.
BUDGET = "budget_nusd"
# Requests in flight end, and give back what they did not use, within about this.
SETTLED_SECONDS = 1

__all__ = ["Cap", "Hold", "HoldRequest", "Holds"]

# How long a window still lasts is for Postgres to say, which opened it: the clock of a process may be wrong.
HOLD = "SELECT *, ends_at - clock_timestamp() FROM turnpike_hold(%s::jsonb, %s)"
VOID = "SELECT turnpike_void(%s)"
EXTEND = "SELECT * FROM turnpike_extend(%s, %s)"
# What lies idle in slices is given back within a look of its process: so often, and so long after each other, a request
# is asked for again before it is refused.
RECALLS = 4
RECALL_SECONDS = 0.12

log = logs.get(__name__)


class Holds:
    """Takes, extends and voids holds, many at a time.

    Raises (`take`): `InsufficientCredit`, `BudgetExceeded`; `Conflict` when the request was settled or has expired;
    `Overloaded` when Postgres is down: money fails closed.
    """

    def __init__(
        self, postgres: Postgres, lease_seconds: float, *, with_slices: bool = False, processes: int = 1
    ) -> None:
        self._postgres = postgres
        self._lease = timedelta(seconds=lease_seconds)
        self._taking = Batcher(self._take_all, name="holds", max_batch=256)
        self._voiding = Batcher(self._void_all, name="voids", max_batch=256)
        self._slices = Slices(postgres, self._taking.submit, lease_seconds=lease_seconds, processes=processes)
        self._with_slices = with_slices

    def start(self) -> None:
        """Take slices from now on, where that is switched on; call it on the running loop."""
        if self._with_slices:
            self._slices.start()

    async def drain(self) -> None:
        """Take no slices any more and give back what is idle."""
        await self._slices.close()

    async def stop(self) -> None:
        """Stop looking after slices."""
        await self._slices.stop()

    async def take(self, request: HoldRequest) -> Hold:
        """Hold `request.amount_nusd` in all purses that apply, or in none."""
        taken = self.begin(request)
        return taken if isinstance(taken, Hold) else await self.outcome(request, taken)

    def begin(self, request: HoldRequest) -> Hold | asyncio.Future[Hold]:
        """Hold a request at once in a slice, or ask Postgres; the `outcome` of that future is to be awaited."""
        _refuse_single_request_over_its_cap(request)
        if self._with_slices and (place := self._slices.take(request)) is not None:
            return Hold(request.request_id, request.amount_nusd, place.slice.purses, place=place)
        return self._taking.enqueue(request)

    async def outcome(self, request: HoldRequest, asked: asyncio.Future[Hold]) -> Hold:
        """Return the hold that was asked for. What is idle in slices is called back before anybody is refused."""
        for _ in range(RECALLS):
            try:
                return self._learnt(request, await asked)
            except (InsufficientCredit, BudgetExceeded) as refusal:
                if not refusal.idle_nusd:
                    raise
            self._slices.recall(request.organization_id)
            await asyncio.sleep(RECALL_SECONDS)
            asked = self._taking.enqueue(request)
        return self._learnt(request, await asked)

    def _learnt(self, request: HoldRequest, hold: Hold) -> Hold:
        if self._with_slices:
            self._slices.learn(request, hold.room_nusd)
        return hold

    async def void(self, hold: Hold) -> None:
        """Give a hold back whose request never reached an engine."""
        place = hold.place
        if place is None:
            await self._voiding.submit(hold)
            return
        untouched = False
        try:
            # One that is on record may have been ended by the reaper, and what it held has left the slice with it.
            untouched = not await self._slices.leave(place) or await self._voiding.submit(hold)
        finally:
            if untouched:
                self._slices.ended(place, 0)
            else:
                self._slices.lost(place)

    async def show(self, hold: Hold) -> None:
        """Return when the request is on record; await this before anything of its answer leaves. Raises `StoreDown`."""
        if hold.place is not None:
            await self._slices.show(hold.place)

    async def leave(self, hold: Hold) -> None:
        """A request is about to be settled: what was not written down of it need not be any more."""
        if hold.place is not None:
            await self._slices.leave(hold.place)

    def ended(self, hold: Hold, receipt: Receipt | None, released_nusd: int) -> None:
        """A request was settled, and its slice has released so much; or nobody knows (None)."""
        if hold.place is None:
            return
        if receipt is not None and receipt.verdict == SETTLED:
            self._slices.ended(hold.place, released_nusd)
        else:
            # Late: the slice is gone. A duplicate was settled by a try whose answer was lost, perhaps late.
            self._slices.lost(hold.place)

    async def extend(self, request_ids: Sequence[UUID]) -> None:
        """Renew the leases of requests that still run."""
        if request_ids:
            await self._postgres.fetch(EXTEND, (list(request_ids), self._lease))

    async def _take_all(self, requests: list[HoldRequest]) -> list[Hold | Exception]:
        try:
            return await self._take_together(requests)
        except psycopg.Error as error:
            if len(requests) == 1:
                raise
            log.warning("hold_batch_refused", reason=type(error).__name__, count=len(requests))
            return [await self._take_alone(request) for request in requests]

    async def _take_alone(self, request: HoldRequest) -> Hold | Exception:
        """One bad request must not spoil those that arrived with it."""
        try:
            return (await self._take_together([request]))[0]
        except (psycopg.Error, StoreDown) as error:
            return error

    async def _take_together(self, requests: list[HoldRequest]) -> list[Hold | Exception]:
        batch = orjson.dumps([_as_item(request) for request in requests]).decode()
        rows = await self._postgres.fetch(HOLD, (batch, self._lease))
        return [_verdict(request, row) for request, row in zip(requests, rows, strict=True)]

    async def _void_all(self, holds: list[Hold]) -> list[bool]:
        """Whether all of them were still held; it does not matter which, where it is doubtful."""
        ((voided,),) = await self._postgres.fetch(VOID, ([hold.request_id for hold in holds],))
        return [voided == len(holds)] * len(holds)


def _refuse_single_request_over_its_cap(request: HoldRequest) -> None:
    for cap in request.caps:
        if cap.window != PER_REQUEST:
            continue
        if cap.limit_nusd == 0:
            raise BudgetExceeded(f"The {cap.who}'s budget is 0, which blocks every request.", param=BUDGET)
        if request.amount_nusd > cap.limit_nusd:
            raise BudgetExceeded(
                f"This request could cost up to {display(request.amount_nusd)}; the {cap.who}'s limit is "
                f"{display(cap.limit_nusd)} per request. Lower max_tokens.",
                param=BUDGET,
            )


def _as_item(request: HoldRequest) -> dict[str, Any]:
    return {
        "request": request.request_id,
        "organization": request.organization_id,
        "project": request.project_id,
        "key": request.key_id,
        "model": request.model,
        "customer": request.customer,
        "amount": request.amount_nusd,
        "slice": request.is_slice,
        "zone": request.zone,
        "caps": [as_item(caps) for caps in by_purse(request.caps)],
    }


def _verdict(request: HoldRequest, row: Row) -> Hold | Exception:
    _, purses, refused_by, _, limit, room, held, idle, ends_at, place, shadowed, ends_in = row
    if purses is not None:
        if shadowed:
            _count_shadowed(request, shadowed)
        return Hold(request.request_id, request.amount_nusd, tuple(purses), room or 0, ends_in)
    if refused_by is None:
        return Conflict("This request has ended already.")
    refusal: InsufficientCredit | BudgetExceeded
    if place:
        refusal = _no_budget(request, by_purse(request.caps)[place - 1], limit, room, held, (ends_at, ends_in))
    else:
        refusal = _no_credit(request, room or 0, held or 0)
    refusal.idle_nusd = idle or 0
    return refusal


def _count_shadowed(request: HoldRequest, places: Sequence[int]) -> None:
    purses = by_purse(request.caps)
    for place in places:
        metrics.budget_shadow_refusals(purses[place - 1][0].scope).inc()


def _no_credit(request: HoldRequest, room: int, held: int) -> InsufficientCredit:
    return InsufficientCredit(
        f"This request could cost up to {display(request.amount_nusd)} and that much must be free beforehand; "
        f"{display(room)} of credit is free, {display(held)} is reserved by requests in flight. "
        "Add credit, or lower max_tokens.",
        retry_after=_soon(request, room, held),
    )


def _no_budget(
    request: HoldRequest, caps: Sequence[Cap], limit: int, room: int, held: int, end: tuple[datetime, timedelta]
) -> BudgetExceeded:
    cap = caps[0]
    if limit == 0:
        return BudgetExceeded(f"The {cap.who}'s budget is 0, which blocks every request.", param=BUDGET)
    in_short = (
        f"The {cap.who}'s budget of {display(limit)} {_per(cap.window)} has {display(room)} left, "
        f"{display(held)} is reserved by requests in flight; this request could cost up to "
        f"{display(request.amount_nusd)}."
    )
    if request.amount_nusd > most_ever(caps):
        return BudgetExceeded(f"{in_short} That is more than the whole budget: lower max_tokens.", param=BUDGET)
    soon = _soon(request, room, held)
    if cap.window == LIFETIME:
        return BudgetExceeded(f"{in_short} The budget is never filled up again.", param=BUDGET, retry_after=soon)
    ends_at, ends_in = end
    left = max(0, ends_in // timedelta(seconds=1) + 1)
    return BudgetExceeded(
        f"{in_short} The budget's window ends at {ends_at.isoformat()}.", param=BUDGET, retry_after=soon or left
    )


def _soon(request: HoldRequest, room: int, held: int) -> int | None:
    """Return when to try again if requests in flight may give back enough: they seldom use all that is reserved."""
    return SETTLED_SECONDS if held and room + held >= request.amount_nusd else None


def _per(window: str) -> str:
    return {LIFETIME: "in all", "5h": "per 5 hours"}.get(window, f"per {window.replace('_', ' ')}")
