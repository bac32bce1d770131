"""What a request costs Postgres does not depend on how many there were before, nor on how many others have money."""

from tests.billing import cast
from tests.billing.cast import Budget, Money
from tests.databases import Database
from tests.threads import off_loop

ROUNDS = 10
OTHERS = 2_000
MOST_READ = 60
"""Rows, and entries of indexes, for a hold and a settlement with one budget."""

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
SELECT uuidv7(), %s, uuidv7(), uuidv7(), 'sim', '', '{}', 1, now(), now(), false FROM generate_series(1, %s)
"""
READ = """
SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname ~ '^billing_(purse|hold|usagerecord)')
    + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname ~ '^billing_(purse|hold|usagerecord)')
"""


async def requests(money: Money, acme, budget: Budget) -> None:
    for _ in range(ROUNDS):
        hold = await money.holds.take(cast.request(acme, 100, budget))
        await money.settlements.settle(cast.bill(acme, hold, 10), within_seconds=5)
        await money.holds.void(await money.holds.take(cast.request(acme, 100, budget)))
    # Each connection reports what it has read when it is told to, else within a second.
    await money.postgres.fetch("SELECT pg_stat_force_next_flush()")


async def test_money_reads_no_more_of_full_tables_than_of_empty_ones(fresh_database: Database):
    acme, budget = await founded(10**9), Budget(10**9)
    async with cast.money(fresh_database.url) as money:
        # Plans are made now, and kept while the tables grow.
        await requests(money, acme, budget)
        for rows in (PURSES, RECORDS, HOLDS):
            fresh_database.sql(rows, acme, OTHERS)
        ((before,),) = fresh_database.sql(READ)
        await requests(money, acme, budget)
        ((after,),) = fresh_database.sql(READ)
    assert after - before < ROUNDS * 2 * MOST_READ
