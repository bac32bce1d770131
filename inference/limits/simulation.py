"""What a limit on last week's traffic would have refused: the usage records of a period, replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from billing.models import UsageRecord
from billing.spending import bounds
from foundation import ids
from foundation.errors import InvalidRequest
from foundation.ids import lowest_at
from inference.limits.replay import Bounds, Past, Replay
from keys import limiting, subjects
from keys.effective import Limits
from keys.limiting import Target
from keys.models import ApiKey
from keys.subjects import Subject
from tenants.models import Organization, Project, User

LONGEST = timedelta(days=31)
MOST_REQUESTS = 200_000
SHOWN = 20
QUARTER = timedelta(minutes=15)
"""How finely refusals are told over time: every zone's hours and days begin with a quarter of an hour."""
_CALENDAR = frozenset({"day", "week", "month", "billing_period"})
_COLUMNS = (
    "request_id",
    "started_at",
    "latency_ms",
    "key_id",
    "customer",
    "model",
    "prompt_tokens",
    "completion_tokens",
    "hold_nusd",
    "cost_nusd",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that would not have run, and the limit that would have refused it."""

    past: Past
    limit: str


@dataclass(slots=True)
class Outcome:
    """What the limits would have meant. Money in nano-dollars; the charges of what would have been refused."""

    requests: int = 0
    cost_nusd: int = 0
    refused: int = 0
    refused_cost_nusd: int = 0
    by_limit: Counter[str] = field(default_factory=Counter)
    by_key: Counter[UUID] = field(default_factory=Counter)
    by_customer: Counter[str] = field(default_factory=Counter)
    by_model: Counter[str] = field(default_factory=Counter)
    # By the start of the quarter of an hour in which they came.
    let_through_at: Counter[datetime] = field(default_factory=Counter)
    refused_at: Counter[datetime] = field(default_factory=Counter)
    first: list[Refusal] = field(default_factory=list)
    # Where the replay ended because there were too many requests.
    cut_at: datetime | None = None

    def note(self, past: Past, limit: str | None) -> None:
        """Count a request and what became of it."""
        self.requests += 1
        self.cost_nusd += past.cost_nusd
        quarter = past.at - (past.at - datetime.min.replace(tzinfo=UTC)) % QUARTER
        (self.let_through_at if limit is None else self.refused_at)[quarter] += 1
        if limit is None:
            return
        self.refused += 1
        self.refused_cost_nusd += past.cost_nusd
        for counter, name in ((self.by_limit, limit), (self.by_key, past.key), (self.by_model, past.model)):
            counter[name] += 1  # type: ignore[index]  # each counter has its own kind of name
        if past.customer:
            self.by_customer[past.customer] += 1
        if len(self.first) < SHOWN:
            self.first.append(Refusal(past, limit))


def run(*, organization: Organization, target: Target, limits: Limits, since: datetime, until: datetime) -> Outcome:
    """Replay what the target did from `since` until `until` under these limits; for each, everybody has their own.

    Requests that were refused at the time left no record, and are not replayed. Raises InvalidLimit, and
    InvalidRequest for too long a period and for addresses, which no record names.
    """
    limiting.check(limits)
    if not since < until or until - since > LONGEST:
        raise InvalidRequest(f"since: Ask for at most {LONGEST.days} days that end after they begin.", param="since")
    replay = Replay(limits, _calendar(organization, limits, since, until))
    outcome = Outcome()
    for past in _records(organization, target, since, until):
        if outcome.requests == MOST_REQUESTS:
            outcome.cut_at = past.at
            break
        outcome.note(past, replay.refused_by(past))
    return outcome


def _calendar(organization: Organization, limits: Limits, since: datetime, until: datetime) -> list[Bounds]:
    window = limits.budget_window
    if window not in _CALENDAR:
        return []
    found = [bounds(organization, window, since)]
    while found[-1][1] < until:
        found.append(bounds(organization, window, found[-1][1]))
    return found


def _records(organization: Organization, target: Target, since: datetime, until: datetime) -> Iterator[Past]:
    # A request's id says when it started, and is what the table is partitioned by.
    rows = UsageRecord.objects.filter(
        organization_id=organization.pk, request_id__gte=lowest_at(since), request_id__lt=lowest_at(until)
    )
    rows, group = _selected(rows, organization, target)
    for row in rows.order_by("request_id").values(*_COLUMNS).iterator(chunk_size=5000):
        if (name := group(row)) is not None:
            yield Past(
                id=row["request_id"],
                group=name,
                at=row["started_at"],
                ended_at=row["started_at"] + timedelta(milliseconds=row["latency_ms"] or 0),
                key=row["key_id"],
                customer=row["customer"],
                model=row["model"],
                input=row["prompt_tokens"],
                output=row["completion_tokens"],
                hold_nusd=row["hold_nusd"],
                cost_nusd=row["cost_nusd"],
            )


def _selected(
    rows: QuerySet[UsageRecord], organization: Organization, target: Target
) -> tuple[QuerySet[UsageRecord], Callable[[dict[str, Any]], str | None]]:
    """Return the target's records, and whose counters each of them uses; nobody's is left out."""
    if isinstance(target, Organization):
        return rows, _everybody
    if isinstance(target, Project):
        return rows.filter(project_id=target.pk), _everybody
    if isinstance(target, ApiKey):
        line = ApiKey.objects.for_organization(organization).filter(lineage=target.lineage)
        return rows.filter(key_id__in=list(line.values_list("pk", flat=True))), _everybody
    return _selected_subject(rows, organization, target)


def _selected_subject(
    rows: QuerySet[UsageRecord], organization: Organization, target: Subject
) -> tuple[QuerySet[UsageRecord], Callable[[dict[str, Any]], str | None]]:
    if target.scope == subjects.ADDRESS:
        raise InvalidRequest("scope: Usage records do not say which address a request came from.", param="scope")
    if target.scope == subjects.MEMBER:
        made = ApiKey.objects.for_organization(organization).exclude(created_by=None)
        if target.text:
            made = made.filter(created_by=ids.parse(User.PREFIX, target.text))
        makers = {key: str(maker) for key, maker in made.values_list("pk", "created_by")}
        return rows.filter(key_id__in=list(makers)), lambda row: makers.get(row["key_id"])
    column = target.scope
    if target.text:
        rows = rows.filter(**{column: target.text})
    return rows, lambda row: row[column] or None


def _everybody(row: dict[str, Any]) -> str:
    return ""
