"""What a request costs Postgres does not depend on how many there were before, nor on how many others have money."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import orjson
import pytest

from billing.growing import Growing, Growth
from billing.holds import EXTEND, Hold
from billing.slicing import ENTER, RENEW, SHRINK, STANDING, slice_of
from foundation.stores import PostgresLimits
from tests.billing import cast
from tests.billing.cast import Budget, Money
from tests.databases import Database
from tests.threads import off_loop

ROUNDS = 10
OTHERS = 2_000
MOST_READ = 150
"""Rows, and entries of indexes, for all that one round does with one budget."""
type Deed = Callable[[Money, UUID, Budget], Awaitable[None]]
LEASE = timedelta(seconds=20)

founded = off_loop(cast.organization_with)

PURSES = """
INSERT INTO billing_purse
    (id, organization_id, kind, budget_id, "window", starts_at, ends_at, posted_nusd, held_nusd, credit_line_nusd,
     scope, label, limit_nusd, carried_nusd)
SELECT uuidv7(), %s, 'budget', uuidv7(), 'day', now(), now() + interval '1 day', 0, 0, 0, 'key', '', 1, 0
FROM generate_series(1, %s)
"""
RECORDS = """
INSERT INTO billing_usagerecord
    (request_id, organization_id, project_id, key_id, model, outcome, usage_source, started_at, at)
SELECT uuidv7(), %s, uuidv7(), uuidv7(), 'sim', 'complete', 'final', now(), now() FROM generate_series(1, %s)
"""
HOLDS = """
INSERT INTO billing_hold
    (request_id, organization_id, project_id, key_id, model, customer, purses, amount_nusd, expires_at, created_at,
     recalled)
SELECT uuidv7(), %s, uuidv7(), uuidv7(), 'sim', '', '{}', 1, now() + interval '1 day', now(), false
FROM generate_series(1, %s)
"""
READ = """
SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname ~ '^billing_(purse|hold|usagerecord)')
    + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname ~ '^billing_(purse|hold|usagerecord)')
"""
OVERDUE = timedelta(seconds=-1)


async def take(money: Money, acme: UUID, budget: Budget) -> Hold:
    return await money.holds.take(cast.request(acme, 100, budget))


async def settling(money: Money, acme: UUID, budget: Budget) -> None:
    await money.settlements.settle(cast.bill(acme, await take(money, acme, budget), 10), within_seconds=5)


async def voiding(money: Money, acme: UUID, budget: Budget) -> None:
    await money.holds.void(await take(money, acme, budget))


async def shadowing(money: Money, acme: UUID, budget: Budget) -> None:
    await voiding(money, acme, Budget(1, budget_id=budget.budget_id, mode="shadow"))


async def keeping(money: Money, acme: UUID, budget: Budget) -> None:
    hold = await take(money, acme, budget)
    await money.holds.extend([hold.request_id])
    await money.holds.void(hold)


async def growing(money: Money, acme: UUID, budget: Budget) -> None:
    hold = await take(money, acme, budget)
    assert await Growing(money.postgres).grow([Growth(hold.request_id, acme, 150, 200, (budget,))]) == [200]
    await money.holds.void(hold)


async def reaping(money: Money, acme: UUID, budget: Budget) -> None:
    hold = await take(money, acme, budget)
    await money.postgres.fetch(EXTEND, ([hold.request_id], OVERDUE))
    assert await money.postgres.fetch("SELECT turnpike_reap()") == [(1,)]


async def sliced(money: Money, acme: UUID, budget: Budget) -> tuple[Hold, Hold]:
    """Take a slice, and write down a request in it."""
    one = await money.holds.take(slice_of((acme, "UTC", (budget,)), 1_000))
    inside = Hold(cast.request(acme, 100).request_id, 100, one.purses)
    row = {"request": inside.request_id, "slice": one.request_id, "organization": acme, "project": acme, "key": acme}
    rows = [row | {"model": "sim", "customer": "", "amount": 100}]
    assert await money.postgres.fetch(ENTER, (orjson.dumps(rows).decode(), LEASE)) == [(1,)]
    return one, inside


async def slicing(money: Money, acme: UUID, budget: Budget) -> None:
    one, inside = await sliced(money, acme, budget)
    assert await money.postgres.fetch(RENEW, ([one.request_id], LEASE)) == [(one.request_id,)]
    assert await money.postgres.fetch(STANDING, ([one.request_id],)) == [(one.request_id, False)]
    bill = cast.bill(acme, inside, 10, slice=one.request_id, held=100, release=10)
    assert (await money.settlements.settle(bill, within_seconds=5)).verdict == "settled"
    parts = [{"slice": one.request_id, "by": 990, "over": True}]
    await money.postgres.fetch(SHRINK, (orjson.dumps(parts).decode(),))
    assert await money.postgres.fetch(STANDING, ([one.request_id],)) == []


async def reaping_a_slice(money: Money, acme: UUID, budget: Budget) -> None:
    one, _ = await sliced(money, acme, budget)
    await money.postgres.fetch(EXTEND, ([one.request_id], OVERDUE))
    await money.postgres.fetch("SELECT turnpike_reap()")
    assert await money.postgres.fetch(STANDING, ([one.request_id],)) == []


async def reaping_in_a_slice(money: Money, acme: UUID, budget: Budget) -> None:
    one, inside = await sliced(money, acme, budget)
    await money.postgres.fetch(EXTEND, ([inside.request_id], OVERDUE))
    await money.postgres.fetch("SELECT turnpike_reap()")
    parts = [{"slice": one.request_id, "by": 900, "over": True}]
    await money.postgres.fetch(SHRINK, (orjson.dumps(parts).decode(),))
    assert await money.postgres.fetch(STANDING, ([one.request_id],)) == []


class Reading:
    """Counts what Postgres reads for something that is done again and again, while its tables fill up in between."""

    def __init__(self, database: Database, money: Money, acme: UUID) -> None:
        self._database, self._money, self._acme = database, money, acme

    async def grows_by(self, deed: Deed) -> int:
        budget = Budget(10**9)
        # Plans are made now, and kept while the tables grow.
        await self._do(deed, budget)
        for rows in (PURSES, RECORDS, HOLDS):
            self._database.sql(rows, self._acme, OTHERS)
        before = self._read()
        await self._do(deed, budget)
        return self._read() - before

    async def _do(self, deed: Deed, budget: Budget) -> None:
        for _ in range(ROUNDS):
            await deed(self._money, self._acme, budget)
        # Each connection reports what it has read when it is told to, else within a second; they take turns.
        for _ in range(PostgresLimits().connections):
            await self._money.postgres.fetch("SELECT pg_stat_force_next_flush()")

    def _read(self) -> int:
        ((rows,),) = self._database.sql(READ)
        return int(rows)


@pytest.fixture
async def reading(fresh_database: Database) -> AsyncIterator[Reading]:
    acme = await founded(10**9)
    async with cast.money(fresh_database.url) as money:
        yield Reading(fresh_database, money, acme)


@pytest.mark.parametrize("deed", [settling, voiding, shadowing, keeping, growing, slicing])
async def test_money_reads_no_more_of_full_tables_than_of_empty_ones(reading: Reading, deed: Deed):
    assert await reading.grows_by(deed) < ROUNDS * MOST_READ


@pytest.mark.parametrize("deed", [reaping, reaping_a_slice, reaping_in_a_slice])
async def test_the_reaper_looks_at_each_hold_once_and_at_nothing_else_of_others(reading: Reading, deed: Deed):
    assert await reading.grows_by(deed) < ROUNDS * (OTHERS + MOST_READ)
