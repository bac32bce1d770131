"""Usage by hour and by day: recomputed from the records, never added to, so that a repeat changes nothing.

A request counts in the hour in which its id was made, which is when it started (UUIDv7; the gateway derives
`started_at` from it). That is the key of the records' partitions as well, so an hour is found without looking at
others. Where a run begins is read from the rollups themselves: what they hold was computed up to their newest hour,
and records that were settled later than `LOOK_BACK` before it are looked at again, however old their requests are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Max, Q, Sum

from billing.reconciliation import Difference
from foundation import clock, ids
from foundation.ids import lowest_at
from inference import rollups
from inference.models import UsageHour
from keys import activity
from tenants import isolation

LOOK_BACK = timedelta(hours=2)
"""Longer than any request may run and any transaction may take; what is later still is found by when it was settled."""

FAILED = ("upstream_error", "timeout", "drained", "expired")
"""Outcomes that count as errors: not a caller who left, nor an answer without a token."""

STATEMENT_SECONDS = 100


def units_of_records() -> dict[str, Aggregate]:
    """Return how the columns of rollups for what is charged beside tokens are summed up from records."""
    return {unit: Sum("quantity", filter=Q(unit=unit), default=0) for unit in rollups.UNITS}


class Busy(Exception):
    """Another process is recomputing: its result is as good as ours."""


def roll_up() -> int:
    """Recompute every hour with news, and its day; return how many rows of rollups changed.

    Day by day, the oldest first, each in a transaction of its own: what is interrupted goes on from there. Keys are
    told when they were last used on the same occasion.
    """
    try:
        since = _seen_until()
        _note_uses(since)
        return sum(recompute(first, last + rollups.HOUR) for first, last in _by_day(_touched(since)))
    except Busy:
        return 0


def recompute(starts_at: datetime, ends_at: datetime) -> int:
    """Replace the hours of a stretch of one UTC day, and the day; return how many rows changed.

    `starts_at` and `ends_at` are full hours. Raises Busy.
    """
    midnight = starts_at.astimezone(UTC).replace(hour=0)
    hours: dict[str, Any] = {"starts_at": starts_at, "ends_at": ends_at, "failed": list(FAILED)}
    with isolation.everything(), connection.cursor() as cursor:
        _claim(cursor)
        cursor.execute(rollups.HOURS, hours | {"first": lowest_at(starts_at), "end": lowest_at(ends_at)})
        (changed_hours,) = cursor.fetchone()
        cursor.execute(rollups.DAYS, {"starts_at": midnight, "ends_at": midnight + rollups.DAY})
        (changed_days,) = cursor.fetchone()
    return int(changed_hours) + int(changed_days)


def differences(before: datetime | None = None) -> list[Difference]:
    """Compare the hours and days that ended before an instant with the records; by default what is surely rolled up.

    Reads all records: for the proof of the ledger, not for a page.
    """
    end = before or clock.now() - LOOK_BACK
    found: list[Difference] = []
    for unit, comparison in rollups.COMPARISONS.items():
        ends_at = _start_of(unit, end)
        with isolation.everything(), connection.cursor() as cursor:
            cursor.execute(comparison, {"ends_at": ends_at, "end": lowest_at(ends_at), "failed": list(FAILED)})
            found += [_difference(unit, row) for row in cursor.fetchall()]
    return found


def _seen_until() -> datetime | None:
    """Return since when records may have been settled that no run has seen; nothing if none was seen at all."""
    with isolation.everything():
        newest = UsageHour.objects.aggregate(at=Max("starts_at"))["at"]
    return None if newest is None else min(newest, clock.now()) - LOOK_BACK


def _note_uses(since: datetime | None) -> None:
    with isolation.everything(), connection.cursor() as cursor:
        _claim(cursor)
        cursor.execute(rollups.LAST_USES, {"since": since})
        activity.note(dict(cursor.fetchall()))


def _touched(since: datetime | None) -> list[datetime]:
    """Return the hours whose records or rollups may be news, in order."""
    with isolation.everything(), connection.cursor() as cursor:
        _allow_time(cursor)
        cursor.execute(rollups.TOUCHED, {"since": since})
        return [hour for (hour,) in cursor.fetchall()]


def _by_day(hours: Iterable[datetime]) -> Iterator[tuple[datetime, datetime]]:
    for _, of_day in groupby(hours, key=lambda hour: hour.astimezone(UTC).date()):
        found = list(of_day)
        yield found[0], found[-1]


def _claim(cursor: Any) -> None:
    # A run that read earlier must not write later than another, or it would put old sums over new ones.
    cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('inference.usage'))")
    (is_ours,) = cursor.fetchone()
    if not is_ours:
        raise Busy
    _allow_time(cursor)


def _allow_time(cursor: Any) -> None:
    cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")


def _start_of(unit: str, at: datetime) -> datetime:
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if unit == "hour" else hour.replace(hour=0)


def _difference(unit: str, row: tuple[Any, ...]) -> Difference:
    organization, starts_at, key, model, column, expected, found = row
    owner, user = ids.public("org", organization), ids.public("key", key)
    subject = f"{column} of {unit} {starts_at:%Y-%m-%dT%H:%MZ}, {owner}, {user}, {model}"
    return Difference(f"usage_{unit}_equals_records", subject, int(expected), int(found))
