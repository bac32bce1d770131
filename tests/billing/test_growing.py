"""A running request that costs more than was held for it gets more from all of its purses, or from none."""

import pytest

from billing import reconciliation
from billing.errors import BudgetExceeded, InsufficientCredit
from billing.growing import Growing, Growth
from foundation.ids import uuid7
from tests.billing.cast import Budget, balance, bill, money, organization_with, request
from tests.threads import off_loop


@pytest.fixture
async def purses(fresh_database):
    async with money(fresh_database.url) as opened:
        yield opened


async def grown(purses, asked, *caps, needed, wanted=None):
    growth = Growth(asked.request_id, asked.organization_id, needed, needed if wanted is None else wanted, caps)
    (verdict,) = await Growing(purses.postgres).grow([growth])
    assert await off_loop(reconciliation.verify)() == []
    return verdict


async def test_where_there_is_room_it_gets_what_is_wanted(purses):
    acme = await off_loop(organization_with)(1000)
    asked = request(acme, 100)
    await purses.holds.take(asked)
    assert await grown(purses, asked, needed=150, wanted=300) == 300
    assert await off_loop(balance)(acme) == (1000, 300)


async def test_where_there_is_little_room_it_gets_that(purses):
    acme = await off_loop(organization_with)(200)
    asked = request(acme, 100)
    await purses.holds.take(asked)
    assert await grown(purses, asked, needed=150, wanted=300) == 200


async def test_an_empty_wallet_refuses_and_what_is_held_stays(purses):
    acme = await off_loop(organization_with)(149)
    asked = request(acme, 100)
    await purses.holds.take(asked)
    refusal = await grown(purses, asked, needed=150, wanted=300)
    assert isinstance(refusal, InsufficientCredit)
    assert await off_loop(balance)(acme) == (149, 100)


async def test_a_budget_refuses_for_the_wallet_too(purses):
    acme, cap = await off_loop(organization_with)(1000), Budget(120)
    asked = request(acme, 100, cap)
    await purses.holds.take(asked)
    refusal = await grown(purses, asked, cap, needed=150, wanted=300)
    assert isinstance(refusal, BudgetExceeded)
    assert "key's budget" in refusal.message
    assert await off_loop(balance)(acme) == (1000, 100)


async def test_a_limit_of_a_single_request_is_kept(purses):
    acme, cap = await off_loop(organization_with)(1000), Budget(120, "request")
    asked = request(acme, 100, cap)
    await purses.holds.take(asked)
    assert isinstance(await grown(purses, asked, cap, needed=150), BudgetExceeded)


async def test_what_is_settled_already_grows_no_more(purses):
    acme = await off_loop(organization_with)(1000)
    asked = request(acme, 100)
    hold = await purses.holds.take(asked)
    await purses.settlements.settle(bill(acme, hold, 100), within_seconds=5)
    assert await grown(purses, asked, needed=150) is None
    assert await off_loop(balance)(acme) == (900, 0)


async def test_the_hold_of_another_organization_is_out_of_reach(purses):
    acme, globex = await off_loop(organization_with)(1000), await off_loop(organization_with)(1000, "Globex")
    asked = request(acme, 100)
    await purses.holds.take(asked)
    assert await grown(purses, request(globex, 100, request_id=asked.request_id), needed=150) is None
    assert await off_loop(balance)(acme) == (1000, 100)


async def test_several_of_one_wallet_share_what_is_left(purses):
    acme = await off_loop(organization_with)(300)
    asked = [request(acme, 100, request_id=uuid7()) for _ in range(2)]
    for one in asked:
        await purses.holds.take(one)
    first, second = await Growing(purses.postgres).grow([Growth(one.request_id, acme, 180, 180) for one in asked])
    assert first == 180
    assert isinstance(second, InsufficientCredit)
    assert await off_loop(balance)(acme) == (300, 280)
