"""The story of a request, in order: who, what, may they and can they pay, deliver, settle, end.

Nothing reaches an engine before it is admitted and held for; no end marker leaves before the charge is durable.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import orjson

from foundation import clock
from foundation.errors import PlatformError
from foundation.failpoints import reach
from foundation.ids import timestamp_of
from foundation.web import send_json
from inference.gateway import answers
from inference.gateway.admitting import Admitting
from inference.gateway.catalogue import Catalogue
from inference.gateway.exchange import Exchange
from inference.gateway.idempotency import Idempotency
from inference.gateway.keeping import Keeper
from inference.gateway.orders import Http, Order, Ordering
from inference.gateway.relay import Relay
from inference.gateway.settling import Settling
from keys.finer import FinerLimits
from keys.verification import Caller, KeyDirectory

CHAT = "chat.completions"


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


async def chat_completions(services: Services, http: Http) -> None:
    """Serve POST /v1/chat/completions."""
    started = asyncio.get_running_loop().time()
    secret = services.directory.credential(http.scope["headers"])
    caller = await services.directory.caller(secret)
    order = await services.ordering.take(http, services.catalogue, caller, clock.now())
    async with services.idempotency.once(http, caller, order.chat.digest) as earlier:
        if earlier is None:
            await serve(services, http, secret, caller, order, started)
        else:
            await answers.send_outcome(http.send, http.public_id, earlier, streamed=order.chat.stream)


async def serve(services: Services, http: Http, secret: str, caller: Caller, order: Order, started: float) -> None:
    """Admit, hold, deliver, settle."""
    caller, order, ticket, hold = await services.admitting.admit(http, secret, caller, order, services.catalogue)
    reach("held")
    exchange = Exchange(
        request_id=http.request_id,
        public_id=http.public_id,
        endpoint=CHAT,
        caller=caller,
        order=order,
        ticket=ticket,
        hold=hold,
        started=started,
        started_at=timestamp_of(http.request_id),
    )
    with services.keeper.keeping(exchange):
        await (stream_answer if order.chat.stream else whole_answer)(services, http, exchange)


async def stream_answer(services: Services, http: Http, exchange: Exchange) -> None:
    """Deliver event by event; settle; only then the end marker."""

    async def start() -> None:
        await services.settling.show(exchange)
        await answers.start_stream(http.send, exchange)

    marker = await services.relay.stream(exchange, http.receive, http.send, start)
    try:
        await services.settling.settle(exchange)
        exchange.raise_for_failure()
    except PlatformError as failure:
        await answers.break_stream(http.send, exchange, failure)
    else:
        reach("settled")
        await answers.end_stream(http.send, marker)
        reach("ended")


async def whole_answer(services: Services, http: Http, exchange: Exchange) -> None:
    """Wait for the whole answer; settle; only then send it."""
    answer = await services.relay.whole(exchange, http.receive)
    try:
        cost = await services.settling.settle(exchange)
        exchange.raise_for_failure()
    except PlatformError as failure:
        await answers.send_error(http.send, failure, answers.common_headers(exchange))
    else:
        reach("settled")
        headers = [*answers.common_headers(exchange), (b"x-turnpike-cost-nano-usd", b"%d" % cost)]
        await send_json(http.send, 200, orjson.dumps(answer), headers)
        reach("ended")
