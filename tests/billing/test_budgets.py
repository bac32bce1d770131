"""Budgets that only notify, only count, or carry over; only hard ones ever refuse."""

import asyncio

import pytest

from billing.errors import BudgetExceeded
from billing.holds import Hold
from foundation import metrics
from foundation.ids import uuid7
from tests.billing import cast
from tests.billing.cast import Budget
from tests.threads import off_loop

founded = off_loop(cast.organization_with)
NOTICES = "SELECT mode, percent, limit_nusd, spent_nusd FROM billing_budgetnotice ORDER BY mode, percent"


async def spend(money: cast.Money, acme, amount: int, *caps: Budget) -> None:
    hold = await money.holds.take(cast.request(acme, amount, *caps))
    await money.settlements.settle(cast.bill(acme, hold, amount), within_seconds=5)


async def test_a_soft_budget_refuses_nothing_and_counts_all(fresh_database):
    acme, soft = await founded(1000), Budget(100, mode="soft")
    async with cast.money(fresh_database.url) as money:
        for _ in range(3):
            await spend(money, acme, 90, soft)
    assert fresh_database.sql("SELECT posted_nusd, held_nusd FROM billing_purse WHERE kind = 'budget'") == [(270, 0)]


@pytest.mark.parametrize("mode", ["hard", "soft"])
async def test_each_mark_is_noticed_once_in_a_window(fresh_database, mode):
    acme, budget = await founded(1000), Budget(100, mode=mode)
    async with cast.money(fresh_database.url) as money:
        await spend(money, acme, 49, budget)
        assert fresh_database.sql(NOTICES) == []
        await spend(money, acme, 1, budget)
        assert fresh_database.sql(NOTICES) == [(mode, 50, 100, 50)]
        await spend(money, acme, 50, budget)
    assert fresh_database.sql(NOTICES) == [(mode, 50, 100, 50), (mode, 80, 100, 100), (mode, 100, 100, 100)]


async def test_many_processes_at_once_notice_a_mark_once(fresh_database):
    acme, soft = await founded(10_000), Budget(100, mode="soft")
    async with cast.money(fresh_database.url) as one, cast.money(fresh_database.url) as other:
        await asyncio.gather(*(spend(side, acme, 10, soft) for side in (one, other) for _ in range(20)))
    assert [percent for _, percent, _, _ in fresh_database.sql(NOTICES)] == [50, 80, 100]


async def test_a_limit_that_was_lowered_is_noticed_with_the_next_settlement(fresh_database):
    acme, wide = await founded(1000), Budget(1000, mode="soft")
    narrow = Budget(60, mode="soft", budget_id=wide.budget_id)
    async with cast.money(fresh_database.url) as money:
        await spend(money, acme, 50, wide)
        assert fresh_database.sql(NOTICES) == []
        await spend(money, acme, 1, narrow)
    assert [percent for _, percent, _, _ in fresh_database.sql(NOTICES)] == [50, 80]


async def test_a_shadow_budget_counts_what_it_would_have_refused(fresh_database):
    acme, shadow = await founded(1000), Budget(100, mode="shadow", scope="project")
    before = metrics.budget_shadow_refusals("project")._value.get()
    async with cast.money(fresh_database.url) as money:
        held = [await money.holds.take(cast.request(acme, 40, shadow)) for _ in range(4)]
    assert all(isinstance(hold, Hold) for hold in held)
    counted = "SELECT shadow_refused, shadow_refused_nusd, held_nusd FROM billing_purse WHERE kind = 'budget'"
    assert fresh_database.sql(counted) == [(2, 80, 160)]
    assert metrics.budget_shadow_refusals("project")._value.get() == before + 2
    assert fresh_database.sql(NOTICES) == []


async def test_what_another_limit_refuses_is_not_counted_by_a_shadow(fresh_database):
    acme, shadow = await founded(1000), Budget(10, mode="shadow")
    async with cast.money(fresh_database.url) as money:
        with pytest.raises(BudgetExceeded):
            await money.holds.take(cast.request(acme, 50, shadow, Budget(20, scope="project")))
    assert fresh_database.sql("SELECT sum(shadow_refused), sum(held_nusd) FROM billing_purse") == [(0, 0)]


async def test_a_hard_and_a_soft_budget_of_one_window_share_what_is_spent(fresh_database):
    acme, hard = await founded(1000), Budget(100)
    soft = Budget(50, mode="soft", budget_id=hard.budget_id)
    async with cast.money(fresh_database.url) as money:
        await spend(money, acme, 60, hard, soft)
        with pytest.raises(BudgetExceeded, match=r"has \$0.00000004 left"):
            await money.holds.take(cast.request(acme, 50, soft, hard))
    assert fresh_database.sql("SELECT posted_nusd, limit_nusd, soft_nusd FROM billing_purse WHERE kind = 'budget'") == [
        (60, 100, 50)
    ]
    assert [notice[:2] for notice in fresh_database.sql(NOTICES)] == [
        ("hard", 50),
        ("soft", 50),
        ("soft", 80),
        ("soft", 100),
    ]


async def test_what_is_carried_over_may_be_spent_and_not_a_nano_dollar_more(fresh_database):
    acme, budget = await founded(10_000), Budget(100, "5h", carries_over=True)
    ended = "UPDATE billing_purse SET starts_at = starts_at - interval '5 hours', ends_at = clock_timestamp()"
    async with cast.money(fresh_database.url) as money:
        await spend(money, acme, 30, budget)
        fresh_database.sql(f"{ended} WHERE kind = 'budget'")
        attempts = [money.holds.take(cast.request(acme, 17, budget)) for _ in range(20)]
        results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, Hold) for result in results) == 10
    assert {result.message[:43] for result in results if isinstance(result, BudgetExceeded)} == {
        "The key's budget of $0.00000017 per 5 hours"
    }


