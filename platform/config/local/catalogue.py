"""The models of the demo engines: their entries in the catalogue, their prices, and where they run just now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from billing import prices, units
from config.local import engine
from config.local.engines import SIMULATED_MODEL, Kind
from inference.models import Deployment, Model, Pool, Replica
from inference.publishing import catalogue_changed
from tenants.audit import Actor

_ACTOR = Actor.system("demo")


@dataclass(frozen=True, slots=True)
class Offer:
    """A model as `make up` offers it. Rates are USD per million of each. An engine knows it as `upstream`."""

    id: str
    display_name: str
    description: str
    pool: str
    engine: str
    context_length: int
    max_output_tokens: int
    rates: Mapping[str, Decimal]
    upstream: str = ""
    reads: tuple[str, ...] = ("text",)
    makes: tuple[str, ...] = ("text",)


def _simulated(
    name: str,
    display_name: str,
    description: str,
    *,
    makes: str,
    reads: str = "text",
    kind: str,
    rate: str,
) -> Offer:
    return Offer(
        id=f"{SIMULATED_MODEL}-{name}",
        display_name=display_name,
        description=description,
        pool="simulator",
        engine=Pool.Engine.VLLM,
        context_length=8192,
        max_output_tokens=1,
        rates={kind: units.per_million(kind, Decimal(rate))},
        upstream=SIMULATED_MODEL,
        reads=(reads,),
        makes=(makes,),
    )


OFFERS = {
    Kind.MODEL: Offer(
        id=engine.MODEL,
        display_name="SmolLM2 135M Instruct",
        description="A small language model that runs on the CPU of this machine.",
        pool="cpu",
        engine=Pool.Engine.LLAMACPP,
        context_length=engine.CONTEXT_LENGTH,
        max_output_tokens=2048,
        rates={"input": Decimal("0.10"), "cached_input": Decimal("0.05"), "output": Decimal("0.40")},
    ),
    Kind.SIMULATOR: Offer(
        id=SIMULATED_MODEL,
        display_name="Simulator",
        description="Behaves like vLLM on the wire, and obeys directives, for load tests and faults.",
        pool="simulator",
        engine=Pool.Engine.VLLM,
        context_length=8192,
        max_output_tokens=4096,
        rates={"input": Decimal("0.50"), "cached_input": Decimal("0.25"), "output": Decimal("1.50")},
    ),
}
MORE = {
    Kind.SIMULATOR: (
        _simulated(
            "embedding", "Simulated embeddings", "Vectors of length one.", makes="embeddings", kind="input", rate="0.02"
        ),
        _simulated("rerank", "Simulated rerank", "Ranks by shared words.", makes="scores", kind="input", rate="0.05"),
        _simulated(
            "transcribe",
            "Simulated transcription",
            "Hears as many words as it likes.",
            reads="audio",
            makes="text",
            kind="seconds",
            rate="0.006",
        ),
        _simulated("speech", "Simulated speech", "A tone, as WAV.", makes="audio", kind="characters", rate="15"),
        _simulated("image", "Simulated images", "Pictures of one colour.", makes="image", kind="images", rate="0.04"),
    )
}
"""What else an engine of the kind does, each as a model with a price of its own."""


def offers(kind: Kind) -> tuple[Offer, ...]:
    """Return every model that this kind of engine is offered as, the one for chat first."""
    return (OFFERS[kind], *MORE.get(kind, ())) if kind in OFFERS else ()


@transaction.atomic
def offer(kind: Kind, urls: Sequence[str]) -> None:
    """Offer the model of this kind of engine at these addresses, and no more the one of another kind."""
    for other in OFFERS.keys() - {kind}:
        Replica.objects.filter(pool__name=OFFERS[other].pool).delete()
        Model.objects.filter(pk__in=[one.id for one in offers(other)]).update(enabled=False)
    for one in offers(kind):
        _offer(one, urls)
    catalogue_changed()


def _offer(one: Offer, urls: Sequence[str]) -> None:
    model, _ = Model.objects.update_or_create(
        pk=one.id,
        defaults={"enabled": True},
        create_defaults={
            "display_name": one.display_name,
            "description": one.description,
            "owned_by": "turnpike",
            "context_length": one.context_length,
            "max_output_tokens": one.max_output_tokens,
            "input_modalities": list(one.reads),
            "output_modalities": list(one.makes),
            "tags": ["demo"],
        },
    )
    pool, _ = Pool.objects.get_or_create(name=one.pool, defaults={"engine": one.engine})
    Deployment.objects.get_or_create(model=model, pool=pool, defaults={"upstream_name": one.upstream or one.id})
    pool.replicas.exclude(url__in=urls).delete()
    for url in urls:
        # What a prober found out about the process of an earlier start says nothing about this one.
        fresh = {"pool": pool, "state": Replica.State.UNKNOWN, "failures": 0, "checked_at": None}
        Replica.objects.update_or_create(url=url, defaults=fresh)
    if prices.current(one.id) is None:
        prices.publish(model=one.id, components=one.rates, actor=_ACTOR)
