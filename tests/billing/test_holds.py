"""Holds: all purses or none, never more than there is."""

import asyncio
from dataclasses import replace

import pytest

from billing.errors import BudgetExceeded, InsufficientCredit
from billing.holds import Hold
from foundation import clock
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
    requests[1] = requests[1]._replace(customer="a\0b")
    requests[2] = requests[2]._replace(amount_nusd=-1)
    async with cast.money(fresh_database.url) as money:
        results = await asyncio.gather(*map(money.holds.take, requests), return_exceptions=True)
    assert [isinstance(result, Hold) for result in results] == [True, False, False, True]
    assert await balance(acme) == (1000, 200)


async def test_asking_twice_for_the_same_hold_takes_it_once(fresh_database):
    acme = await founded(1000)
    asked = cast.request(acme, 600, Budget(700))
    async with cast.money(fresh_database.url) as money:
        first, again = await asyncio.gather(money.holds.take(asked), money.holds.take(asked))
        later = await money.holds.take(asked)
        # What is left in the purses, and for how long, is told of the moment.
        assert {hold[:3] for hold in (first, again, later)} == {(asked.request_id, 600, first.purses)}
        assert len(set(first.purses)) == 2
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


async def test_a_wallet_that_is_only_reserved_says_so_and_when_to_come_back(fresh_database):
    """Twenty agents with 32,000 tokens of output at 60 USD per million, on 25 USD: thirteen may run at once."""
    acme, worst_case = await founded(25 * 10**9), 32_000 * 60_000
    async with cast.money(fresh_database.url) as money:
        attempts = [money.holds.take(cast.request(acme, worst_case)) for _ in range(20)]
        results = await asyncio.gather(*attempts, return_exceptions=True)
        running = [result for result in results if isinstance(result, Hold)]
        refused = [result for result in results if isinstance(result, InsufficientCredit)]
        assert (len(running), len(refused)) == (13, 7)
        assert {error.retry_after for error in refused} == {1}
        assert all("is reserved by requests in flight" in error.message for error in refused)
        assert not any("spent" in error.message for error in refused)
        # Their real use is tiny: once they have settled, nobody is in the way of anybody.
        await asyncio.gather(
            *(money.settlements.settle(cast.bill(acme, hold, 1000), within_seconds=5) for hold in running)
        )
        again = [money.holds.take(cast.request(acme, worst_case)) for _ in refused]
        assert all(isinstance(hold, Hold) for hold in await asyncio.gather(*again))


async def test_an_empty_wallet_gives_no_hope_of_waiting(fresh_database):
    acme = await founded(0)
    async with cast.money(fresh_database.url) as money:
        with pytest.raises(InsufficientCredit) as refused:
            await money.holds.take(cast.request(acme, 1))
    assert refused.value.retry_after is None


async def test_own_budget_and_that_of_the_plan_both_count_and_are_told_apart(fresh_database):
    acme = await founded(10_000)
    own, plans = Budget(500, "day"), Budget(300, "month")
    plans = replace(plans, budget_id=own.budget_id)
    async with cast.money(fresh_database.url) as money:
        await money.holds.take(cast.request(acme, 200, own, plans))
        with pytest.raises(BudgetExceeded, match=r"per month has .* reserved by requests in flight") as refused:
            await money.holds.take(cast.request(acme, 200, own, plans))
        assert (refused.value.param, refused.value.retry_after) == ("budget_nusd", 1)
    assert fresh_database.sql("SELECT held_nusd FROM billing_purse WHERE kind = 'budget'") == [(200,), (200,)]


REFUSALS = [
    # limit, window, spent before, amount -> what is said, when to come back
    (0, "day", 0, 1, "is 0, which blocks", None),
    (100, "day", 0, 101, "more than the whole budget", None),
    (100, "lifetime", 60, 50, "never filled up again", None),
    (100, "request", 0, 101, "per request", None),
    (0, "request", 0, 1, "is 0, which blocks", None),
    (100, "5h", 60, 50, "window ends at", 5 * 3600),
]


@pytest.mark.parametrize(("limit", "window", "spent", "amount", "said", "wait"), REFUSALS)
async def test_a_budget_says_when_it_helps_to_come_back(fresh_database, limit, window, spent, amount, said, wait):
    acme, budget = await founded(10_000), Budget(limit, window)
    async with cast.money(fresh_database.url) as money:
        if spent:
            hold = await money.holds.take(cast.request(acme, spent, budget))
            await money.settlements.settle(cast.bill(acme, hold, spent), within_seconds=5)
        with pytest.raises(BudgetExceeded, match=said) as refused:
            await money.holds.take(cast.request(acme, amount, budget))
    assert refused.value.param == "budget_nusd"
    assert refused.value.retry_after == (None if wait is None else pytest.approx(wait, abs=30))


async def test_a_billing_period_begins_on_the_day_the_organization_was_created(fresh_database):
    acme = await founded(10_000)
    fresh_database.sql("UPDATE tenants_organization SET created_at = '2026-01-31 12:00+00'")
    async with cast.money(fresh_database.url) as money:
        await money.holds.take(cast.request(acme, 1, Budget(100, "billing_period")))
    ((starts, ends),) = fresh_database.sql("SELECT starts_at, ends_at FROM billing_purse WHERE kind = 'budget'")
    assert starts <= clock.now() < ends
    assert {starts.day, ends.day} & {31, 30, 29, 28}
    assert 28 <= (ends - starts).days <= 31
