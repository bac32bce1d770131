"""The clock of one process may be wrong, or be set: windows are Postgres' business, and it has one clock for all."""

import asyncio
from datetime import timedelta

import pytest
import time_machine

from billing import reconciliation
from billing.errors import BudgetExceeded
from foundation import clock
from tests.billing import cast
from tests.billing.cast import Budget
from tests.billing.test_slices import heat
from tests.billing.test_slices import process as slicing
from tests.threads import off_loop

founded = off_loop(cast.organization_with)
verify = off_loop(reconciliation.verify)


@pytest.mark.parametrize("window", ["5h", "day"])
@pytest.mark.parametrize("step", [timedelta(days=-400), timedelta(hours=30), timedelta(days=400)])
async def test_a_process_whose_clock_steps_opens_no_window_of_its_own(fresh_database, window, step):
    acme, budget = await founded(10_000), Budget(100, window)
    async with cast.money(fresh_database.url) as money:
        await money.holds.take(cast.request(acme, 60, budget))
        with time_machine.travel(clock.now() + step, tick=True), pytest.raises(BudgetExceeded):
            await money.holds.take(cast.request(acme, 60, budget))
    assert fresh_database.sql("SELECT count(*), sum(held_nusd) FROM billing_purse WHERE kind = 'budget'") == [(1, 60)]


@pytest.mark.parametrize("step", [timedelta(hours=-30), timedelta(hours=4), timedelta(days=400)])
async def test_a_process_whose_clock_is_wrong_says_honestly_when_to_come_back(fresh_database, step):
    acme, budget = await founded(10_000), Budget(100, "5h")
    async with cast.money(fresh_database.url) as money:
        with time_machine.travel(clock.now() + step, tick=True):
            hold = await money.holds.take(cast.request(acme, 60, budget))
            await money.settlements.settle(cast.bill(acme, hold, 60), within_seconds=5)
            with pytest.raises(BudgetExceeded) as refused:
                await money.holds.take(cast.request(acme, 60, budget))
    assert refused.value.retry_after == pytest.approx(5 * 3600, abs=30)


async def test_a_record_from_a_wrong_clock_keeps_no_other_month_from_its_partition(fresh_database):
    acme = await founded(10_000)
    async with cast.money(fresh_database.url) as money:
        with time_machine.travel(clock.now() + timedelta(days=200), tick=True):
            hold = await money.holds.take(cast.request(acme, 60))
            await money.settlements.settle(cast.bill(acme, hold, 60), within_seconds=5)
    # Four months are there from the start; of the ten that follow all but one can be made, again and again.
    made = [fresh_database.sql("SELECT turnpike_ensure_partitions(13)") for _ in range(2)]
    assert made == [[(9,)], [(0,)]]
    assert await verify() == []


@pytest.mark.parametrize("step", [timedelta(hours=-30), timedelta(hours=30)])
async def test_a_process_whose_clock_is_wrong_knows_when_the_window_of_a_slice_ends(fresh_database, step):
    acme, budget = await founded(10_000_000), Budget(10_000_000, "5h")
    loop = asyncio.get_running_loop()
    async with slicing(fresh_database.url) as money:
        with time_machine.travel(clock.now() + step, tick=True):
            hold = await heat(money, acme, budget)
            assert hold.place is not None
            left = hold.place.slice.window_ends / 1000 - loop.time()
        await money.holds.void(hold)
    assert left == pytest.approx(5 * 3600, abs=30)
