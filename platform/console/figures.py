"""Usage as its organisation sees it: sums over a period, by time, model and key, and single requests.

Hours that were summed up already come from the rollups; what came since then comes from the records themselves, so the
pages are never behind, whether or not the job that sums up has run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Aggregate, Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Trunc

from billing import units
from billing.models import UsageRecord
from foundation import clock
from foundation.ids import lowest_at
from inference.models import UsageHour
from inference.rollups import UNITS
from inference.usage import FAILED, units_of_records
from keys.models import ApiKey
from tenants.models import Organization


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time that ends now, cut into `count` hours or days."""

    name: str
    title: str
    unit: str
    count: int

    def starts(self, now: datetime, zone: ZoneInfo) -> list[datetime]:
        """Return where each bucket starts, in local time; days are calendar days, also those of 23 or 25 hours."""
        top = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
        if self.unit == "day":
            return [top.replace(hour=0) - timedelta(days=back) for back in reversed(range(self.count))]
        # Hours are counted as instants: local time has an hour twice, or not at all, once a year.
        instant = top.astimezone(UTC)
        return [(instant - timedelta(hours=back)).astimezone(zone) for back in reversed(range(self.count))]


PERIODS = {
    period.name: period
    for period in (
        Period("24h", "Last 24 hours", "hour", 24),
        Period("7d", "Last 7 days", "day", 7),
        Period("30d", "Last 30 days", "day", 30),
    )
}


@dataclass(slots=True)
class Sums:
    """Counts of requests and tokens, and money in nano-dollars."""

    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds: int = 0
    characters: int = 0
    images: int = 0
    cost_nusd: int = 0

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.prompt_tokens + self.completion_tokens

    @property
    def others(self) -> str:
        """What was used beside tokens, in words."""
        return ", ".join(units.counted(unit, number) for unit in UNITS if (number := getattr(self, unit)))

    def add(self, row: Mapping[str, Any]) -> None:
        """Add the columns of a row that carry our names."""
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name) + int(row[column.name]))

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """Sum rows up."""
        sums = cls()
        for row in rows:
            sums.add(row)
        return sums


@dataclass(frozen=True, slots=True)
class Usage:
    """What an organisation (or one key of it) used: in all, by model and by key, and by model over time."""

    period: Period
    buckets: Sequence[datetime]
    totals: Sums
    by_model: Mapping[str, Sums]
    by_key: Mapping[UUID, Sums]
    over_time: Mapping[str, Mapping[datetime, Sums]]


def usage(organization: Organization, period: Period, key: ApiKey | None = None) -> Usage:
    """Sum up the organisation's usage in the period, or one key's only."""
    zone = ZoneInfo(organization.time_zone)
    buckets = period.starts(clock.now(), zone)
    rows = [
        row for rows in _sources(organization, since=buckets[0], key=key) for row in _grouped(rows, period.unit, zone)
    ]
    over_time: dict[str, dict[datetime, Sums]] = {}
    for row in rows:
        over_time.setdefault(row["model"], {}).setdefault(row["bucket"], Sums()).add(row)
    return Usage(period, buckets, Sums.of(rows), _by(rows, "model"), _by(rows, "key_id"), over_time)


def requests(
    organization: Organization, *, limit: int, before: UUID | None = None, key: ApiKey | None = None
) -> list[UsageRecord]:
    """Return the newest requests, those before one of them if given: request ids are ordered by time."""
    records = UsageRecord.objects.filter(organization_id=organization.pk)
    if before is not None:
        records = records.filter(request_id__lt=before)
    if key is not None:
        records = records.filter(key_id=key.pk)
    return list(records.order_by("-request_id")[:limit])


def key_names(organization: Organization, key_ids: Iterable[UUID]) -> dict[UUID, ApiKey]:
    """Return the keys of these ids."""
    return ApiKey.objects.for_organization(organization).in_bulk(set(key_ids))


def _sources(organization: Organization, since: datetime, key: ApiKey | None) -> list[QuerySet[Any]]:
    hours = UsageHour.objects.for_organization(organization).filter(starts_at__gte=since)
    records = UsageRecord.objects.filter(organization_id=organization.pk)
    # The newest hour may be summed up in part only: from its start on, the records themselves count.
    summed_until = hours.aggregate(latest=Max("starts_at"))["latest"] or since
    hours, records = hours.filter(starts_at__lt=summed_until), records.filter(request_id__gte=lowest_at(summed_until))
    if key is not None:
        hours, records = hours.filter(key_id=key.pk), records.filter(key_id=key.pk)
    return [hours, records]


def _grouped(rows: QuerySet[Any], unit: str, zone: ZoneInfo) -> Iterable[Mapping[str, Any]]:
    columns: dict[str, Aggregate] = {column.name: Sum(column.name) for column in fields(Sums)}
    at = "starts_at"
    if rows.model is UsageRecord:
        columns |= {"requests": Count("pk"), "errors": Count("pk", filter=Q(outcome__in=FAILED))}
        columns |= units_of_records()
        at = "started_at"
    bucket = Trunc(at, unit, tzinfo=zone)
    groups: Iterable[Mapping[str, Any]] = rows.values("model", "key_id", bucket=bucket).annotate(**columns).order_by()
    return groups


def _by(rows: Iterable[Mapping[str, Any]], column: str) -> dict[Any, Sums]:
    """Sum rows up by a column, the dearest first, then the busiest."""
    groups: dict[Any, Sums] = {}
    for row in rows:
        groups.setdefault(row[column], Sums()).add(row)
    return dict(sorted(groups.items(), key=lambda item: (-item[1].cost_nusd, -item[1].requests)))
