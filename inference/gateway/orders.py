"""What is asked for: a checked request, the model it names, the price in force, and how much it may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from billing.errors import ModelNotPriced
from billing.rates import Rates, in_force
from foundation.errors import Forbidden, InvalidRequest
from foundation.web import Receive, Scope, Send, read_body, single
from inference.gateway.addresses import Addresses
from inference.gateway.catalogue import Catalogue, Model, Route
from inference.gateway.engines.kinds import able
from inference.gateway.errors import NotServed
from inference.gateway.estimating import Estimate, estimate
from inference.gateway.learning import Experience
from inference.gateway.surfaces.surface import Surface
from inference.gateway.wanted import Wanted
from keys import subjects
from keys.effective import UNLIMITED, Effective, least
from keys.errors import ModelNotAllowed
from keys.finer import FinerLimits
from keys.verification import Caller

CUSTOMER = b"x-turnpike-customer"


@dataclass(frozen=True, slots=True)
class Http:
    """One request as ASGI gives it, with the id it got at the door."""

    scope: Scope
    receive: Receive
    send: Send
    request_id: UUID
    public_id: str


@dataclass(slots=True)
class Order:
    """Everything that is decided about a request before anybody is asked whether it may run.

    `routes` lead to engines that serve the endpoint. `finer` limits the request beside its caller: as one of a member,
    a customer, a model, an address.
    """

    surface: Surface
    wanted: Wanted
    model: Model
    routes: tuple[Route, ...]
    rates: Rates
    bound: Estimate
    finer: Effective = UNLIMITED
    template: str = ""
    """The chat template of the deployment that is asked; the relay puts it when it has chosen."""

    @property
    def worst_case_nusd(self) -> int:
        """What it can cost at most, in nano-dollars."""
        if not self.surface.charges:
            return 0
        return self.rates.worst_case(
            prompt_tokens=self.bound.most_input,
            completion_tokens=self.bound.most_output,
            unit=self.surface.unit,
            quantity=self.wanted.quantity,
        )


class Ordering:
    """Turns requests into orders. Only organizations that limit customers, models, addresses or members wait here."""

    def __init__(self, finer: FinerLimits, addresses: Addresses, experience: Experience) -> None:
        self._finer = finer
        self._addresses = addresses
        self._experience = experience

    async def take(self, http: Http, surface: Surface, catalogue: Catalogue, caller: Caller, at: datetime) -> Order:
        """Read a request and find out what it means for this caller now. Raises as `decide` does."""
        return await self.decide(http, surface, await _read(http, surface), catalogue, caller, at)

    async def decide(
        self, http: Http, surface: Surface, wanted: Wanted, catalogue: Catalogue, caller: Caller, at: datetime
    ) -> Order:
        """Find the model, its price, the limits of the request itself, and the bounds.

        Raises `ModelNotFound`, `ModelNotAllowed`, `ModelNotPriced`, `NotServed`, `InvalidRequest`, `Forbidden`,
        `Overloaded`.
        """
        model = catalogue.find(wanted.model, at)
        if not caller.allows(model.id):
            raise ModelNotAllowed(param="model")
        routes = _serving(model, surface, wanted)
        rates = in_force(model.prices, at)
        if rates is None or not surface.is_priced(rates):
            raise ModelNotPriced(param="model")
        _limit_audio(surface, wanted, model)
        finer = await self._limits(http, wanted, model, caller) if caller.finer else UNLIMITED
        if finer.allowed_models is not None and model.id not in finer.allowed_models:
            raise ModelNotAllowed(param="model")
        return Order(surface, wanted, model, routes, rates, self._bound(surface, wanted, model, caller, finer), finer)

    async def _limits(self, http: Http, wanted: Wanted, model: Model, caller: Caller) -> Effective:
        found = subjects.of_request(
            caller.organization_id,
            caller.finer,
            member_id=caller.member_id,
            customer=wanted.customer,
            model=model.id,
            client=self._addresses.of(http.scope) if subjects.ADDRESS in caller.finer else None,
        )
        return await self._finer.of(found, caller.fence)

    def _bound(self, surface: Surface, wanted: Wanted, model: Model, caller: Caller, finer: Effective) -> Estimate:
        most = least((caller.max_output_tokens, finer.max_output_tokens))
        if most == 0 and surface.generates:
            raise Forbidden("This request may not produce any output: a max_output_tokens is 0.")
        return estimate(
            size=wanted.size,
            has_media=wanted.has_media,
            wanted=wanted.max_tokens,
            inputs=wanted.inputs,
            choices=wanted.choices if surface.generates else 0,
            context_length=model.context_length,
            max_output_tokens=model.max_output_tokens,
            caller_max_output=most,
            learned_input=self._experience.likely_input(model.id, wanted.size),
            learned_output=self._experience.likely_output(caller.key_id, model.id) if surface.generates else None,
        )


def _limit_audio(surface: Surface, wanted: Wanted, model: Model) -> None:
    """Let a recording be as long as the model's engines take. What is only bounded by its bytes they measure."""
    most = model.max_audio_seconds
    if surface.unit != "seconds" or most is None or wanted.quantity <= most:
        return
    if wanted.quantity_is_exact:
        raise InvalidRequest(f"The recording is longer than {most} seconds.", param="file")
    wanted.quantity = most
    wanted.likely_quantity = min(wanted.likely_quantity or most, most)


def _serving(model: Model, surface: Surface, wanted: Wanted) -> tuple[Route, ...]:
    """Return the routes to engines that serve an endpoint and understand all that is asked."""
    found = able(model.routes, surface.name, wanted.fields)
    if not found and model.routes:
        raise NotServed(model.id, surface.path)
    return found


async def _read(http: Http, surface: Surface) -> Wanted:
    headers = http.scope["headers"]
    body = await read_body(http.scope, http.receive, max_bytes=surface.most_bytes)
    # The same body means something else at another endpoint.
    digest = blake2b(body, digest_size=32, person=surface.name.encode()[:16]).digest()
    wanted = surface.parse(body, single(headers, b"content-type") or b"", digest)
    named = single(headers, CUSTOMER)
    if named:
        wanted.customer = _customer(named)
        # As when the body names another: it is another request, and somebody else's.
        wanted.digest = blake2b(digest + named, digest_size=32, person=CUSTOMER[:16]).digest()
    return wanted


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
