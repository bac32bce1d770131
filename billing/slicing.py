"""The slices of one process: holds requests in them without a round trip, and keeps Postgres informed (ADR 0011).

Postgres decides money: a slice is a hold like any other, taken, leased, extended and reaped in the same way. A process
that does not hear from Postgres for half a second uses none, so money fails closed with slices as without them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import psycopg

from billing.budgets import PER_REQUEST, SHADOW, Cap
from billing.reserving import Hold, HoldRequest, Place
from billing.slices import NEVER, REST_MS, Pocket, Slice
from foundation import ids, logs
from foundation.errors import PlatformError
from foundation.stores import Postgres

ENTER = "SELECT turnpike_enter(%s::jsonb, %s)"
RENEW = "SELECT * FROM turnpike_renew(%s, %s)"
SHRINK = "SELECT turnpike_shrink(%s::jsonb)"
STANDING = "SELECT request_id, recalled FROM billing_hold WHERE request_id = ANY (%s)"

LOOK_SECONDS = 0.1
# A request that runs for longer than this is on record; one that is shorter may come and go without a row of its own.
WRITE_SECONDS = 0.05
# Without an answer from Postgres for so long nothing is held in slices.
SILENCE_MS = 500
# Before its lease or its window ends by our clock, a slice is not used any more: other clocks differ.
LEASE_MARGIN_MS = 1_000
WINDOW_MARGIN_MS = 2_000
# After a slice was refused, none is asked for.
REFUSED_MS = 1_000
# A pocket that nobody used for so long is forgotten: each customer with budgets of their own has one.
FORGET_MS = 2 * REST_MS
MOST_KNOWN = 2_000
MILLISECOND = timedelta(milliseconds=1)

log = logs.get(__name__)

type Ask = Callable[[HoldRequest], Awaitable[Hold]]
type Kind = tuple[UUID, str, tuple[Cap, ...]]


class Slices:
    """Holds in memory what Postgres has given in advance. One event loop's; `ask` is how any hold is taken."""

    def __init__(self, postgres: Postgres, ask: Ask, *, lease_seconds: float, processes: int) -> None:
        self._postgres = postgres
        self._ask = ask
        self._lease = timedelta(seconds=lease_seconds)
        self._lease_ms = self._lease // MILLISECOND
        self._processes = max(1, processes)
        self._pockets: dict[Kind, Pocket] = {}
        # The same by the identity of a caller's caps, which is kept with it: to compare them would take longer.
        self._known: dict[tuple[UUID, int], tuple[object, Pocket]] = {}
        self._unwritten: dict[UUID, Place] = {}
        self._heard = -NEVER
        self._closed = False
        self._wanted = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start looking after the slices; call it on the running loop."""
        self._run(self._watch())

    async def close(self) -> None:
        """Give everything back. What still runs in a slice releases it when it is settled."""
        self._closed = True
        for pocket in self._pockets.values():
            pocket.rest(NEVER)
        # What is asked for just now comes retired, and has to go back as well.
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._give_back(self._now())

    async def stop(self) -> None:
        """Stop looking after them."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # What requests ask for.

    def take(self, request: HoldRequest) -> Place | None:
        """Hold a request in a slice, or return None: then it has to be held on its own."""
        now, amount = self._now(), request.amount_nusd
        pocket = self._pocket(request)
        pocket.note(amount, now)
        if now - self._heard > SILENCE_MS or self._closed:
            return None
        found = pocket.take(amount, now)
        if found is None:
            return None
        place = Place(request, found, amount)
        self._write_soon([place])
        return place

    def learn(self, request: HoldRequest, room_nusd: int) -> None:
        """Take notice of what was left in the scarcest purse after a hold."""
        self._pocket(request).room = room_nusd

    def recall(self, organization_id: UUID) -> None:
        """Give back at once what is idle: a request of this organization found no room."""
        for (organization, _, _), pocket in self._pockets.items():
            if organization == organization_id:
                pocket.rest(self._now())
        self._wanted.set()

    async def show(self, place: Place) -> None:
        """Return when the request is on record; before anything of its answer leaves. Raises `StoreDown`."""
        if place.request.request_id in self._unwritten:
            self._write()
        if place.writing is not None:
            await asyncio.shield(place.writing)

    async def leave(self, place: Place) -> bool:
        """Write nothing down any more of a request that ends; True if it may be on record."""
        self._unwritten.pop(place.request.request_id, None)
        place.left = True
        if place.writing is None:
            return False
        await asyncio.wait({place.writing})
        return True

    def ended(self, place: Place, released_nusd: int) -> None:
        """A request was settled, or voided, and Postgres has released so much of its slice."""
        place.slice.put_back(place.held_nusd - released_nusd)

    def lost(self, place: Place) -> None:
        """A request has ended, and what Postgres knows of it is uncertain."""
        place.slice.put_back(0)
        place.slice.doubt()

    # What Postgres is told, and asked.

    async def _watch(self) -> None:
        while True:
            await self._pause()
            now = self._now()
            for pocket in self._pockets.values():
                pocket.look()
            try:
                await self._hear()
                await self._renew()
                await self._give_back(now)
            except (PlatformError, psycopg.Error) as error:
                log.warning("slices_not_heard", reason=type(error).__name__)
            except Exception:  # Whatever it was: without this loop no slice would ever be given back.
                log.exception("slices_not_heard")
            self._ask_for_more(self._now())
            self._forget(now)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._wanted.wait()
        except TimeoutError:
            return
        self._wanted.clear()

    async def _hear(self) -> None:
        """Find out which slices still stand, and which are called back; that Postgres answers at all."""
        slices = self._all()
        if not slices:
            return
        began = self._now()
        standing: dict[UUID, bool] = dict(await self._postgres.fetch(STANDING, ([one.id for one in slices],)))
        self._heard = began
        for pocket in self._pockets.values():
            if any(standing.get(one.id) for one in pocket.slices):
                pocket.rest(began)
        for one in slices:
            if one.id not in standing:
                one.doubt()

    async def _renew(self) -> None:
        began = self._now()
        due = {one.id: one for one in self._all() if one.usable_until - began < self._lease_ms // 2}
        if due:
            for (reached,) in await self._postgres.fetch(RENEW, (list(due), self._lease)):
                due[reached].usable_until = self._usable_until(began)

    async def _give_back(self, now: int) -> None:
        parts, over = [], []
        for pocket in self._pockets.values():
            for one in list(pocket.slices):
                amount, done = one.surplus(now), one.is_over(now)
                if done:
                    pocket.slices.remove(one)
                if amount or (done and not one.doubtful):
                    parts.append({"slice": one.id, "by": amount, "over": done or self._closed})
                    over.append(one)
        if not parts:
            return
        try:
            await self._postgres.fetch(SHRINK, (orjson.dumps(parts).decode(),))
        except BaseException:  # Whatever it was, the end of this process too: what Postgres has of these is not known.
            for one in over:
                one.doubt()
            raise

    def _ask_for_more(self, now: int) -> None:
        for kind, pocket in self._pockets.items():
            size = 0 if self._closed else pocket.wish(now, self._processes)
            if size:
                pocket.asking = True
                asking = self._run(self._ask_for(kind, pocket, size))
                self._asking.add(asking)
                asking.add_done_callback(self._asking.discard)

    async def _ask_for(self, kind: Kind, pocket: Pocket, size: int) -> None:
        began = self._now()
        try:
            hold = await self._ask(slice_of(kind, size))
        except (PlatformError, psycopg.Error):
            pocket.rest_until = max(pocket.rest_until, self._now() + REFUSED_MS)
            return
        finally:
            pocket.asking = False
        pocket.room = hold.room_nusd
        made = Slice(
            hold.request_id,
            hold.purses,
            size,
            usable_until=self._usable_until(began),
            # From when it was asked for, and so a little early.
            window_ends=NEVER if hold.ends_in is None else began + hold.ends_in // MILLISECOND - WINDOW_MARGIN_MS,
            touched=self._now(),
            retired=self._closed,
        )
        pocket.slices.append(made)
        # Postgres was heard just now: the slice may be used before the next look.
        self._heard = max(self._heard, began)

    def _write_soon(self, places: list[Place]) -> None:
        if places and not self._unwritten:
            asyncio.get_running_loop().call_later(WRITE_SECONDS, self._write)
        self._unwritten.update((place.request.request_id, place) for place in places)

    def _write(self) -> None:
        if self._unwritten:
            places, self._unwritten = list(self._unwritten.values()), {}
            task = self._run(self._enter(places))
            for place in places:
                place.writing = task

    async def _enter(self, places: list[Place]) -> None:
        rows = [
            {
                "request": place.request.request_id,
                "slice": place.slice.id,
                "organization": place.request.organization_id,
                "project": place.request.project_id,
                "key": place.request.key_id,
                "model": place.request.model,
                "customer": place.request.customer,
                "amount": place.request.amount_nusd,
            }
            for place in places
        ]
        try:
            await self._postgres.fetch(ENTER, (orjson.dumps(rows).decode(), self._lease))
        except (PlatformError, psycopg.Error):
            # Who waits for it is told. What runs on is written down later: its Idempotency-Key is claimed by its row.
            self._write_soon([place for place in places if not place.left])
            raise

    # Bookkeeping.

    def _pocket(self, request: HoldRequest) -> Pocket:
        name = (request.organization_id, id(request.caps))
        known = self._known.get(name)
        if known is not None:
            return known[1]
        kind = (request.organization_id, request.zone, tuple(request.caps))
        pocket = self._pockets.setdefault(kind, Pocket(rest_until=NEVER if _counts_each(kind) else 0))
        self._known[name] = (request.caps, pocket)
        return pocket

    def _forget(self, now: int) -> None:
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        idle = [
            kind
            for kind, pocket in self._pockets.items()
            if not pocket.slices and not pocket.asking and now - pocket.touched > FORGET_MS
        ]
        if idle:
            self._known.clear()
        for kind in idle:
            del self._pockets[kind]

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("slices_not_written", reason=type(error).__name__)

    def _all(self) -> list[Slice]:
        return [one for pocket in self._pockets.values() for one in pocket.slices]

    def _usable_until(self, asked_at: int) -> int:
        return asked_at + self._lease_ms - LEASE_MARGIN_MS

    def _now(self) -> int:
        return int(asyncio.get_running_loop().time() * 1000)


def _counts_each(kind: Kind) -> bool:
    """Whether a shadow budget counts each request that it would have refused: these all have to be asked for."""
    return any(cap.mode == SHADOW and cap.window != PER_REQUEST for cap in kind[2])


def slice_of(kind: Kind, amount_nusd: int) -> HoldRequest:
    """Write the request for a slice. It is nobody's in particular, so project and key are the organization's."""
    organization, zone, caps = kind
    return HoldRequest(ids.uuid7(), organization, organization, organization, "", amount_nusd, zone, "", caps, True)
