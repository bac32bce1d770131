"""What is asked for: a checked request, the model it names, the price in force, and how much it may use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from billing.errors import ModelNotPriced
from billing.rates import Rates, in_force
from foundation.errors import Forbidden, InvalidRequest, RequestTooLarge
from foundation.web import Receive, Scope, Send, read_body, single
from inference.gateway.addresses import Addresses
from inference.gateway.catalogue import Catalogue, Model
from inference.gateway.chat import ChatRequest, parse
from inference.gateway.estimating import Estimate, estimate
from inference.gateway.learning import Experience
from inference.gateway.strict_json import parse_object
from keys import subjects
from keys.effective import UNLIMITED, Effective, least
from keys.errors import ModelNotAllowed
from keys.finer import FinerLimits
from keys.verification import Caller

MOST_BYTES = 10 * 1024 * 1024
MEDIA_PARTS = (b'"image_url"', b'"input_audio"', b'"video_url"', b'"file"')
MOST_BYTES_WITH_MEDIA = 32 * 1024 * 1024
CUSTOMER = b"x-turnpike-customer"


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
    """Everything that is decided about a request before anybody is asked whether it may run.

    `finer` limits the request beside its caller: as one of a member, a customer, a model, an address.
    """

    chat: ChatRequest
    model: Model
    rates: Rates
    bound: Estimate
    finer: Effective = UNLIMITED

    @property
    def worst_case_nusd(self) -> int:
        """What it can cost at most, in nano-dollars."""
        return self.rates.worst_case(prompt_tokens=self.bound.most_input, completion_tokens=self.bound.most_output)


class Ordering:
    """Turns requests into orders. Only organizations that limit customers, models, addresses or members wait here."""

    def __init__(self, finer: FinerLimits, addresses: Addresses, experience: Experience) -> None:
        self._finer = finer
        self._addresses = addresses
        self._experience = experience

    async def take(self, http: Http, catalogue: Catalogue, caller: Caller, at: datetime) -> Order:
        """Read a request and find out what it means for this caller now. Raises as `decide` does."""
        return await self.decide(http, await _read_chat(http), catalogue, caller, at)

    async def decide(self, http: Http, chat: ChatRequest, catalogue: Catalogue, caller: Caller, at: datetime) -> Order:
        """Find the model, its price, the limits of the request itself, and the bounds.

        Raises `ModelNotFound`, `ModelNotAllowed`, `ModelNotPriced`, `Forbidden`, `Overloaded`.
        """
        model = catalogue.find(chat.model, at)
        if not caller.allows(model.id):
            raise ModelNotAllowed(param="model")
        rates = in_force(model.prices, at)
        if rates is None:
            raise ModelNotPriced(param="model")
        finer = await self._limits(http, chat, model, caller) if caller.finer else UNLIMITED
        if finer.allowed_models is not None and model.id not in finer.allowed_models:
            raise ModelNotAllowed(param="model")
        return Order(chat, model, rates, self._bound(chat, model, caller, finer), finer)

    async def _limits(self, http: Http, chat: ChatRequest, model: Model, caller: Caller) -> Effective:
        found = subjects.of_request(
            caller.organization_id,
            caller.finer,
            member_id=caller.member_id,
            customer=chat.customer,
            model=model.id,
            client=self._addresses.of(http.scope) if subjects.ADDRESS in caller.finer else None,
        )
        return await self._finer.of(found, caller.fence)

    def _bound(self, chat: ChatRequest, model: Model, caller: Caller, finer: Effective) -> Estimate:
        most = least((caller.max_output_tokens, finer.max_output_tokens))
        if most == 0:
            raise Forbidden("This request may not produce any output: a max_output_tokens is 0.")
        return estimate(
            size=chat.size,
            has_media=chat.has_media,
            wanted=chat.max_tokens,
            choices=chat.choices,
            context_length=model.context_length,
            max_output_tokens=model.max_output_tokens,
            caller_max_output=most,
            learned_input=self._experience.likely_input(model.id, chat.size),
            learned_output=self._experience.likely_output(caller.key_id, model.id),
        )


async def _read_chat(http: Http) -> ChatRequest:
    body = await read_body(http.scope, http.receive, max_bytes=MOST_BYTES_WITH_MEDIA)
    # Looked at before it is parsed: what is too large must not cost what parsing it costs.
    if len(body) > MOST_BYTES and not any(part in body for part in MEDIA_PARTS):
        raise RequestTooLarge(f"A request without media is at most {MOST_BYTES} bytes.")
    chat = parse(parse_object(body), len(body), blake2b(body, digest_size=32).digest())
    named = single(http.scope["headers"], CUSTOMER)
    return replace(chat, customer=_customer(named)) if named else chat


def _customer(value: bytes) -> str:
    try:
        text = value.decode().strip()
    except UnicodeDecodeError:
        text = ""
    if not subjects.is_name(text):
        raise InvalidRequest(
            f"{CUSTOMER.decode()} must be 1 to {subjects.LONGEST} printable characters.", param=CUSTOMER.decode()
        )
    return text
