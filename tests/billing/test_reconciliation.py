"""verify_ledger finds what is wrong, and names it."""

import io

import pytest
from django.core.management import CommandError, call_command

from billing import reconciliation
from tests.billing import cast
from tests.threads import off_loop

founded = off_loop(cast.organization_with)
verify = off_loop(reconciliation.verify)

TAMPERINGS = {
    "wallet_equals_ledger": "UPDATE billing_purse SET posted_nusd = posted_nusd + 1 WHERE kind = 'wallet'",
    "budget_equals_usage": "UPDATE billing_purse SET posted_nusd = posted_nusd - 1 WHERE kind = 'budget'",
    "budget_windows_do_not_overlap": (
        "INSERT INTO billing_purse SELECT uuidv7(), kind, budget_id, \"window\", starts_at + interval '1 hour',"
        " ends_at, 0, 0, 0, organization_id FROM billing_purse WHERE kind = 'budget'"
    ),
    "carried_was_left": "UPDATE billing_purse SET carried_nusd = 1 WHERE kind = 'budget'",
    "held_equals_holds": "UPDATE billing_purse SET held_nusd = held_nusd + 5 WHERE kind = 'wallet'",
    "usage_equals_ledger": "UPDATE billing_usagerecord SET cost_nusd = cost_nusd + 1",
    "hold_within_its_lease": "UPDATE billing_hold SET expires_at = now() - interval '2 minutes'",
}


async def _some_history(url: str) -> None:
    acme = await founded(1000)
    async with cast.money(url) as money:
        settled = await money.holds.take(cast.request(acme, 600, cast.Budget(700)))
        await money.settlements.settle(cast.bill(acme, settled, 250), within_seconds=1)
        await money.holds.take(cast.request(acme, 100))


async def test_an_honest_history_has_no_differences(fresh_database):
    await _some_history(fresh_database.url)
    output = io.StringIO()
    await off_loop(call_command)("verify_ledger", stdout=output)
    assert "1 requests" in output.getvalue()


@pytest.mark.parametrize(("check", "tampering"), TAMPERINGS.items(), ids=TAMPERINGS)
async def test_a_row_that_was_tampered_with_is_named(fresh_database, check, tampering):
    await _some_history(fresh_database.url)
    fresh_database.sql(tampering)
    differences = await verify()
    assert check in {difference.check for difference in differences}
    errors = io.StringIO()
    with pytest.raises(CommandError):
        await off_loop(call_command)("verify_ledger", stderr=errors)
    assert check in errors.getvalue()


async def test_a_budget_that_carries_over_a_window_without_use_is_no_difference(fresh_database):
    acme, carrying = await founded(1000), cast.Budget(500, carries_over=True)
    async with cast.money(fresh_database.url) as money:
        spent = await money.holds.take(cast.request(acme, 400, carrying))
        await money.settlements.settle(cast.bill(acme, spent, 400), within_seconds=1)
        fresh_database.sql(
            "UPDATE billing_purse SET starts_at = starts_at - interval '3 days', ends_at = ends_at - interval '3 days'"
            " WHERE kind = 'budget'"
        )
        await money.holds.take(cast.request(acme, 100, carrying))
    assert fresh_database.sql("SELECT max(carried_nusd) FROM billing_purse") == [(500,)]
    assert await verify() == []


async def test_a_ledger_line_that_vanished_is_found(fresh_database):
    await _some_history(fresh_database.url)
    fresh_database.sql("ALTER TABLE billing_ledgerentry DISABLE TRIGGER ALL")
    fresh_database.sql("DELETE FROM billing_ledgerentry WHERE account = 'revenue'")
    checks = {difference.check for difference in await verify()}
    assert "transaction_sums_to_zero" in checks
