"""The story of a request, in order: who, what, may they, can they pay, where to, deliver, settle, end.

Nothing reaches an engine before it is admitted and held for; no end marker leaves before the charge is durable.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from billing.errors import ModelNotPriced
from billing.holds import Hold, HoldRequest, Holds
from billing.rates import Rates, in_force
from billing.settlement import Bill, Settlements
from foundation import clock, metrics
from foundation.errors import Forbidden, Overloaded, PlatformError, RequestTooLarge
from foundation.ids import timestamp_of
from foundation.web import Receive, Scope, Send, read_body, send_json
from inference.gateway import answers
from inference.gateway.admission import Admission, AdmissionRequest, Amounts, Ticket
from inference.gateway.catalogue import Catalogue, Model
from inference.gateway.charging import Consumption, Ending, consumption
from inference.gateway.chat import ChatRequest, parse
from inference.gateway.errors import Draining, SettlementFailed, UpstreamError
from inference.gateway.estimating import Estimate, estimate
from inference.gateway.exchange import Exchange
from inference.gateway.keeping import Keeper
from inference.gateway.relay import Relay
from inference.gateway.strict_json import parse_object
from keys.errors import ModelNotAllowed
from keys.verification import Caller, KeyDirectory

CHAT = "chat.completions"
MOST_BYTES = 10 * 1024 * 1024
MOST_BYTES_WITH_MEDIA = 32 * 1024 * 1024
# A settlement gets at least this long, however late the request already is.
LEAST_SETTLING_SECONDS = 5.0


@dataclass(slots=True)
class Services:
    """What the story needs; `app.py` puts it together. The catalogue is replaced as a whole when it changes."""

    directory: KeyDirectory
    admission: Admission
    holds: Holds
    settlements: Settlements
    relay: Relay
    keeper: Keeper
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Http:
    """One request as ASGI gives it, with the id it got at the door."""

    scope: Scope
    receive: Receive
    send: Send
    request_id: UUID
    public_id: str


async def chat_completions(services: Services, http: Http) -> None:
    """Serve POST /v1/chat/completions."""
    started = asyncio.get_running_loop().time()
    secret = services.directory.credential(http.scope["headers"])
    caller = await services.directory.caller(secret)
    chat = await read_chat(http)
    model, rates = find_model(services.catalogue, caller, chat.model, clock.now())
    bound = bound_use(chat, model, caller)
    caller, ticket, hold = await admit(services, http, secret, caller, chat, model, rates, bound)
    exchange = Exchange(
        request_id=http.request_id,
        public_id=http.public_id,
        endpoint=CHAT,
        streamed=chat.stream,
        customer=chat.customer,
        caller=caller,
        model=model,
        rates=rates,
        estimate=bound,
        likely_prompt=bound.likely_input,
        ticket=ticket,
        hold=hold,
        started=started,
        started_at=timestamp_of(http.request_id),
    )
    services.keeper.add(exchange)
    try:
        await (stream_answer if chat.stream else whole_answer)(services, http, exchange, chat)
    finally:
        services.keeper.remove(exchange)


async def stream_answer(services: Services, http: Http, exchange: Exchange, chat: ChatRequest) -> None:
    """Deliver event by event; settle; only then the end marker."""
    marker = await services.relay.stream(
        exchange, chat, http.receive, http.send, lambda: answers.start_stream(http.send, exchange)
    )
    failure = await settle(services, exchange) or failure_of(exchange)
    if failure is None:
        await answers.end_stream(http.send, marker)
    elif exchange.status:
        await answers.break_stream(http.send, failure)
    else:
        await answers.send_error(http.send, failure, answers.common_headers(exchange))


async def whole_answer(services: Services, http: Http, exchange: Exchange, chat: ChatRequest) -> None:
    """Wait for the whole answer; settle; only then send it."""
    answer = await services.relay.whole(exchange, chat, http.receive)
    exchange.status = 200 if exchange.complete else 0
    failure = await settle(services, exchange) or failure_of(exchange)
    headers = answers.common_headers(exchange)
    if failure is None:
        headers.append((b"x-turnpike-cost-nano-usd", b"%d" % cost_of(exchange, consumed(exchange))))
        await send_json(http.send, 200, orjson.dumps(answer), headers)
    else:
        await answers.send_error(http.send, failure, headers)


async def read_chat(http: Http) -> ChatRequest:
    """Read and check the body. A large one is for media only."""
    body = await read_body(http.scope, http.receive, max_bytes=MOST_BYTES_WITH_MEDIA)
    chat = parse(parse_object(body), len(body))
    if len(body) > MOST_BYTES and not chat.has_media:
        raise RequestTooLarge(f"A request without media is at most {MOST_BYTES} bytes.")
    return chat


def find_model(catalogue: Catalogue, caller: Caller, name: str, at: datetime) -> tuple[Model, Rates]:
    """Find the model and its price. Raises `ModelNotFound`, `ModelNotAllowed`, `ModelNotPriced`."""
    model = catalogue.find(name, at)
    if not caller.allows(model.id):
        raise ModelNotAllowed(param="model")
    rates = in_force(model.prices, at)
    if rates is None:
        raise ModelNotPriced(param="model")
    return model, rates


def bound_use(chat: ChatRequest, model: Model, caller: Caller) -> Estimate:
    """Say how much the request may use at most, and will likely use."""
    if caller.max_output_tokens == 0:
        raise Forbidden("This key may not produce any output: its max_output_tokens is 0.")
    return estimate(
        size=chat.size,
        has_media=chat.has_media,
        wanted=chat.max_tokens,
        choices=chat.choices,
        context_length=model.context_length,
        max_output_tokens=model.max_output_tokens,
        caller_max_output=caller.max_output_tokens,
    )


async def admit(
    services: Services,
    http: Http,
    secret: str,
    caller: Caller,
    chat: ChatRequest,
    model: Model,
    rates: Rates,
    bound: Estimate,
) -> tuple[Caller, Ticket, Hold]:
    """Pass the limits and the purses at the same time. If either refuses, the other is undone.

    The limits answer with the newest version of the organization: a caller that was read before it is read again,
    so that a revoked key or a changed limit counts from the next request on.
    """
    while True:
        ticket, hold = await _admit_and_hold(services, http, caller, chat, model, rates, bound)
        if ticket.fence <= caller.fence:
            return caller, ticket, hold
        try:
            newer = await services.directory.caller(secret, ticket.fence)
        except PlatformError:
            await _undo(services, ticket, hold)
            raise
        if newer is caller:
            return caller, ticket, hold
        await _undo(services, ticket, hold)
        caller = newer
        find_model(services.catalogue, caller, model.id, clock.now())


async def _admit_and_hold(
    services: Services,
    http: Http,
    caller: Caller,
    chat: ChatRequest,
    model: Model,
    rates: Rates,
    bound: Estimate,
) -> tuple[Ticket, Hold]:
    holding = services.holds.enqueue(
        HoldRequest(
            request_id=http.request_id,
            organization_id=caller.organization_id,
            project_id=caller.project_id or caller.organization_id,
            key_id=caller.key_id,
            model=model.id,
            amount_nusd=rates.worst_case(prompt_tokens=bound.most_input, completion_tokens=bound.most_output),
            zone=caller.time_zone,
            customer=chat.customer,
            caps=caller.caps,
        )
    )
    amounts = Amounts(bound.likely_input, bound.likely_output)
    admitting = services.admission.enqueue(
        AdmissionRequest(caller.organization_id, http.public_id, caller.rates, amounts)
    )
    ticket, hold = await asyncio.gather(admitting, holding, return_exceptions=True)
    if isinstance(ticket, Ticket) and isinstance(hold, Hold):
        return ticket, hold
    if isinstance(ticket, Ticket):
        services.admission.undo(ticket)
    if isinstance(hold, Hold):
        await services.holds.void(hold)
    raise next(refusal for refusal in (ticket, hold) if isinstance(refusal, BaseException))


async def _undo(services: Services, ticket: Ticket, hold: Hold) -> None:
    services.admission.undo(ticket)
    await services.holds.void(hold)


def consumed(exchange: Exchange) -> Consumption:
    """Say what was used, by whose account, and whether it is paid for."""
    return consumption(
        exchange.ending,
        exchange.usage,
        final=exchange.usage_is_final,
        outputs=exchange.outputs,
        likely_prompt=exchange.likely_prompt,
    )


def cost_of(exchange: Exchange, used: Consumption) -> int:
    """Price what was used, in nano-dollars."""
    if not used.billable:
        return 0
    return exchange.rates.cost(
        prompt_tokens=used.tokens.prompt,
        cached_tokens=used.tokens.cached,
        completion_tokens=used.tokens.completion,
    )


async def settle(services: Services, exchange: Exchange) -> PlatformError | None:
    """Charge once, durably, and correct the limits. Returns an error if the charge could not be made durable."""
    used = consumed(exchange)
    bill = _bill(exchange, used)
    services.admission.release(exchange.ticket, Amounts(used.tokens.prompt, used.tokens.completion))
    left = exchange.total_deadline - asyncio.get_running_loop().time()
    patience = max(LEAST_SETTLING_SECONDS, left) if math.isfinite(left) else LEAST_SETTLING_SECONDS
    try:
        await services.settlements.settle(bill, within_seconds=patience)
    except Overloaded as cause:
        # Nothing was charged; the hold ends by its lease, which leaves a record.
        metrics.requests(exchange.endpoint, "settlement_failed", "0").inc()
        error = SettlementFailed(retry_after=cause.retry_after)
        error.__cause__ = cause
        return error
    _count(exchange, used, bill.cost)
    return None


def failure_of(exchange: Exchange) -> PlatformError | None:
    """Say why the answer cannot be finished, if it cannot."""
    if exchange.complete:
        return None
    if exchange.stopped is Ending.DRAINED:
        return Draining(retry_after=1)
    return exchange.error or UpstreamError()


def _bill(exchange: Exchange, used: Consumption) -> Bill:
    now = asyncio.get_running_loop().time()
    target, caller = exchange.target, exchange.caller
    first = exchange.first_output
    return Bill(
        request=exchange.request_id,
        organization=caller.organization_id,
        project=caller.project_id or caller.organization_id,
        key=caller.key_id,
        customer=exchange.customer,
        model=exchange.model.id,
        pool=target.pool.name if target else "",
        replica=target.replica.url if target else "",
        endpoint=exchange.endpoint,
        streamed=exchange.streamed,
        outcome=used.outcome,
        source=used.source,
        status=exchange.status or (exchange.error.status if exchange.error else 0),
        prompt_tokens=used.tokens.prompt,
        cached_tokens=used.tokens.cached,
        completion_tokens=used.tokens.completion,
        price_version=exchange.rates.version,
        cost=cost_of(exchange, used),
        purses=exchange.hold.purses,
        ttft_ms=None if first is None else int((first - exchange.started) * 1000),
        latency_ms=int((now - exchange.started) * 1000),
        started_at=exchange.started_at,
    )


def _count(exchange: Exchange, used: Consumption, cost: int) -> None:
    model = exchange.model.id
    status = exchange.status or (exchange.error.status if exchange.error else 0)
    metrics.requests(exchange.endpoint, used.outcome, str(status)).inc()
    metrics.tokens("prompt", model).inc(used.tokens.prompt)
    metrics.tokens("cached", model).inc(used.tokens.cached)
    metrics.tokens("completion", model).inc(used.tokens.completion)
    if cost:
        metrics.charged(model).inc(cost)
    if exchange.first_output is not None:
        metrics.time_to_first_token(model).observe(exchange.first_output - exchange.started)
