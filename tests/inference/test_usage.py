"""Rollups are what the records say, however often and whenever they are recomputed."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing.models import UsageRecord
from foundation import clock
from foundation.ids import lowest_at
from inference import rollups, usage
from inference.models import UsageDay, UsageHour
from tenants import isolation
from tenants.models import Organization
from tests.inference import records
from tests.keys import cast as keys
from tests.tenants import cast

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNITS = ("seconds", "characters", "images")
COUNTS = ("requests", "errors", "prompt_tokens", "cached_tokens", "completion_tokens", *UNITS, "cost_nusd")


@pytest.fixture
def acme(db) -> Organization:
    organization = cast.organization("Acme")
    records.open_wallet(organization)
    return organization


@pytest.fixture
def globex(db) -> Organization:
    organization = cast.organization("Globex")
    records.open_wallet(organization)
    return organization


def now() -> datetime:
    """The start of this hour: what is settled at it and later is not about to change its hour."""
    return clock.now().replace(minute=0, second=0, microsecond=0)


def rows(table) -> dict[tuple, tuple]:
    """Return a table of rollups, by key."""
    names = ("organization_id", "starts_at", "project_id", "key_id", "model")
    return {
        tuple(getattr(row, name) for name in names): tuple(getattr(row, name) for name in COUNTS)
        for row in table.objects.all()
    }


def expected(unit: str) -> dict[tuple, tuple]:
    """Sum the records up in Python."""
    found: dict[tuple, list[int]] = {}
    for record in UsageRecord.objects.all():
        start = record.started_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        start = start.replace(hour=0) if unit == "day" else start
        key = (record.organization_id, start, record.project_id, record.key_id, record.model)
        sums = found.setdefault(key, [0] * len(COUNTS))
        for index, name in enumerate(COUNTS):
            one = {"requests": 1, "errors": int(record.outcome in usage.FAILED)}
            one |= {unit: record.quantity if record.unit == unit else 0 for unit in UNITS}
            sums[index] += one[name] if name in one else getattr(record, name)
    return {key: tuple(sums) for key, sums in found.items()}


def assert_rolled_up() -> None:
    """Rollups equal the records, and the proof agrees."""
    assert rows(UsageHour) == expected("hour")
    assert rows(UsageDay) == expected("day")
    assert usage.differences(before=clock.now() + DAY) == []


def settle_some(dice: random.Random, *organizations: Organization, count: int = 40) -> None:
    """Settle requests of the last three days, of some models, keys and ways to end."""
    for _ in range(count):
        outcome = dice.choice(UsageRecord.Outcome.values)
        records.settle(
            dice.choice(organizations),
            clock.now() - timedelta(seconds=dice.randrange(3 * 86_400)),
            model=dice.choice(["sim", "big"]),
            key_id=dice.choice([records.KEY, records.PROJECT]),
            outcome=outcome,
            cost=0 if outcome in usage.FAILED else dice.randrange(10**6),
            prompt_tokens=dice.randrange(100),
            cached_tokens=dice.randrange(10),
            completion_tokens=dice.randrange(100),
            unit=dice.choice(["", *UNITS]),
            quantity=dice.randrange(100),
        )


@pytest.mark.parametrize("seed", range(5))
def test_rollups_equal_the_records_whenever_they_are_recomputed(acme, globex, seed):
    dice = random.Random(seed)
    for _ in range(4):
        settle_some(dice, acme, globex, count=dice.randrange(1, 40))
        usage.roll_up()
        assert_rolled_up()


def test_a_repeat_changes_nothing(acme):
    settle_some(random.Random(1), acme)
    assert usage.roll_up() > 0
    before = set(UsageHour.objects.values_list("pk", *COUNTS)) | set(UsageDay.objects.values_list("pk", *COUNTS))
    assert usage.roll_up() == 0
    after = set(UsageHour.objects.values_list("pk", *COUNTS)) | set(UsageDay.objects.values_list("pk", *COUNTS))
    assert before == after


def test_without_records_there_is_nothing_to_do(db):
    assert usage.roll_up() == 0


def test_a_request_counts_where_it_started_to_the_millisecond(acme):
    for moment in (now() - timedelta(milliseconds=1), now()):
        records.settle(acme, moment)
    usage.roll_up()
    assert {start: count for (_, start, *_), (count, *_) in rows(UsageHour).items()} == {now() - HOUR: 1, now(): 1}


def test_a_record_that_comes_late_is_found_however_old_its_request(acme):
    records.settle(acme, now())
    usage.roll_up()
    records.settle(acme, now() - 40 * DAY)
    usage.roll_up()
    assert_rolled_up()


def test_nothing_is_missed_while_nobody_rolled_up(acme):
    """The records of five days of which the rollups know the first hour only."""
    records.settle(acme, now() - 5 * DAY)
    usage.roll_up()
    for hours in range(0, 5 * 24, 7):
        records.settle(acme, now() - hours * HOUR)
    usage.roll_up()
    assert_rolled_up()


def test_the_late_truth_of_an_expired_request_replaces_it(acme):
    request_id = records.at(now() - HOUR)
    facts = {"outcome": "expired", "source": "none", "cost": 0, "completion_tokens": 0}
    records.settle(acme, now() - HOUR, request_id=request_id, **facts)
    usage.roll_up()
    records.settle(acme, now() - HOUR, request_id=request_id, cost=77)
    usage.roll_up()
    assert_rolled_up()
    [(requests, errors, *_, cost)] = rows(UsageHour).values()
    assert (requests, errors, cost) == (1, 0, 77)


def test_keys_are_told_when_they_were_last_used(acme):
    key = keys.inference_key(acme).key
    for hours in (3, 1, 2):
        records.settle(acme, now() - hours * HOUR, key_id=key.pk)
    usage.roll_up()
    key.refresh_from_db()
    assert key.last_used_at == now() - HOUR


def test_one_tenants_scope_sees_one_tenants_rollups(acme, globex):
    settle_some(random.Random(2), acme, globex)
    usage.roll_up()
    with isolation.scope_to(acme.pk):
        assert set(UsageHour.objects.values_list("organization_id", flat=True)) == {acme.pk}
        assert set(UsageDay.objects.values_list("organization_id", flat=True)) == {acme.pk}
    cast.leave_scope()
    assert not UsageHour.objects.exists()


def test_a_rollup_that_was_tampered_with_is_named(acme):
    records.settle(acme, now() - 5 * DAY)
    usage.roll_up()
    UsageDay.objects.update(cost_nusd=999)
    [difference] = usage.differences()
    assert difference.check == "usage_day_equals_records"
    assert "cost_nusd" in difference.subject
    assert (difference.expected, difference.found) == (1_000, 999)


def test_the_proof_of_the_books_includes_the_rollups(acme, capsys):
    records.settle(acme, now() - 5 * DAY)
    usage.roll_up()
    call_command("verify_ledger")
    UsageHour.objects.update(requests=2)
    with pytest.raises(CommandError):
        call_command("verify_ledger")
    assert "usage_hour_equals_records: requests of hour" in capsys.readouterr().err


@pytest.mark.parametrize("table", [UsageHour, UsageDay])
def test_a_rollup_that_is_missing_and_one_that_nobody_used_are_named(acme, table):
    records.settle(acme, now() - 5 * DAY)
    usage.roll_up()
    table.objects.update(model="other")
    assert len(usage.differences()) == 2 * 5
    assert {difference.expected for difference in usage.differences()} >= {0, 1_000}


def test_the_hours_under_way_are_not_proved_yet(acme):
    records.settle(acme, now())
    assert usage.differences() == []
    assert usage.differences(before=clock.now() + HOUR)


def test_rollups_without_records_are_removed(acme):
    records.settle(acme, now())
    usage.roll_up()
    UsageHour.objects.update(model="never used")
    UsageDay.objects.update(model="never used")
    assert usage.roll_up() == 4
    assert_rolled_up()


def test_what_is_right_already_is_not_written(acme, globex):
    records.settle(acme, now())
    records.settle(globex, now())
    usage.roll_up()
    records.settle(acme, now())
    assert usage.roll_up() == 2


def test_only_one_process_recomputes_at_a_time(fresh_database):
    with isolation.everything():
        acme = cast.organization("Acme")
        records.open_wallet(acme)
        records.settle(acme, now())
    with psycopg.connect(fresh_database.url) as other, other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(hashtext('inference.usage'))")
        assert usage.roll_up() == 0
        with pytest.raises(usage.Busy):
            usage.recompute(now(), now() + HOUR)
    assert usage.roll_up() == 2


def test_records_that_are_gone_leave_the_hours_of_the_look_back(fresh_database):
    with isolation.everything():
        acme = cast.organization("Acme")
        records.open_wallet(acme)
        records.settle(acme, now())
    usage.roll_up()
    fresh_database.sql("DELETE FROM billing_usagerecord")
    assert usage.roll_up() == 2
    with isolation.everything():
        assert not UsageHour.objects.exists()
        assert not UsageDay.objects.exists()


def test_an_hour_is_found_in_the_one_partition_of_its_month(acme):
    records.settle(acme, now())
    ids: dict[str, Any] = {"first": lowest_at(now()), "end": lowest_at(now() + HOUR), "failed": list(usage.FAILED)}
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + rollups.HOURS, ids | {"starts_at": now(), "ends_at": now() + HOUR})
        plan = " ".join(line for (line,) in cursor.fetchall())
    # The planner may look into the partition or into its index.
    assert set(re.findall(r" on (billing_usagerecord_\w+?)(?:_pkey\b|\b)", plan)) == {
        f"billing_usagerecord_{now():%Y_%m}"
    }
