"""Budget windows are instants in the organization's zone: days of 23 and 25 hours, short months, missing midnights."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.django_db
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Africa/Cairo", "Asia/Beirut"]


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
    at=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds of UTC
    zone=st.sampled_from(ZONES),
    anchor=st.datetimes(datetime(2019, 1, 1), datetime(2020, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - as above
)
def test_every_instant_lies_in_its_window_and_windows_meet(kind, at, zone, anchor):
    starts, ends = window(kind, at, zone, anchor)
    assert starts <= at < ends
    if kind in ("day", "week", "month", "billing_period"):
        assert window(kind, starts, zone, anchor) == (starts, ends)
        assert window(kind, ends, zone, anchor)[0] == ends
