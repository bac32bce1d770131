"""Every 402 of a budget names the scope, the window, what is left, and the instant from which there is more."""

import asyncio
from datetime import timedelta
from itertools import product

from billing.errors import BudgetExceeded
from foundation import clock
from foundation.ids import uuid7
from keys.effective import Cap
from tests.billing import cast
from tests.threads import off_loop

founded = off_loop(cast.organization_with)

SCOPES = {
    "organization": ("", "The organization's"),
    "project": ("", "The project's"),
    "key": ("", "The key's"),
    "member": ("user_1", "The member's"),
    "customer": ("alice", 'The customer "alice"\'s'),
    "model": ("sim", 'The model "sim"\'s'),
    "address": ("192.0.2.1", "The address's"),
}
WINDOWS = {
    "5h": "per 5 hours",
    "day": "per day",
    "week": "per week",
    "month": "per month",
    "billing_period": "per billing period",
    "lifetime": "in all",
}


async def test_every_scope_and_window_says_whose_budget_it_is_and_when_it_is_full_again(fresh_database):
    acme, table = await founded(10**6), list(product(SCOPES, WINDOWS))
    caps = [Cap(scope, uuid7(), uuid7(), 100, window, SCOPES[scope][0]) for scope, window in table]
    async with cast.money(fresh_database.url) as money:
        await asyncio.gather(*(money.holds.take(cast.request(acme, 60, cap)) for cap in caps))
        fresh_database.sql("UPDATE billing_purse SET posted_nusd = 60, held_nusd = 0 WHERE kind = 'budget'")
        asked = [money.holds.take(cast.request(acme, 50, cap)) for cap in caps]
        refusals = await asyncio.gather(*asked, return_exceptions=True)
    ends = dict(fresh_database.sql("SELECT budget_id, ends_at FROM billing_purse WHERE kind = 'budget'"))
    for cap, refusal in zip(caps, refusals, strict=True):
        assert isinstance(refusal, BudgetExceeded)
        assert (refusal.status, refusal.code, refusal.param) == (402, "budget_exceeded", "budget_nusd")
        said = f"{SCOPES[cap.scope][1]} budget of $0.0000001 {WINDOWS[cap.window]} has $0.00000004 left"
        assert refusal.message.startswith(said)
        _check_instant(refusal, cap.window, ends[cap.budget_id])


def _check_instant(refusal: BudgetExceeded, window: str, ends_at) -> None:
    if window == "lifetime":
        assert "never filled up again" in refusal.message
        assert refusal.retry_after is None
    else:
        assert ends_at.isoformat() in refusal.message
        assert abs((ends_at - clock.now()) / timedelta(seconds=1) - refusal.retry_after) < 60


async def test_every_scope_says_whose_limit_of_one_request_it_is(fresh_database):
    acme = await founded(10**6)
    async with cast.money(fresh_database.url) as money:
        for scope, (label, who) in SCOPES.items():
            cap = Cap(scope, uuid7(), uuid7(), 40, "request", label)
            (refusal,) = await asyncio.gather(money.holds.take(cast.request(acme, 50, cap)), return_exceptions=True)
            assert isinstance(refusal, BudgetExceeded)
            assert who.removeprefix("The ").removesuffix("'s") in refusal.message
            assert "per request" in refusal.message
