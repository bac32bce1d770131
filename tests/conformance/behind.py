"""A Turnpike before the engine that is asked: its model in the catalogue, a server with the engine's key, its books."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from config.local import catalogue
from foundation import ids
from inference.models import Model, Pool
from inference.publishing import catalogue_changed
from tests.conformance.usages import Usage
from tests.conformance.wire import CONTEXT, KEY, MODEL, PUBLIC_MODEL, Answer, Request, Role, Target
from tests.installation import Installation, Tenant

_KEY_VARIABLE = "TINY_LLAMA_KEY"
# Nano-dollars for a token: what a million costs in USD is what one costs in micro-dollars.
_INPUT, _CACHED, _OUTPUT = 500, 250, 1500
_OFFER = catalogue.Offer(
    id=PUBLIC_MODEL,
    display_name="Tiny Llama",
    description="Random weights, for the wire's sake.",
    pool=MODEL,
    engine=Pool.Engine.VLLM,
    context_length=CONTEXT,
    max_output_tokens=CONTEXT,
    rates={
        name: Decimal(rate) / 1000 for name, rate in (("input", _INPUT), ("cached_input", _CACHED), ("output", _OUTPUT))
    },
    upstream=MODEL,
)


@dataclass(frozen=True)
class Record:
    """What the books say of one request."""

    outcome: str
    source: str
    usage: Usage
    cost_nusd: int


@dataclass(frozen=True)
class Turnpike:
    """A gateway and its books; the key is that of an organisation of its own."""

    target: Target
    tenant: Tenant
    installation: Installation

    @property
    def url(self) -> str:
        return self.target.urls[Role.GENERATE]

    def send(self, request: Request) -> Answer:
        return self.target.send(request)

    def record(self, answer: Answer) -> Record | None:
        """Return what is on record of the request that was answered."""
        found = self._records("request_id = %s", ids.parse("req", answer.headers["x-request-id"]))
        return found[0] if found else None

    def records(self, endpoint: str, outcome: str) -> list[Record]:
        """Return what is on record of all requests of this organisation that ended so, the last one at the end."""
        question = "organization_id = %s AND endpoint = %s AND outcome = %s ORDER BY request_id"
        return self._records(question, self.tenant.id, endpoint, outcome)

    def _records(self, condition: str, *parameters: Any) -> list[Record]:
        columns = "outcome, usage_source, prompt_tokens, cached_tokens, completion_tokens, cost_nusd"
        rows = self.installation.sql(f"SELECT {columns} FROM billing_usagerecord WHERE {condition}", *parameters)
        return [Record(outcome, source, Usage(*tokens), cost) for outcome, source, *tokens, cost in rows]


def price(usage: Usage) -> int:
    """Return what it costs by the rates of the model, in nano-dollars."""
    return (usage.prompt - usage.cached) * _INPUT + usage.cached * _CACHED + usage.completion * _OUTPUT


@contextmanager
def gateway(installation: Installation, engine: Target) -> Iterator[Turnpike]:
    """Give a gateway before an engine: one model, whatever that engine is started to do."""
    with installation.django():
        catalogue._offer(_OFFER, sorted(set(engine.urls.values())))
        Pool.objects.filter(name=_OFFER.pool).update(credential_env=_KEY_VARIABLE)
        catalogue_changed()
    server = installation.spawn_server(**{_KEY_VARIABLE: KEY})
    try:
        tenant = installation.organization(name="Tiny")
        target = Target("gateway", dict.fromkeys(Role, server.url), tenant.api_key, PUBLIC_MODEL)
        yield Turnpike(target, tenant, installation)
    finally:
        server.stop()
        with installation.django():
            Pool.objects.filter(name=_OFFER.pool).delete()
            # Its price stays, as all prices do; others who share the installation must not see it.
            Model.objects.filter(pk=_OFFER.id).update(enabled=False)
            catalogue_changed()
