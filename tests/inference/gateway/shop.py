"""Models that are sold for one file of tests, each on an engine of its own, priced for every endpoint."""

from __future__ import annotations

from decimal import Decimal

from billing import prices
from inference.models import Deployment, Model, Pool, Replica
from inference.publishing import catalogue_changed
from tenants.audit import Actor
from tests.inference.gateway.media import RATES

INPUT, CACHED, OUTPUT = 500, 250, 1500
"""What a token costs, in nano-dollars."""
TOKENS = {"input": Decimal("0.5"), "cached_input": Decimal("0.25"), "output": Decimal("1.5")}
ENGINE_OF = {False: Pool.Engine.VLLM, True: Pool.Engine.COMPATIBLE}
"""An engine that serves messages and responses itself, and one for which they are translated to chat."""


def model(bridged: bool) -> str:
    """Name the model behind an engine of that kind."""
    return "translated" if bridged else "native"


def sell(urls: dict[bool, str], **times: int) -> None:
    """Sell both models, behind engines at these addresses, with these time limits of their pools."""
    for bridged, url in urls.items():
        name = model(bridged)
        known = {"owned_by": "turnpike", "context_length": 8192, "max_output_tokens": 4096, "enabled": True}
        sold, _ = Model.objects.update_or_create(pk=name, defaults=known)
        pool = Pool.objects.create(name=name, engine=ENGINE_OF[bridged], **times)
        Replica.objects.create(pool=pool, url=url)
        Deployment.objects.create(model=sold, pool=pool, upstream_name="sim")
        if prices.current(name) is None:
            prices.publish(model=name, components=TOKENS | RATES, actor=Actor.system("tests"))
    catalogue_changed()


def close() -> None:
    """Sell them no more."""
    names = [model(bridged) for bridged in ENGINE_OF]
    Pool.objects.filter(name__in=names).delete()
    Model.objects.filter(pk__in=names).update(enabled=False)
    catalogue_changed()
