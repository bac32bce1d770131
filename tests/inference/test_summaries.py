"""Summaries add up, whichever tables they are made of."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from billing.models import UsageRecord
from foundation import clock
from inference import summaries, usage
from inference.summaries import By, Span
from tenants.models import Organization
from tests.inference import records
from tests.tenants import cast

NOON = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def acme(db) -> Organization:
    organization = cast.organization("Acme")
    records.open_wallet(organization)
    return organization


@pytest.mark.parametrize(
    ("length", "by", "unit", "starts", "ends"),
    [
        (HOUR, By.HOUR, "hour", "2026-11-01 12:00", "2026-11-01 14:00"),
        (HOUR / 2, By.MODEL, "hour", "2026-11-01 12:00", "2026-11-01 13:00"),
        (HOUR, By.DAY, "day", "2026-11-01 00:00", "2026-11-02 00:00"),
        (31 * DAY, By.KEY, "hour", "2026-11-01 12:00", "2026-12-02 13:00"),
        (32 * DAY, By.KEY, "day", "2026-11-01 00:00", "2026-12-04 00:00"),
    ],
)
def test_a_span_holds_the_instants_in_full_hours_or_days(length, by, unit, starts, ends):
    span = Span.around(NOON, NOON + length, by)
    assert (span.unit, f"{span.starts_at:%Y-%m-%d %H:%M}", f"{span.ends_at:%Y-%m-%d %H:%M}") == (unit, starts, ends)


def test_a_full_hour_stays_one():
    start = NOON.replace(minute=0)
    assert Span.around(start, start + HOUR, By.HOUR) == Span(start, start + HOUR, "hour")


@pytest.mark.parametrize("seed", range(4))
def test_sums_are_those_of_the_records_whatever_was_rolled_up(acme, seed):
    """Requests are settled up to two hours after later ones, and rolled up now and then."""
    dice, now = random.Random(seed), clock.now()
    starts = sorted(now - timedelta(seconds=dice.randrange(50 * 86_400)) for _ in range(60))
    for start in starts:
        late = timedelta(seconds=dice.choice([0, 0, dice.randrange(7_200)]))
        records.settle(acme, start - late, model=dice.choice(["a", "b"]), cost=dice.randrange(1000))
        if dice.random() < 0.2:
            usage.roll_up()
    for by in By:
        for days in (1, 20, 40):
            _assert_sums(acme, by, Span.around(now - days * DAY, now, by))


def _assert_sums(acme: Organization, by: By, span: Span) -> None:
    found = summaries.summarize(acme, by=by, span=span, filters={})
    inside = UsageRecord.objects.filter(started_at__gte=span.starts_at, started_at__lt=span.ends_at)
    assert sum(sums.requests for sums in found.values()) == inside.count()
    assert sum(sums.cost_nusd for sums in found.values()) == sum(inside.values_list("cost_nusd", flat=True))
    if by is By.MODEL:
        assert {model: sums.requests for model, sums in found.items()} == {
            model: inside.filter(model=model).count() for model in set(inside.values_list("model", flat=True))
        }


def test_finished_days_and_hours_come_from_the_rollups(acme):
    now = clock.now()
    for hours in (0, 30, 60):
        records.settle(acme, now - hours * HOUR)
    usage.roll_up()
    span = Span.around(now - 3 * DAY, now, By.DAY)
    tables = [rows.model.__name__ for rows in summaries._sources(acme, span, {})]
    assert tables[0] == "UsageDay"
    assert tables[-1] == "UsageRecord"


def test_without_rollups_the_records_are_asked(acme):
    records.settle(acme, clock.now())
    span = Span.around(clock.now() - DAY, clock.now(), By.DAY)
    assert [rows.model for rows in summaries._sources(acme, span, {})] == [UsageRecord]
