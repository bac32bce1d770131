"""Holds: all purses or none, never more than there is."""

import asyncio
from dataclasses import replace

import pytest

from billing.errors import BudgetExceeded, InsufficientCredit
from billing.holds import Hold
from foundation.errors import Conflict
from foundation.stores import StoreDown
from tests.billing import cast
from tests.billing.cast import Budget
from tests.threads import off_loop

founded = off_loop(cast.organization_with)
balance = off_loop(cast.balance)


async def test_a_hold_is_taken_from_the_wallet_and_voided_again(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url) as money:
        hold = await money.holds.take(cast.request(acme, 600))
        assert await balance(acme) == (1000, 600)
        await money.holds.void(hold)
        assert await balance(acme) == (1000, 0)


async def test_what_does_not_fit_is_refused_and_says_what_is_reserved(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url) as money:
        await money.holds.take(cast.request(acme, 600))
        with pytest.raises(InsufficientCredit, match="reserved"):
            await money.holds.take(cast.request(acme, 401))
        assert await balance(acme) == (1000, 600)


async def test_one_hundred_at_once_never_hold_more_than_there_is(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url) as one, cast.money(fresh_database.url) as other:
        attempts = [side.holds.take(cast.request(acme, 100)) for side in (one, other) for _ in range(50)]
        results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, Hold) for result in results) == 10
    assert sum(isinstance(result, InsufficientCredit) for result in results) == 90
    assert await balance(acme) == (1000, 1000)


async def test_a_budget_that_refuses_leaves_the_wallet_and_other_budgets_untouched(fresh_database):
    acme = await founded(1000)
    wide, narrow = Budget(500, budget_id=cast.uuid7()), Budget(100, budget_id=cast.uuid7(), scope="project")
    async with cast.money(fresh_database.url) as money:
        with pytest.raises(BudgetExceeded, match="project"):
            await money.holds.take(cast.request(acme, 101, wide, narrow))
        assert await balance(acme) == (1000, 0)
        await money.holds.take(cast.request(acme, 100, wide, narrow))
    held = fresh_database.sql("SELECT held_nusd FROM billing_purse ORDER BY kind")
    assert held == [(100,), (100,), (100,)]


async def test_two_processes_open_one_window(fresh_database):
    acme = await founded(10_000)
    rolling = Budget(10_000, window="5h")
    async with cast.money(fresh_database.url) as one, cast.money(fresh_database.url) as other:
        attempts = [side.holds.take(cast.request(acme, 1, rolling)) for _ in range(20) for side in (one, other)]
        await asyncio.gather(*attempts)
    assert fresh_database.sql("SELECT count(*), sum(held_nusd) FROM billing_purse WHERE kind = 'budget'") == [(1, 40)]


async def test_a_budget_of_zero_blocks_even_what_is_free(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url) as money:
        with pytest.raises(BudgetExceeded):
            await money.holds.take(cast.request(acme, 0, Budget(0)))


async def test_a_free_request_needs_no_credit(fresh_database):
    acme = await founded(0)
    async with cast.money(fresh_database.url) as money:
        assert (await money.holds.take(cast.request(acme, 0))).amount_nusd == 0


async def test_a_request_above_its_own_cap_is_refused_before_any_purse(fresh_database):
    acme = await founded(1000)
    async with cast.money(fresh_database.url) as money:
        with pytest.raises(BudgetExceeded, match="per request"):
            await money.holds.take(cast.request(acme, 51, Budget(50, window="request")))


async def test_an_organization_without_a_wallet_has_no_credit(fresh_database):
    async with cast.money(fresh_database.url) as money:
        with pytest.raises(InsufficientCredit):
            await money.holds.take(cast.request(cast.uuid7(), 1, Budget(10)))


async def test_a_bad_request_does_not_spoil_those_that_travel_with_it(fresh_database):
    acme = await founded(1000)
    requests = [cast.request(acme, 100) for _ in range(4)]
    requests[1] = replace(requests[1], customer="a\0b")
    requests[2] = replace(requests[2], amount_nusd=-1)
    async with cast.money(fresh_database.url) as money:
        results = await asyncio.gather(*map(money.holds.take, requests), return_exceptions=True)
    assert [isinstance(result, Hold) for result in results] == [True, False, False, True]
    assert await balance(acme) == (1000, 200)


async def test_asking_twice_for_the_same_hold_takes_it_once(fresh_database):
    acme = await founded(1000)
    asked = cast.request(acme, 600, Budget(700))
    async with cast.money(fresh_database.url) as money:
        first, again = await asyncio.gather(money.holds.take(asked), money.holds.take(asked))
        assert first == again == await money.holds.take(asked)
    assert await balance(acme) == (1000, 600)


async def test_a_request_that_has_ended_is_never_held_again(fresh_database):
    acme = await founded(1000)
    asked = cast.request(acme, 600)
    async with cast.money(fresh_database.url) as money:
        await money.settlements.settle(cast.bill(acme, await money.holds.take(asked), 250), within_seconds=1)
        with pytest.raises(Conflict):
            await money.holds.take(asked)
    assert await balance(acme) == (750, 0)


async def test_money_fails_closed_without_postgres():
    async with cast.money("postgresql://turnpike_app@127.0.0.1:1/none") as money:
        money.postgres._pool.timeout = 0.2
        with pytest.raises(StoreDown) as refused:
            await money.holds.take(cast.request(cast.uuid7(), 1))
    assert (refused.value.status, refused.value.retry_after) == (503, 1.0)
