"""One model on engines of several kinds: who cannot be reached or cannot do it leaves the request to another."""

from __future__ import annotations

import pytest

from tenants import isolation
from tests.inference.gateway.engines.fleet import offer, pool
from tests.inference.test_probing import dead_url

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
PAIRS = [("triton", "vllm"), ("vllm", "triton"), ("anthropic", "openai"), ("mistral", "anthropic"), ("openai", "tgi")]


@pytest.fixture
def catalogued(catalogued, simulators) -> None:
    """Each pair serves a model, and the first of it is down."""
    with isolation.everything():
        for first, second in PAIRS:
            down = pool(f"down-{first}-{second}", first, [dead_url()])
            up = pool(f"up-{first}-{second}", second, [f"{simulators[second].url}/"])
            offer(f"{first}-{second}", down, up, template="llama3" if "triton" in (first, second) else "")
        mixed = [pool("mixed-vllm", "vllm", [simulators["sglang"].url + "/"])]
        mixed.append(pool("mixed-triton", "triton", [dead_url()]))
        offer("mixed", *mixed, template="chatml")


async def test_before_the_first_byte_another_kind_of_engine_takes_over(customer, usage):
    acme = await customer()
    for first, second in PAIRS:
        for _ in range(2):
            got = await acme.stream("hi [[sim tokens=4]]", model=f"{first}-{second}")
            assert (got.status, got.complete) == (200, True), (first, second)
            assert got.text.strip(), (first, second)
    records = await usage()
    assert {(record["outcome"], record["completion_tokens"]) for record in records} == {("complete", 4)}
    assert all(record["pool"].startswith("up-") for record in records)


async def test_what_one_kind_does_not_understand_goes_to_the_one_that_does(customer, usage):
    acme = await customer()
    for _ in range(4):
        got = await acme.chat("hi [[sim tools=1]]", model="mixed", tools=[TOOL])
        assert got.json["choices"][0]["message"]["tool_calls"]
    assert {record["pool"] for record in await usage()} == {"mixed-vllm"}
