"""An engine that makes more than it was allowed to: its stream goes on as long as somebody pays for it."""

from decimal import Decimal

# Each event says that ten thousand million tokens went in and came out: 20,000 USD.
BEYOND = "hi [[sim ttft=1 gap=20 tokens={tokens} usage=huge]]"
COST = 20_000 * 10**9


async def test_a_stream_that_outgrows_its_hold_gets_more_where_there_is_more(customer, usage):
    acme = await customer(Decimal(30_000))
    answer = await acme.stream(BEYOND.format(tokens=70), max_tokens=70)
    (record,) = await usage()
    assert answer.complete
    assert (record["outcome"], record["cost_nusd"]) == ("complete", COST)
    assert COST <= record["hold_nusd"] <= 30_000 * 10**9


async def test_a_stream_that_nobody_pays_for_any_more_ends_in_band_and_what_was_delivered_is_charged(customer, usage):
    acme = await customer(Decimal(10))
    answer = await acme.stream(BEYOND.format(tokens=2000), max_tokens=2000)
    (record,) = await usage()
    assert (answer.status, answer.ended, answer.complete) == (200, True, False)
    assert b'"insufficient_credit"' in answer.events[-1]
    assert (record["outcome"], record["cost_nusd"]) == ("out_of_credit", COST)
    assert (await acme.chat()).status == 402


async def test_a_budget_ends_a_stream_too(customer, usage):
    acme = await customer(Decimal(30_000), budget_nusd=COST - 1, budget_window="day")
    answer = await acme.stream(BEYOND.format(tokens=2000), max_tokens=2000)
    (record,) = await usage()
    assert b'"budget_exceeded"' in answer.events[-1]
    assert record["outcome"] == "out_of_credit"
