"""How long the proof of the ledger takes: `python -m benchmarks.books [--records 1000000]`.

A PostgreSQL of its own, with its default durability, is filled by the functions that the gateway calls: holds and
settlements in batches, over fifty organizations, each with a budget, then spread over the hours of a year, so that each
organization has a dozen statements, and usage hundreds of thousands of sums. Then `verify_ledger` runs, check by check.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

BATCH = 500
ORGANIZATIONS = 50
# One batch: requests of all organizations by turns, each held at a worst case, then settled for less.
FILL = """
WITH asked AS MATERIALIZED (
    SELECT uuidv7(-make_interval(hours => %s)) AS request, o.id AS organization, 1000 + n AS cost, n
    FROM generate_series(1, {batch}) n
        JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM tenants_organization) o
            ON o.place = n %% {organizations}
), held AS MATERIALIZED (
    SELECT count(*) FROM turnpike_hold((SELECT jsonb_agg(jsonb_build_object(
        'request', request, 'organization', organization, 'project', organization, 'key', organization, 'model', 'sim',
        'amount', 10000, 'zone', 'UTC',
        'caps', jsonb_build_array(jsonb_build_object('budget', organization, 'limit', 1e15::bigint, 'window', 'month'))
    ) ORDER BY n) FROM asked), interval '1 minute')
)
SELECT jsonb_agg(jsonb_build_object(
    'request', request, 'organization', organization, 'project', organization, 'key', organization,
    'model', 'model-' || n %% 7, 'pool', 'sim', 'replica', '', 'endpoint', 'chat.completions', 'streamed', true,
    'outcome', 'complete', 'source', 'final', 'status', 200, 'prompt_tokens', 100, 'cached_tokens', 0,
    'completion_tokens', 50, 'price_version', 1, 'cost', cost, 'started_at', now()
) ORDER BY n) FROM asked, held
"""
HOURS = 365 * 24
# Months that are over have partitions of their own, as where the requests came in while they lasted.
PARTITIONS = """
SELECT format('CREATE TABLE billing_usagerecord_past_%s PARTITION OF billing_usagerecord FOR VALUES FROM (%L) TO (%L)',
    n, turnpike_lowest_uuid(starts), turnpike_lowest_uuid(date_trunc('month', starts + interval '1 month', 'UTC')))
FROM generate_series(1, 13) n, LATERAL date_trunc('month', now() - make_interval(months => n), 'UTC') starts
"""
# Each batch is an hour's: what it wrote is dated back to it. The ledger is append-only for everybody else.
DATE_BACK = """
SET session_replication_role = replica;
UPDATE billing_usagerecord SET at = date_trunc('hour', uuid_extract_timestamp(request_id)),
    started_at = uuid_extract_timestamp(request_id);
UPDATE billing_ledgertransaction t SET at = u.at
    FROM (SELECT transaction_id, max(at) AS at FROM billing_usagerecord GROUP BY transaction_id) u
    WHERE u.transaction_id = t.id;
SET session_replication_role = origin;
"""
SETTLE = "SELECT count(*) FROM turnpike_settle(%s::jsonb)"


def main() -> None:
    """Fill the books, prove them, and print how long each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    records = parser.parse_args().records
    folder = Path(tempfile.mkdtemp(prefix="turnpike-books-"))
    # Settings are read when Django is set up, and so are modules that need it: the addresses come first.
    from config.local import places, postgres, valkey  # noqa: PLC0415 - see above

    here = places.at(folder)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        DATABASE_URL=postgres.url(here, user=postgres.OWNER),
        REDIS_URL=valkey.url(here),
        SECRET_KEY="only-for-benchmarks-" + "x" * 50,
        KEY_PEPPER="only-for-benchmarks-" + "y" * 50,
    )
    places.prepare(here)
    server = postgres.start(here, pause=time.sleep)
    try:
        postgres.make_roles(here)
        _measure(records)
    finally:
        server.stop()
        places.forget_sockets(here)
        shutil.rmtree(folder, ignore_errors=True)


def _measure(records: int) -> None:
    import django  # noqa: PLC0415 - see main

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 - see main

    from billing import reconciliation  # noqa: PLC0415 - see main

    call_command("migrate", verbosity=0)
    started = time.monotonic()
    _fill(records)
    print(f"{records:,} requests held and settled in {time.monotonic() - started:.0f} s")
    started = time.monotonic()
    months, hours, days = _age()
    print(
        f"{months:,} months of statements, {hours:,} sums by hour, {days:,} by day: {time.monotonic() - started:.0f} s"
    )
    started = time.monotonic()
    checks: dict[str, Callable[[], list[Any]]] = {
        name: partial(reconciliation.check, name) for name in reconciliation.CHECKS
    }
    for name, check in (checks | reconciliation.DERIVED).items():
        began = time.monotonic()
        assert check() == []
        print(f"{name:<32} {time.monotonic() - began:6.2f} s")
    print(f"{'all checks':<32} {time.monotonic() - started:6.2f} s")


def _fill(records: int) -> None:
    from django.db import connection  # noqa: PLC0415 - see main

    from billing import wallet  # noqa: PLC0415 - see main
    from tenants import founding, isolation  # noqa: PLC0415 - see main
    from tenants.audit import Actor  # noqa: PLC0415 - see main

    actor = Actor.system("benchmark")
    with isolation.everything():
        for number in range(ORGANIZATIONS):
            acme = founding.found_organization(name=f"Acme {number}", slug=f"acme-{number}", actor=actor)
            wallet.open_wallet(acme.pk)
            wallet.credit(organization_id=acme.pk, amount_nusd=10**13, reference=f"seed-{number}", memo="", actor=actor)
    fill = FILL.format(batch=BATCH, organizations=ORGANIZATIONS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('turnpike.scope', 'all', false)")
        cursor.execute(PARTITIONS)
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        batches = records // BATCH
        for number in range(batches):
            cursor.execute(fill, [HOURS - HOURS * number // batches])
            (batch,) = cursor.fetchone()
            cursor.execute(SETTLE, [batch])


def _age() -> tuple[int, int, int]:
    """Date everything back and sum it up; return how many months, hours and days there are."""
    from django.db import connection  # noqa: PLC0415 - see main

    from inference import usage  # noqa: PLC0415 - see main

    with connection.cursor() as cursor:
        cursor.execute(DATE_BACK)
        usage.roll_up()
        cursor.execute("VACUUM ANALYZE")
        cursor.execute(
            "SELECT (SELECT count(*) FROM tenants_organization o, turnpike_statements(o.id, o.time_zone)),"
            " (SELECT count(*) FROM inference_usagehour), (SELECT count(*) FROM inference_usageday)"
        )
        months, hours, days = cursor.fetchone()
    return months, hours, days


if __name__ == "__main__":
    main()
