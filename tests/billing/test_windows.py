"""Budget windows are instants in the organization's zone: days of 23 and 25 hours, short months, missing midnights."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.django_db
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Africa/Cairo", "Asia/Beirut"]
# Midnight twice; half an hour of summer time; an hour of winter time; quarters of an hour.
ZONES += ["America/Havana", "Atlantic/Azores", "Australia/Lord_Howe", "Europe/Dublin", "Asia/Kathmandu", "Pacific/Apia"]
# The days on which clocks change somewhere, for histories that would seldom meet them.
CHANGES = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 8), (3, 29), (4, 24), (10, 25), (11, 1))]


ANCHOR = datetime(2026, 1, 31, 12, tzinfo=UTC)


def window(kind: str, at: datetime, zone: str, anchor: datetime = ANCHOR) -> tuple[datetime, datetime]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT starts, ends FROM turnpike_window(%s, %s, %s, %s)", (kind, at, zone, anchor))
        return cursor.fetchone()


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (datetime(2026, 3, 29, 12, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 12, tzinfo=UTC), 25),
        (datetime(2026, 6, 1, 12, tzinfo=UTC), 24),
    ],
)
def test_a_day_is_as_long_as_its_zone_says(day, hours):
    starts, ends = window("day", day, "Europe/Berlin")
    assert ends - starts == timedelta(hours=hours)


def test_a_month_ends_where_the_next_one_starts():
    february = window("month", datetime(2028, 2, 29, 23, tzinfo=UTC), "UTC")
    assert february == (datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC))
    december = window("month", datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "UTC")
    assert december[1] == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_zone_that_skips_midnight_starts_its_day_at_one():
    # Cairo's clocks went from 24 April 2026, 00:00 to 01:00.
    starts, ends = window("day", datetime(2026, 4, 24, 12, tzinfo=UTC), "Africa/Cairo")
    assert ends - starts == timedelta(hours=23)
    assert starts.astimezone(ZoneInfo("Africa/Cairo")).hour == 1


@pytest.mark.parametrize(
    ("zone", "twice", "next_day"),
    [
        ("America/Havana", "2026-11-01T04:30", "2026-11-01T05:00"),
        ("Atlantic/Azores", "2026-10-25T00:30", "2026-10-25T01:00"),
    ],
)
def test_the_hour_that_is_there_twice_at_midnight_belongs_to_the_day_that_ends(zone, twice, next_day):
    before = datetime.fromisoformat(f"{twice}Z")
    starts, ends = window("day", before, zone)
    assert starts < before < ends == datetime.fromisoformat(f"{next_day}Z")
    assert ends - starts == timedelta(hours=25)
    assert window("day", before + timedelta(hours=1), zone)[0] == ends


def test_a_zone_that_leaves_a_day_out_goes_on_with_the_next_one():
    # Samoa had no 30 December 2011.
    starts, ends = window("day", datetime(2011, 12, 30, 9, 30, tzinfo=UTC), "Pacific/Apia")
    assert ends - starts == timedelta(hours=24)
    assert window("day", ends, "Pacific/Apia")[0] == ends
    month = window("month", ends, "Pacific/Apia")
    assert month[1] - month[0] == timedelta(days=30)


LENGTHS = [
    # Berlin's clocks go forward in the last week of March and back in that of October; Lord Howe's half an hour.
    ("week", "2026-03-29", "Europe/Berlin", timedelta(days=7, hours=-1)),
    ("week", "2026-10-25", "Europe/Berlin", timedelta(days=7, hours=1)),
    ("month", "2026-03-10", "Europe/Berlin", timedelta(days=31, hours=-1)),
    ("month", "2026-10-10", "Europe/Berlin", timedelta(days=31, hours=1)),
    ("month", "2026-02-10", "Europe/Berlin", timedelta(days=28)),
    ("month", "2028-02-10", "Europe/Berlin", timedelta(days=29)),
    ("day", "2028-02-29", "America/New_York", timedelta(days=1)),
    ("day", "2026-03-08", "America/New_York", timedelta(hours=23)),
    ("day", "2026-11-01", "America/New_York", timedelta(hours=25)),
    ("day", "2026-10-03", "Australia/Lord_Howe", timedelta(hours=23, minutes=30)),
    ("day", "2026-04-04", "Australia/Lord_Howe", timedelta(hours=24, minutes=30)),
    ("billing_period", "2026-03-15", "Europe/Berlin", timedelta(days=31, hours=-1)),
]


@pytest.mark.parametrize(("kind", "day", "zone", "length"), LENGTHS)
def test_windows_are_longer_or_shorter_by_what_the_clocks_change(kind, day, zone, length):
    starts, ends = window(kind, datetime.fromisoformat(f"{day}T18:00Z"), zone)
    assert ends - starts == length


def _midnight(day: tuple[int, int, int]) -> datetime:
    year, month, number = day
    return datetime(year, month, number, tzinfo=UTC)


SHORT_MONTHS = [
    # at -> the period it lies in, for an organization created on the 31st
    ((2026, 2, 27), (2026, 1, 31), (2026, 2, 28)),
    ((2026, 2, 28), (2026, 2, 28), (2026, 3, 31)),
    ((2028, 2, 28), (2028, 1, 31), (2028, 2, 29)),
    ((2026, 3, 31), (2026, 3, 31), (2026, 4, 30)),
    ((2026, 4, 29), (2026, 3, 31), (2026, 4, 30)),
    ((2026, 12, 31), (2026, 12, 31), (2027, 1, 31)),
    ((2027, 1, 30), (2026, 12, 31), (2027, 1, 31)),
]


@pytest.mark.parametrize(("at", "starts", "ends"), SHORT_MONTHS)
def test_a_billing_period_begins_on_the_last_day_of_a_month_that_is_too_short(at, starts, ends):
    found = window("billing_period", _midnight(at) + timedelta(hours=12), "UTC")
    assert found == (_midnight(starts), _midnight(ends))


def test_the_day_of_a_billing_period_is_that_of_the_organizations_zone():
    # 23:30 on the 14th in UTC is the 15th in Berlin already.
    starts, ends = window(
        "billing_period", datetime(2026, 4, 1, tzinfo=UTC), "Europe/Berlin", datetime(2026, 1, 14, 23, 30, tzinfo=UTC)
    )
    assert starts == datetime(2026, 3, 14, 23, tzinfo=UTC)
    # The clocks went forward in between: an hour less.
    assert ends == datetime(2026, 4, 14, 22, tzinfo=UTC)


def test_a_billing_period_may_begin_on_a_day_without_midnight():
    starts, _ = window(
        "billing_period", datetime(2026, 4, 24, 12, tzinfo=UTC), "Africa/Cairo", datetime(2026, 1, 24, 12, tzinfo=UTC)
    )
    assert starts.astimezone(ZoneInfo("Africa/Cairo")).hour == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(["day", "week", "month", "billing_period", "lifetime", "5h"]),
    at=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds of UTC
    | st.builds(lambda day, hours: day + timedelta(minutes=30 * hours), st.sampled_from(CHANGES), st.integers(-48, 72)),
    zone=st.sampled_from(ZONES),
    anchor=st.datetimes(datetime(2019, 1, 1), datetime(2020, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - as above
)
def test_every_instant_lies_in_its_window_and_windows_meet(kind, at, zone, anchor):
    starts, ends = window(kind, at, zone, anchor)
    assert starts <= at < ends
    if kind in ("day", "week", "month", "billing_period"):
        assert window(kind, starts, zone, anchor) == (starts, ends)
        assert window(kind, ends, zone, anchor)[0] == ends
