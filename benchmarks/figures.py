"""What one round of load has found out, and how several rounds become one figure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One round, or the medians of several. `rate` is in requests or chunks per second."""

    rate: float
    p50_ms: float
    p99_ms: float
    answers: int
    errors: int
    cpu_us: float = 0.0
    """CPU time of the gateway's process for each request or chunk; 0 where there was no gateway."""
    admission_p99_ms: float = 0.0
    """99 of 100 requests were within all limits and held for in this time; 0 where there was no gateway."""
    strangers: float = 0.0
    """The part of the gateway's core that processes had which are not ours."""

    @classmethod
    def of(cls, rounds: Sequence[Self]) -> Self:
        """Return the median of each figure; answers and errors are added up."""
        middle = {field.name: median(getattr(one, field.name) for one in rounds) for field in fields(cls)}
        totals = {name: sum(getattr(one, name) for one in rounds) for name in ("answers", "errors")}
        return cls(**{**middle, **totals})


def percentile(values: Iterable[float], part: float) -> float:
    """Return the smallest value that `part` of all values do not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
