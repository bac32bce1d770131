"""Sums over a period, from rollups and from records."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine

from console import figures
from console.figures import PERIODS, Period
from inference import usage
from tests.console.cast import bill, credit, settle
from tests.keys.cast import inference_key

HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 21, 12, 34, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _credit(acme):
    credit(acme, "100")


def test_records_alone_make_the_sums(acme, key):
    settle(bill(key, cost="1"), bill(key, cost="2", model="large"), bill(key, outcome="upstream_error"))
    used = figures.usage(acme, PERIODS["24h"])
    assert used.totals.requests == 3
    assert used.totals.errors == 1
    assert used.totals.tokens == 360
    assert used.totals.cost_nusd == 3 * 10**9
    assert list(used.by_model) == ["large", "tiny"]


def test_rollups_and_records_together_count_each_request_once(acme, key):
    settle(*[bill(key, cost="1", ago=back * HOUR) for back in range(30)])
    usage.roll_up()
    settle(bill(key, cost="5"))
    used = figures.usage(acme, PERIODS["30d"])
    assert used.totals.requests == 31
    assert used.totals.cost_nusd == 35 * 10**9


def test_a_rollup_that_is_behind_hides_nothing(acme, key):
    settle(bill(key, ago=5 * HOUR))
    usage.roll_up()
    settle(bill(key, ago=2 * HOUR), bill(key))
    assert figures.usage(acme, PERIODS["24h"]).totals.requests == 3


def test_each_request_is_in_its_own_bucket(acme, key):
    settle(bill(key), bill(key, ago=3 * HOUR), bill(key, ago=3 * HOUR))
    used = figures.usage(acme, PERIODS["24h"])
    counts = [used.over_time["tiny"][at].requests if at in used.over_time["tiny"] else 0 for at in used.buckets]
    assert counts[-1] == 1
    assert counts[-4] == 2
    assert sum(counts) == 3


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Auckland"])
@pytest.mark.parametrize("period", PERIODS.values(), ids=lambda period: period.name)
def test_every_bucket_that_is_counted_is_one_that_is_drawn(acme, key, zone, period):
    acme.time_zone = zone
    settle(*[bill(key, ago=back * 7 * HOUR) for back in range(100)])
    usage.roll_up()
    used = figures.usage(acme, period)
    drawn = set(used.buckets)
    assert {at for points in used.over_time.values() for at in points} <= drawn


def test_one_key_alone_can_be_asked_for(acme, key):
    other = inference_key(acme, name="Other").key
    settle(bill(key, ago=3 * HOUR), bill(other, ago=3 * HOUR), bill(other))
    usage.roll_up()
    assert figures.usage(acme, PERIODS["24h"], key=other).totals.requests == 2
    assert set(figures.usage(acme, PERIODS["24h"]).by_key) == {key.pk, other.pk}


def test_an_organization_sums_up_its_own_requests_only(acme, globex, key):
    settle(bill(inference_key(globex).key, ago=3 * HOUR), bill(key))
    usage.roll_up()
    assert figures.usage(acme, PERIODS["24h"]).totals.requests == 1


def test_requests_come_newest_first_and_page_by_page(acme, key):
    requests = settle(*[bill(key, ago=number * HOUR) for number in range(5)])
    first = figures.requests(acme, limit=3)
    assert [record.request_id for record in first] == requests[:3]
    rest = figures.requests(acme, limit=3, before=first[-1].request_id)
    assert [record.request_id for record in rest] == requests[3:]


@time_machine.travel(NOON, tick=False)
def test_days_are_calendar_days_also_when_the_clock_changes():
    zone = ZoneInfo("Europe/Berlin")
    starts = Period("60d", "", "day", 60).starts(NOON, zone)
    assert all((at.hour, at.minute) == (0, 0) for at in starts)
    assert starts[-1].date() == NOON.date()
    # 25 October 2026 has 25 hours there.
    lengths = {(after.astimezone(UTC) - before.astimezone(UTC)) for before, after in pairwise(starts)}
    assert lengths == {24 * HOUR, 25 * HOUR}


def test_hours_are_instants_also_when_the_clock_changes():
    after_the_change = datetime(2026, 10, 25, 4, 10, tzinfo=UTC)
    starts = PERIODS["24h"].starts(after_the_change, ZoneInfo("Europe/Berlin"))
    instants = [at.astimezone(UTC) for at in starts]
    assert [after - before for before, after in pairwise(instants)] == [HOUR] * 23
