"""Every kind of engine as an operator enters it, each with a simulator of its personality behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from billing import prices
from inference.models import Deployment, Model, Pool, Replica
from tenants.audit import Actor

RATES = {"input": Decimal("0.50"), "cached_input": Decimal("0.25"), "output": Decimal("1.50")}
CREDENTIAL = "sk-of-the-engine"
CREDENTIAL_ENV = "ENGINE_KEY_OF_THE_TESTS"


@dataclass(frozen=True)
class Kind:
    """One way to reach models: the model's name for callers is its own."""

    name: str
    engine: str
    personality: str
    template: str = ""
    running: bool = False
    """Whether its usage comes with every chunk."""


KINDS = {
    kind.name: kind
    for kind in (
        Kind("vllm", "vllm", "vllm", running=True),
        Kind("sglang", "sglang", "sglang", running=True),
        Kind("tgi", "tgi", "tgi"),
        Kind("tgi-text", "tgi", "tgi", template="chatml"),
        Kind("trtllm", "trtllm", "trtllm", running=True),
        Kind("triton", "triton", "triton", template="llama3", running=True),
        Kind("llamacpp", "llamacpp", "llamacpp"),
        Kind("compatible", "compatible", "openai"),
        Kind("openai", "openai", "openai"),
        Kind("anthropic", "anthropic", "anthropic"),
        Kind("mistral", "mistral", "mistral"),
    )
}


def offer(name: str, *pools: Pool, template: str = "") -> Model:
    """Put a model on sale that runs on these pools as `sim`."""
    model = Model.objects.create(pk=name, display_name=name, owned_by="us", context_length=8192, max_output_tokens=4096)
    for pool in pools:
        Deployment.objects.create(model=model, pool=pool, upstream_name="sim", chat_template=template)
    prices.publish(model=name, components=RATES, actor=Actor.system("tests"))
    return model


def pool(name: str, engine: str, urls: Iterable[str]) -> Pool:
    """Enter a pool. Its engines want a credential."""
    made = Pool.objects.create(name=name, engine=engine, credential_env=CREDENTIAL_ENV)
    for url in urls:
        Replica.objects.create(pool=made, url=url)
    return made
