"""Agents ask for all they can get and use little of it: they are held up by what is reserved, and only while it is."""

import asyncio
from decimal import Decimal

import pytest

from config.local import catalogue
from config.local.engines import Kind
from tenants import isolation

CREDIT, CALLS, AT_ONCE = Decimal(25), 20, 10
# At this price the 4,096 tokens that the model may produce cost 2.46 USD: ten calls fit into 25 USD at once.
DEAR = "UPDATE billing_pricecomponent SET usd_per_million = 600 WHERE kind = 'output'"
TINY = "hi [[sim tokens=3 ttft=300 gap=0]]"


@pytest.fixture
def catalogued(fresh_database, engines):
    """The simulated model is for sale, and dear."""
    with isolation.everything():
        catalogue.offer(Kind.SIMULATOR, [engine.url for engine in engines])
    fresh_database.sql(DEAR)


async def calls(acme, number: int):
    return await asyncio.gather(*(acme.chat(TINY, max_tokens=32_000) for _ in range(number)))


async def test_twenty_agents_are_held_up_only_by_what_is_reserved_and_only_while_it_is(customer, usage):
    acme = await customer(CREDIT)
    answers = await calls(acme, CALLS)
    refused = [answer for answer in answers if answer.status != 200]
    assert {(answer.status, answer.error["code"]) for answer in refused} == {(402, "insufficient_credit")}
    assert len(refused) == CALLS - AT_ONCE
    assert all("is reserved by requests in flight" in answer.error["message"] for answer in refused)
    assert not any("spent" in answer.error["message"] for answer in refused)
    # Each was told to come again in a second. By now the first ones have settled, and nobody is in the way.
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert {answer.status for answer in await calls(acme, len(refused))} == {200}
    assert sum(record["cost_nusd"] for record in await usage()) < 10**9
