"""Statements: each month opens with what the one before closed with, and its usage is that of the requests."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from billing import reconciliation, statements
from foundation.errors import NotFound
from tenants import isolation
from tenants.models import Organization
from tests.billing import cast
from tests.threads import off_loop

# The last second of October in New York is in November in UTC.
BEFORE, AFTER = "2026-11-01 03:59:59+00", "2026-11-01 04:00:00+00"


async def history(database) -> UUID:
    """Acme of New York: 1,000 of credit and 250 of usage in October, 100 of usage in November."""
    acme = await off_loop(cast.organization_with)(1000)
    async with cast.money(database.url) as money:
        for cost, at in ((250, BEFORE), (100, AFTER)):
            hold = await money.holds.take(cast.request(acme, 300))
            await money.settlements.settle(cast.bill(acme, hold, cost), within_seconds=5)
            happened_at(database, at)
    database.sql("UPDATE tenants_organization SET time_zone = 'America/New_York'")
    return acme


def happened_at(database, at: str) -> None:
    """Let all that was posted just now have been posted then. The owner can, with the triggers off."""
    database.sql("ALTER TABLE billing_ledgertransaction DISABLE TRIGGER ALL")
    database.sql(f"UPDATE billing_ledgertransaction SET at = '{at}' WHERE at > now() - interval '1 minute'")
    database.sql(
        f"UPDATE billing_usagerecord SET at = '{at}', started_at = '{at}', request_id = turnpike_lowest_uuid('{at}')"
        " WHERE at > now() - interval '1 minute'"
    )


def read(organization_id):
    with isolation.everything():
        organization = Organization.objects.get(pk=organization_id)
        found = statements.of(organization)
        return found, {one.name: statements.usage(organization, one) for one in found}


async def test_months_are_those_of_the_organization_and_follow_each_other(fresh_database):
    found, lines = await off_loop(read)(await history(fresh_database))
    october, november = found[-1], found[-2]
    assert (october.month, november.month) == (date(2026, 10, 1), date(2026, 11, 1))
    assert october.ends_at == november.starts_at == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert (october.opening_nusd, october.credits_nusd, october.usage_nusd) == (0, 1000, -250)
    assert october.closing_nusd == november.opening_nusd == 750
    assert (november.usage_nusd, november.closing_nusd) == (-100, 650)
    assert [(line.model, line.requests, line.cost_nusd) for line in lines["2026-10"]] == [("sim", 1, 250)]
    assert [(line.model, line.requests, line.cost_nusd) for line in lines["2026-11"]] == [("sim", 1, 100)]


async def test_an_honest_history_has_honest_statements(fresh_database):
    await history(fresh_database)
    assert await off_loop(reconciliation.verify)() == []


@pytest.mark.parametrize(
    ("check", "tampering"),
    [
        ("statements_follow_each_other", "UPDATE billing_purse SET posted_nusd = 0"),
        ("statements_equal_usage", "UPDATE billing_usagerecord SET at = at - interval '1 month' WHERE cost_nusd = 100"),
    ],
)
async def test_a_statement_that_does_not_add_up_is_found(fresh_database, check, tampering):
    await history(fresh_database)
    fresh_database.sql(tampering)
    assert check in {difference.check for difference in await off_loop(reconciliation.verify)()}


@pytest.mark.django_db
def test_corrections_stand_apart_from_credits_and_usage():
    acme = Organization.objects.get(pk=cast.organization_with(1000))
    cast.wallet.adjust(organization_id=acme.pk, amount_nusd=-300, reason="a mistake of ours", actor=cast.SYSTEM)
    (now,) = statements.of(acme)
    assert (now.opening_nusd, now.credits_nusd, now.usage_nusd) == (0, 1000, 0)
    assert (now.corrections_nusd, now.closing_nusd) == (-300, 700)


@pytest.mark.django_db
@pytest.mark.parametrize("month", ["2020-01", "november", "2026-13"])
def test_a_month_before_the_first_and_a_month_that_is_none_have_no_statement(month):
    acme = Organization.objects.get(pk=cast.organization_with(1000))
    with pytest.raises(NotFound):
        statements.one(acme, month)
