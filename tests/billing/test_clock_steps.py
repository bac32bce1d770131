"""The clock of one process may be wrong, or be set: windows are Postgres' business, and it has one clock for all."""

from datetime import timedelta

import pytest
import time_machine

from billing.errors import BudgetExceeded
from foundation import clock
from tests.billing import cast
from tests.billing.cast import Budget
from tests.threads import off_loop

founded = off_loop(cast.organization_with)


@pytest.mark.parametrize("window", ["5h", "day"])
@pytest.mark.parametrize("step", [timedelta(days=-400), timedelta(hours=30), timedelta(days=400)])
async def test_a_process_whose_clock_steps_opens_no_window_of_its_own(fresh_database, window, step):
    acme, budget = await founded(10_000), Budget(100, window)
    async with cast.money(fresh_database.url) as money:
        await money.holds.take(cast.request(acme, 60, budget))
        with time_machine.travel(clock.now() + step, tick=True), pytest.raises(BudgetExceeded):
            await money.holds.take(cast.request(acme, 60, budget))
    assert fresh_database.sql("SELECT count(*), sum(held_nusd) FROM billing_purse WHERE kind = 'budget'") == [(1, 60)]
