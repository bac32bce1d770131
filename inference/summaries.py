"""Usage summed up as its organisation asks for it: rollups where they are finished, the records themselves since.

So a summary is never behind, whether or not the job that rolls up has run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Count, DateTimeField, F, Func, Max, Q, QuerySet, Sum
from django.db.models.functions import Trunc

from billing.models import UsageRecord
from foundation.ids import lowest_at
from inference.models import UsageDay, UsageHour
from inference.rollups import UNITS
from inference.usage import FAILED, LOOK_BACK, units_of_records
from tenants.models import Organization

LONGEST_IN_HOURS = timedelta(days=31)
_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens", "cost_nusd")


class By(StrEnum):
    """What to sum up by."""

    HOUR = "hour"
    DAY = "day"
    MODEL = "model"
    KEY = "key"
    PROJECT = "project"


_COLUMNS = {By.MODEL: "model", By.KEY: "key_id", By.PROJECT: "project_id"}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time of full hours, or of full UTC days where `unit` says so."""

    starts_at: datetime
    ends_at: datetime
    unit: str

    @classmethod
    def around(cls, starts_at: datetime, ends_at: datetime, by: By) -> Span:
        """Return the full hours that hold these instants; full days by the day, and where hours would be too many."""
        unit = "day" if by is By.DAY or (by is not By.HOUR and ends_at - starts_at > LONGEST_IN_HOURS) else "hour"
        first, last = _floor(starts_at, unit), _floor(ends_at, unit)
        return cls(first, last if last == ends_at else last + _step(unit), unit)


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

    def add(self, row: Mapping[str, Any]) -> None:
        """Add the columns of a row that carry our names."""
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name) + int(row[column.name]))


def summarize(
    organization: Organization, *, by: By, span: Span, filters: Mapping[str, object]
) -> dict[datetime | Any, Sums]:
    """Return the sums of each group: by time in its order, else the dearest first.

    `filters` are columns that rollups and records share: model, key_id, project_id.
    """
    groups: dict[Any, Sums] = {}
    for rows in _sources(organization, span, filters):
        for row in _grouped(rows, by):
            groups.setdefault(row["group"], Sums()).add(row)
    return dict(sorted(groups.items(), key=_in_time if by in {By.HOUR, By.DAY} else _dearest))


def _sources(organization: Organization, span: Span, filters: Mapping[str, object]) -> Iterator[QuerySet[Any]]:
    """Yield rows that add up to the span: finished days if days will do, finished hours, then records."""
    newest = UsageHour.objects.for_organization(organization).aggregate(at=Max("starts_at"))["at"]
    begins, ends = span.starts_at, span.ends_at
    if newest is not None:
        # Before this, no request can still be under way that was not when the newest hour was rolled up.
        finished = newest - LOOK_BACK
        days_end = min(ends, _floor(finished, "day")) if span.unit == "day" else begins
        hours_end = min(ends, finished)
        for table, until in ((UsageDay, days_end), (UsageHour, hours_end)):
            if until > begins:
                rows = table.objects.for_organization(organization)
                yield rows.filter(starts_at__gte=begins, starts_at__lt=until, **filters)
                begins = until
    if begins < ends:
        records = UsageRecord.objects.filter(organization_id=organization.pk)
        yield records.filter(request_id__gte=lowest_at(begins), request_id__lt=lowest_at(ends), **filters)


def _grouped(rows: QuerySet[Any], by: By) -> Iterable[Mapping[str, Any]]:
    sums = {name: Sum(name) for name in _TOKENS}
    at: Any = F("starts_at")
    counts: dict[str, Any] = {name: Sum(name) for name in ("requests", "errors", *UNITS)}
    if rows.model is UsageRecord:
        at = Func("request_id", function="uuid_extract_timestamp", output_field=DateTimeField())
        counts = {"requests": Count("*"), "errors": Count("pk", filter=Q(outcome__in=FAILED)), **units_of_records()}
    group = F(_COLUMNS[by]) if by in _COLUMNS else Trunc(at, str(by), tzinfo=UTC, output_field=DateTimeField())
    grouped: Iterable[Mapping[str, Any]] = rows.values(group=group).annotate(**counts, **sums).order_by()
    return grouped


def _in_time(group: tuple[Any, Sums]) -> Any:
    return group[0]


def _dearest(group: tuple[Any, Sums]) -> tuple[int, int, str]:
    return -group[1].cost_nusd, -group[1].requests, str(group[0])


def _floor(at: datetime, unit: str) -> datetime:
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if unit == "hour" else hour.replace(hour=0)


def _step(unit: str) -> timedelta:
    return timedelta(hours=1) if unit == "hour" else timedelta(days=1)