async def test_a_carrying_budget_of_zero_still_blocks(fresh_database):
    acme, budget = await founded(1000), Budget(100, "5h", carries_over=True)
    blocked = Budget(0, "5h", carries_over=True, budget_id=budget.budget_id)
    async with cast.money(fresh_database.url) as money:
        await spend(money, acme, 1, budget)
        fresh_database.sql("UPDATE billing_purse SET ends_at = clock_timestamp() WHERE kind = 'budget'")
        await spend(money, acme, 1, budget)
        with pytest.raises(BudgetExceeded, match="blocks"):
            await money.holds.take(cast.request(acme, 1, blocked))


def carry(database, budget, at: str, *, limit: int = 100, zone: str = "UTC", acme=None) -> tuple:
    """Open the window of an instant as a hold does; return what it has."""
    cap = f'{{"budget": "{budget[0]}", "window": "{budget[1]}", "scope": "key", "carrying": {limit}}}'
    batch = f'[{{"organization": "{acme}", "zone": "{zone}", "caps": [{cap}]}}]'
    database.sql("SELECT turnpike_open_windows(%s::jsonb, %s::timestamptz)", batch, at)
    found = "SELECT starts_at, carried_nusd, limit_nusd FROM billing_purse WHERE budget_id = %s ORDER BY starts_at DESC"
    return database.sql(found, budget[0])[0]


SPEND = "UPDATE billing_purse SET posted_nusd = %s WHERE ends_at = (SELECT max(ends_at) FROM billing_purse)"

CARRIES = [
    # zone, window, first use, spent, next use -> carried
    ("UTC", "day", "2026-06-01 12:00Z", 30, "2026-06-02 01:00Z", 70),
    ("UTC", "day", "2026-06-01 12:00Z", 130, "2026-06-02 01:00Z", 0),
    ("UTC", "day", "2026-06-01 12:00Z", 90, "2026-06-03 01:00Z", 100),
    # The day has 23 hours, then 25: at 22:30 UTC it is the next one already, or not yet.
    ("Europe/Berlin", "day", "2026-03-29 12:00Z", 40, "2026-03-29 22:30Z", 60),
    ("Europe/Berlin", "day", "2026-10-24 21:59Z", 40, "2026-10-25 22:59Z", 60),
    # Midnight does not exist: the day before ends where this one begins.
    ("Africa/Cairo", "day", "2026-04-23 12:00Z", 25, "2026-04-24 12:00Z", 75),
    ("UTC", "month", "2028-02-29 23:59Z", 10, "2028-03-01 00:00Z", 90),
    ("UTC", "month", "2026-01-31 23:59Z", 99, "2026-03-01 00:00Z", 100),
    ("UTC", "week", "2026-12-31 12:00Z", 10, "2027-01-04 00:00Z", 90),
    # A window of five hours is only there when it is used: nothing passes unused between two.
    ("UTC", "5h", "2026-06-01 12:00Z", 90, "2026-06-05 12:00Z", 10),
]


@pytest.mark.parametrize(("zone", "window", "first", "spent", "then", "carried"), CARRIES)
def test_the_rest_of_the_window_before_is_carried_over(fresh_database, zone, window, first, spent, then, carried):
    acme, budget = cast.organization_with(1000), (uuid7(), window)
    assert carry(fresh_database, budget, first, zone=zone, acme=acme)[1:] == (0, 100)
    fresh_database.sql(SPEND, spent)
    assert carry(fresh_database, budget, then, zone=zone, acme=acme)[1:] == (carried, 100 + carried)


def test_what_is_carried_over_never_grows_beyond_one_window(fresh_database):
    acme, budget = cast.organization_with(1000), (uuid7(), "day")
    days = [carry(fresh_database, budget, f"2026-06-{day:02} 12:00Z", acme=acme) for day in range(1, 6)]
    assert [carried for _, carried, _ in days] == [0, 100, 100, 100, 100]


def test_what_requests_in_flight_hold_is_not_carried_over(fresh_database):
    acme, budget = cast.organization_with(1000), (uuid7(), "day")
    carry(fresh_database, budget, "2026-06-01 23:59Z", acme=acme)
    fresh_database.sql("UPDATE billing_purse SET held_nusd = 60 WHERE kind = 'budget'")
    assert carry(fresh_database, budget, "2026-06-02 00:01Z", acme=acme)[1] == 40


def test_a_zone_that_moves_carries_the_rest_over_and_no_window_twice(fresh_database):
    acme, budget = cast.organization_with(1000), (uuid7(), "day")
    carry(fresh_database, budget, "2026-06-01 12:00Z", acme=acme)
    fresh_database.sql(SPEND, 80)
    starts, carried, _ = carry(fresh_database, budget, "2026-06-02 01:00Z", zone="Asia/Tokyo", acme=acme)
    assert (starts.isoformat(), carried) == ("2026-06-02T00:00:00+00:00", 20)


def test_a_limit_that_was_lowered_lends_no_more_than_itself(fresh_database):
    acme, budget = cast.organization_with(1000), (uuid7(), "day")
    carry(fresh_database, budget, "2026-06-01 12:00Z", acme=acme)
    assert carry(fresh_database, budget, "2026-06-02 12:00Z", limit=10, acme=acme)[1:] == (10, 20)
    assert carry(fresh_database, budget, "2026-06-02 13:00Z", limit=4, acme=acme)[1:] == (10, 8)
