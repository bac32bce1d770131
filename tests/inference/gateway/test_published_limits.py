"""The limits as the documentation publishes them (tests/tables): the largest that passes, and one beyond it."""

import pytest

from tests.tables import inputs, rates, times


@pytest.mark.parametrize("row", inputs.ROWS, ids=lambda row: row.what)
async def test_what_is_within_a_limit_passes_and_what_is_beyond_is_refused_before_it_costs_anything(
    customer, usage, row
):
    acme = await customer()
    within, beyond = row.within(), row.beyond()
    refused = await acme.ask(beyond.body, headers=beyond.headers)
    assert (refused.status, await usage()) == (row.status, [])
    # An engine may still refuse what it cannot hold; no limit of ours does.
    passed = await acme.ask(within.body, headers=within.headers)
    assert passed.status == 200 or passed.error["code"] == "upstream_rejected", passed.body
    assert len(await usage()) == 1


@pytest.mark.parametrize("row", rates.ROWS, ids=lambda row: row.name)
async def test_a_limit_of_nothing_blocks_and_none_does_not(customer, row):
    blocked, free = await customer(**row.nothing), await customer(name="Globex")
    answer = await blocked.chat("hi [[sim tokens=1 ttft=1 gap=0]]")
    assert (answer.status, answer.error["code"]) == row.refusal
    assert "retry-after" not in answer.headers
    assert (await free.chat("hi [[sim tokens=1 ttft=1 gap=0]]")).status == 200


@pytest.mark.parametrize("row", times.ROWS, ids=lambda row: row.step)
def test_a_time_limit_is_what_is_published(row):
    assert row.found() == row.seconds
