"""A Turnpike before the engine that is asked: its model in the catalogue, and a server that has the engine's key."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from config.local import catalogue
from inference.models import Pool
from inference.publishing import catalogue_changed
from tests.conformance.wire import CONTEXT, KEY, MODEL, Role, Target
from tests.installation import Installation

_KEY_VARIABLE = "TINY_LLAMA_KEY"
_OFFER = catalogue.Offer(
    id=MODEL,
    display_name="Tiny Llama",
    description="Random weights, for the wire's sake.",
    pool=MODEL,
    engine=Pool.Engine.VLLM,
    context_length=CONTEXT,
    max_output_tokens=CONTEXT,
    rates={"input": Decimal("0.50"), "cached_input": Decimal("0.25"), "output": Decimal("1.50")},
)


@contextmanager
def gateway(installation: Installation, engine: Target) -> Iterator[Target]:
    """Give the gateway as a target, with the key of an organisation of its own."""
    with installation.django():
        catalogue._offer(_OFFER, [engine.urls[Role.GENERATE]])
        Pool.objects.filter(name=_OFFER.pool).update(credential_env=_KEY_VARIABLE)
        catalogue_changed()
    server = installation.spawn_server(**{_KEY_VARIABLE: KEY})
    try:
        tenant = installation.organization(name="Tiny")
        yield Target("gateway", {Role.GENERATE: server.url}, tenant.api_key)
    finally:
        server.stop()
        with installation.django():
            Pool.objects.filter(name=_OFFER.pool).delete()
            catalogue_changed()
