"""Settlements: once, durably, and in balance, whatever is repeated, late or too long."""

import asyncio

import pytest

from billing import reconciliation
from billing.holds import Hold
from foundation.stores import StoreDown
from tests.billing import cast
from tests.billing.cast import Budget
from tests.threads import off_loop

founded = off_loop(cast.organization_with)
balance = off_loop(cast.balance)
verify = off_loop(reconciliation.verify)


async def test_a_settlement_charges_the_cost_and_frees_the_rest(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url) as money:
        hold = await money.holds.take(cast.request(acme, 600, Budget(700)))
        receipt = await money.settlements.settle(cast.bill(acme, hold, 250), within_seconds=1)
    assert (receipt.verdict, receipt.overage_nusd) == ("settled", 0)
    assert await balance(acme) == (750, 0)
    assert fresh_database.sql("SELECT posted_nusd, held_nusd FROM billing_purse WHERE kind = 'budget'") == [(250, 0)]
    assert fresh_database.sql("SELECT cost_nusd, transaction_id FROM billing_usagerecord") == [
        (250, receipt.transaction_id)
    ]
    assert await verify() == []


async def test_a_repeated_settlement_charges_nothing_more(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url) as one, cast.money(fresh_database.url) as other:
        hold = await one.holds.take(cast.request(acme, 600))
        bill = cast.bill(acme, hold, 250)
        receipts = await asyncio.gather(
            *(side.settlements.settle(bill, within_seconds=5) for side in (one, other) for _ in range(10))
        )
    assert sorted(receipt.verdict for receipt in receipts) == ["duplicate"] * 19 + ["settled"]
    assert await balance(acme) == (750, 0)
    assert await verify() == []


async def test_what_was_used_beyond_the_hold_is_an_entry_of_its_own(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url) as money:
        hold = await money.holds.take(cast.request(acme, 100))
        receipt = await money.settlements.settle(cast.bill(acme, hold, 1500), within_seconds=1)
    assert receipt.overage_nusd == 1400
    assert await balance(acme) == (-500, 0)
    entries = fresh_database.sql(
        "SELECT kind, amount_nusd FROM billing_ledgerentry WHERE account = 'wallet' ORDER BY id"
    )
    assert entries == [("credit", 1000), ("usage", -100), ("overage", -1400)]
    assert await verify() == []


async def test_an_expired_hold_is_reaped_and_a_late_settlement_is_posted_once(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url, lease_seconds=0) as money:
        hold = await money.holds.take(cast.request(acme, 600))
        await money.postgres.fetch("SELECT turnpike_reap()")
        assert await balance(acme) == (1000, 0)
        assert fresh_database.sql("SELECT outcome, cost_nusd FROM billing_usagerecord") == [("expired", 0)]
        bill = cast.bill(acme, hold, 250)
        verdicts = [(await money.settlements.settle(bill, within_seconds=1)).verdict for _ in range(2)]
    assert verdicts == ["late", "duplicate"]
    assert await balance(acme) == (750, 0)
    assert fresh_database.sql("SELECT outcome, cost_nusd, late FROM billing_usagerecord") == [("complete", 250, True)]
    assert await verify() == []


async def test_an_extended_hold_is_not_reaped(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url, lease_seconds=0) as dying, cast.money(fresh_database.url) as living:
        hold = await dying.holds.take(cast.request(acme, 600))
        await living.holds.extend([hold.request_id])
        await living.postgres.fetch("SELECT turnpike_reap()")
    assert await balance(acme) == (1000, 600)


async def test_a_bad_bill_does_not_spoil_those_that_travel_with_it(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url) as money:
        holds = [await money.holds.take(cast.request(acme, 100)) for _ in range(3)]
        bills = [cast.bill(acme, hold, 10) for hold in holds]
        bills[1] = cast.bill(acme, holds[1], 10, prompt_tokens=-1)
        results = await asyncio.gather(
            *(money.settlements.settle(bill, within_seconds=1) for bill in bills), return_exceptions=True
        )
    assert [isinstance(result, Exception) for result in results] == [False, True, False]
    assert await balance(acme) == (980, 100)
    assert await verify() == []


async def test_a_batch_of_many_organizations_posts_one_transaction_for_each(fresh_database):
    acme, globex = await founded(1000), await founded(1000, "Globex")
    async with cast.money(fresh_database.url) as money:
        holds = [(who, await money.holds.take(cast.request(who, 100))) for who in (acme, globex) for _ in range(5)]
        warm = [money.settlements.settle(cast.bill(who, hold, 7), within_seconds=1) for who, hold in holds]
        await asyncio.gather(*warm)
    assert await balance(acme) == await balance(globex) == (965, 0)
    owners = fresh_database.sql(
        "SELECT count(DISTINCT u.organization_id) FROM billing_usagerecord u GROUP BY u.transaction_id"
    )
    assert set(owners) == {(1,)}
    assert await verify() == []


async def test_while_postgres_is_down_a_settlement_waits_as_long_as_it_may():
    async with cast.money("postgresql://turnpike_app@127.0.0.1:1/none") as money:
        money.postgres._pool.timeout = 0.1
        hold = Hold(cast.uuid7(), 1, ())
        started = asyncio.get_running_loop().time()
        with pytest.raises(StoreDown):
            await money.settlements.settle(cast.bill(cast.uuid7(), hold, 1), within_seconds=0.6)
    assert asyncio.get_running_loop().time() - started > 0.4
