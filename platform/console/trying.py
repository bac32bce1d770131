"""Limits tried on what a scope asked for in the past: how many requests they would have refused, when, and which."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from console import charts, figures
from console.templatetags.look import compact
from foundation import clock
from inference.limits import simulation
from inference.limits.simulation import Outcome
from keys.effective import Limits
from keys.limiting import Target
from keys.models import ApiKey
from tenants.models import Organization

SHOWN = 5
LET_THROUGH, REFUSED = "Let through", "Refused"


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the requests of a period, and a picture of it."""

    period: figures.Period
    outcome: Outcome
    chart: charts.Chart
    # The most refused first.
    by_limit: Sequence[tuple[str, int]]
    by_key: Sequence[tuple[str, int]]
    by_model: Sequence[tuple[str, int]]

    @property
    def percent(self) -> int:
        """The share that would have been refused, rounded down, but never to nothing where there is any."""
        if not self.outcome.refused:
            return 0
        return max(1, self.outcome.refused * 100 // self.outcome.requests)


def run(organization: Organization, target: Target, limits: Limits, period: figures.Period) -> Trial:
    """Replay the target's requests of the period. Raises InvalidLimit and InvalidRequest."""
    now = clock.now()
    buckets = period.starts(now, ZoneInfo(organization.time_zone))
    outcome = simulation.run(organization=organization, target=target, limits=limits, since=buckets[0], until=now)
    values = {
        LET_THROUGH: _by_bucket(buckets, outcome.let_through_at),
        REFUSED: _by_bucket(buckets, outcome.refused_at),
    }
    chart = charts.stacked(buckets, values, show=compact, unit=period.unit, ranked=False)
    return Trial(
        period,
        outcome,
        chart,
        by_limit=outcome.by_limit.most_common(SHOWN),
        by_key=_keys(organization, outcome),
        by_model=outcome.by_model.most_common(SHOWN),
    )


def _by_bucket(buckets: Sequence[datetime], counts: Mapping[datetime, int]) -> Counter[datetime]:
    found: Counter[datetime] = Counter()
    for at, number in counts.items():
        found[buckets[max(0, bisect_right(buckets, at) - 1)]] += number
    return found


def _keys(organization: Organization, outcome: Outcome) -> list[tuple[str, int]]:
    hit = outcome.by_key.most_common(SHOWN)
    names: dict[object, str] = dict(
        ApiKey.objects.for_organization(organization).filter(pk__in=[key for key, _ in hit]).values_list("pk", "name")
    )
    return [(names.get(key, "–"), number) for key, number in hit]
