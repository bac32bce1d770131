"""The story of a request, in order: who, what, may they and can they pay, deliver, settle, end.

Nothing reaches an engine before it is admitted and held for; no end marker leaves before the charge is durable.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from foundation import clock
from foundation.errors import PlatformError
from foundation.failpoints import reach
from foundation.ids import timestamp_of
from inference.gateway import answers
from inference.gateway.admitting import Admitting
from inference.gateway.catalogue import Catalogue
from inference.gateway.exchange import Exchange
from inference.gateway.idempotency import Idempotency
from inference.gateway.keeping import Keeper
from inference.gateway.orders import Http, Order, Ordering
from inference.gateway.relay import Relay
from inference.gateway.settling import Settling
from inference.gateway.surfaces.surface import Surface
from keys.finer import FinerLimits
from keys.verification import Caller, KeyDirectory


@dataclass(slots=True)
class Services:
    """What the story needs; `app.py` puts it together. The catalogue is replaced as a whole when it changes."""

    directory: KeyDirectory
    finer: FinerLimits
    ordering: Ordering
    idempotency: Idempotency
    admitting: Admitting
    keeper: Keeper
    relay: Relay
    settling: Settling
    catalogue: Catalogue


async def answer(services: Services, http: Http, surface: Surface) -> None:
    """Serve a POST to one of the endpoints of models."""
    started = asyncio.get_running_loop().time()
    secret = services.directory.credential(http.scope["headers"])
    caller = await services.directory.caller(secret)
    order = await services.ordering.take(http, surface, services.catalogue, caller, clock.now())
    async with services.idempotency.once(http, caller, order.wanted.digest) as earlier:
        if earlier is None:
            await serve(services, http, secret, caller, order, started)
        else:
            await answers.send_outcome(http.send, http.public_id, surface, earlier, order.wanted)


async def serve(services: Services, http: Http, secret: str, caller: Caller, order: Order, started: float) -> None:
    """Admit, hold, deliver, settle."""
    caller, order, ticket, hold = await services.admitting.admit(http, secret, caller, order, services.catalogue)
    reach("held")
    exchange = Exchange(
        request_id=http.request_id,
        public_id=http.public_id,
        caller=caller,
        order=order,
        ticket=ticket,
        hold=hold,
        started=started,
        started_at=timestamp_of(http.request_id),
    )
    with services.keeper.keeping(exchange):
        await (stream_answer if order.wanted.stream else whole_answer)(services, http, exchange)


async def stream_answer(services: Services, http: Http, exchange: Exchange) -> None:
    """Deliver event by event; settle; only then the end marker."""

    async def start() -> None:
        await services.settling.show(exchange)
        await answers.start_stream(http.send, exchange)

    marker = await services.relay.stream(exchange, http.receive, http.send, start)
    try:
        await services.settling.settle(exchange)
        exchange.keep_alive = None
        exchange.raise_for_failure()
    except PlatformError as failure:
        exchange.keep_alive = None
        await answers.break_stream(http.send, exchange, failure)
    else:
        reach("settled")
        await answers.end_stream(http.send, marker)
        reach("ended")


async def whole_answer(services: Services, http: Http, exchange: Exchange) -> None:
    """Wait for the whole answer; settle; only then send it."""
    whole = await services.relay.whole(exchange, http.receive)
    try:
        cost = await services.settling.settle(exchange)
        exchange.raise_for_failure()
    except PlatformError as failure:
        body = exchange.order.surface.error(failure, exchange.public_id)
        await answers.send_error(http.send, body, failure, answers.common_headers(exchange))
    else:
        reach("settled")
        await answers.send_whole(http.send, exchange, whole, cost)
        reach("ended")
