"""A corrected price: first what it changes, then entries that make up for it, and history stays as it is."""

import io
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.core.management import call_command

from billing import prices, reconciliation, rerating
from foundation import clock
from tenants import isolation
from tests.billing import cast
from tests.threads import off_loop

founded = off_loop(cast.organization_with)
balance = off_loop(cast.balance)
HOUR = timedelta(hours=1)


@off_loop
def publish(input_rate: str, starts) -> None:
    with isolation.everything():
        rates = {"input": Decimal(input_rate), "output": Decimal(0)}
        prices.publish(model="sim", components=rates, actor=cast.SYSTEM, effective_from=starts)


@off_loop
def rerate(*, confirm: bool):
    since = clock.now() - HOUR
    if confirm:
        return rerating.confirm(model="sim", since=since, actor=cast.SYSTEM)
    return rerating.preview(model="sim", since=since)


async def _two_charged_requests(url: str) -> UUID:
    """At one dollar per million: 1,000 tokens for a million nano-dollars, and one token that costs a thousand."""
    acme = await founded(10_000_000)
    await publish("1", clock.now() - 2 * HOUR)
    async with cast.money(url) as money:
        for tokens in (1000, 1):
            hold = await money.holds.take(cast.request(acme, 2_000_000))
            bill = cast.bill(acme, hold, tokens * 1000, prompt_tokens=tokens, completion_tokens=0)
            await money.settlements.settle(bill, within_seconds=5)
    return acme


async def test_a_dry_run_tells_the_impact_and_writes_nothing(fresh_database):
    acme = await _two_charged_requests(fresh_database.url)
    await publish("0.4", clock.now() - HOUR)
    (impact,) = await rerate(confirm=False)
    assert (impact.organization_id, impact.requests) == (acme, 2)
    assert (impact.charged_nusd, impact.corrected_nusd, impact.difference_nusd) == (1_001_000, 400_400, -600_600)
    assert await balance(acme) == (10_000_000 - 1_001_000, 0)


async def test_a_confirmed_run_compensates_once_and_leaves_history_alone(fresh_database):
    acme = await _two_charged_requests(fresh_database.url)
    before = fresh_database.sql("SELECT * FROM billing_usagerecord ORDER BY 1")
    await publish("0.4", clock.now() - HOUR)
    for _ in range(2):
        await rerate(confirm=True)
    assert await balance(acme) == (10_000_000 - 400_400, 0)
    assert fresh_database.sql("SELECT * FROM billing_usagerecord ORDER BY 1") == before
    assert fresh_database.sql("SELECT count(*) FROM billing_ledgertransaction WHERE kind = 'rerating'") == [(1,)]
    assert await off_loop(reconciliation.verify)() == []


async def test_a_second_correction_evens_out_the_first(fresh_database):
    acme = await _two_charged_requests(fresh_database.url)
    for rate, ago in (("0.4", HOUR), ("3", HOUR / 2)):
        await publish(rate, clock.now() - ago)
        await rerate(confirm=True)
    assert await balance(acme) == (10_000_000 - 3_003_000, 0)
    assert await off_loop(reconciliation.verify)() == []


async def test_a_price_of_the_future_changes_nothing_of_the_past(fresh_database):
    await _two_charged_requests(fresh_database.url)
    await publish("9", clock.now() + HOUR)
    assert await rerate(confirm=False) == []


async def test_the_command_says_what_it_did(fresh_database):
    await _two_charged_requests(fresh_database.url)
    await publish("0.4", clock.now() - HOUR)
    since = (clock.now() - HOUR).isoformat()
    outputs = []
    for flags in ([], ["--confirm"]):
        output = io.StringIO()
        await off_loop(call_command)("rerate", "sim", "--since", since, *flags, stdout=output)
        outputs.append(output.getvalue())
    assert "Dry run" in outputs[0]
    assert "Posted" in outputs[1]
    assert "$0.0006" in outputs[1]
