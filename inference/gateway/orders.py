"""What is asked for: a checked request, the model it names, the price in force, and how much it may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from billing.errors import ModelNotPriced
from billing.rates import Rates, in_force
from foundation.errors import Forbidden, RequestTooLarge
from foundation.web import Receive, Scope, Send, read_body
from inference.gateway.catalogue import Catalogue, Model
from inference.gateway.chat import ChatRequest, parse
from inference.gateway.estimating import Estimate, estimate
from inference.gateway.strict_json import parse_object
from keys.errors import ModelNotAllowed
from keys.verification import Caller

MOST_BYTES = 10 * 1024 * 1024
MOST_BYTES_WITH_MEDIA = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Http:
    """One request as ASGI gives it, with the id it got at the door."""

    scope: Scope
    receive: Receive
    send: Send
    request_id: UUID
    public_id: str


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that is decided about a request before anybody is asked whether it may run."""

    chat: ChatRequest
    model: Model
    rates: Rates
    bound: Estimate

    @property
    def worst_case_nusd(self) -> int:
        """What it can cost at most, in nano-dollars."""
        return self.rates.worst_case(prompt_tokens=self.bound.most_input, completion_tokens=self.bound.most_output)


async def take_order(http: Http, catalogue: Catalogue, caller: Caller, at: datetime) -> Order:
    """Read a request and find out what it means for this caller now."""
    chat = await _read_chat(http)
    return order(chat, catalogue, caller, at)


def order(chat: ChatRequest, catalogue: Catalogue, caller: Caller, at: datetime) -> Order:
    """Find the model, its price, and the bounds.

    Raises `ModelNotFound`, `ModelNotAllowed`, `ModelNotPriced`, `Forbidden`.
    """
    model = catalogue.find(chat.model, at)
    if not caller.allows(model.id):
        raise ModelNotAllowed(param="model")
    rates = in_force(model.prices, at)
    if rates is None:
        raise ModelNotPriced(param="model")
    return Order(chat, model, rates, _bound(chat, model, caller))


async def _read_chat(http: Http) -> ChatRequest:
    body = await read_body(http.scope, http.receive, max_bytes=MOST_BYTES_WITH_MEDIA)
    chat = parse(parse_object(body), len(body), blake2b(body, digest_size=32).digest())
    if len(body) > MOST_BYTES and not chat.has_media:
        raise RequestTooLarge(f"A request without media is at most {MOST_BYTES} bytes.")
    return chat


def _bound(chat: ChatRequest, model: Model, caller: Caller) -> Estimate:
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
