"""Bars over time, stacked by series: from numbers to whole coordinates. Pure; templates/console/_chart.html draws them.

The drawing is stretched to its place, so coordinates are in units of our own: `SLOT` wide for each bar, `HEIGHT` high.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

SLOT = 100
BAR = 68
HEIGHT = 1000
MOST_SERIES = 4
OTHERS = "Others"
TICKS = 4
MOST_LABELS = 7


@dataclass(frozen=True, slots=True)
class Segment:
    """One series' part of one bar."""

    rank: int
    name: str
    text: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket of time, from the oldest to the newest."""

    title: str
    label: str
    x: int
    total: str
    segments: Sequence[Segment]
    side: str
    # A label that is left out where there is little room.
    minor: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the drawing, with what it stands for."""

    y: int
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All of the drawing."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    series: Sequence[tuple[int, str, str]]
    empty: bool
    slot: int = SLOT
    bar: int = BAR
    height: int = HEIGHT

    @property
    def width(self) -> int:
        """The width of the drawing in its own units."""
        return len(self.bars) * SLOT


def stacked(
    buckets: Sequence[datetime],
    values: Mapping[str, Mapping[datetime, int]],
    *,
    show: Callable[[int], str],
    unit: str,
    ranked: bool = True,
) -> Chart:
    """Draw `values` (series, bucket, number) as stacked bars; `show` writes a number for people.

    The largest series gets the first colour, unless they are not to be `ranked`: then each has that of its place.
    """
    series = _ranked(values) if ranked else values
    totals = [sum(points.get(at, 0) for points in series.values()) for at in buckets]
    top = nice_top(max(totals, default=0))
    labelled = _labelled(len(buckets))
    bars = [
        Bar(
            title=_title(at, unit),
            label=_label(at, unit) if index in labelled else "",
            minor=labelled.get(index, False),
            x=index * SLOT + (SLOT - BAR) // 2,
            total=show(totals[index]),
            segments=_segments(series, at, top, show),
            side=_side(index, len(buckets)),
        )
        for index, at in enumerate(buckets)
    ]
    ticks = [Tick(HEIGHT - HEIGHT * step // TICKS, show(top * step // TICKS)) for step in range(TICKS + 1)]
    named = [
        (_rank(rank, name), name, show(sum(points.values()))) for rank, (name, points) in enumerate(series.items())
    ]
    return Chart(bars, ticks, named, not any(totals))


def nice_top(highest: int) -> int:
    """Return a top for the scale that is not below the highest value, and whose quarters are round whole numbers."""
    power = 1
    while True:
        for step in (4, 6, 8, 10, 12, 16, 20, 24, 32):
            top = step * power
            if top >= highest and top % TICKS == 0:
                return top
        power *= 10


def _ranked(values: Mapping[str, Mapping[datetime, int]]) -> dict[str, Mapping[datetime, int]]:
    """Return the largest series first, and all beyond the first few as one; a model of its name is one of them."""
    own = ((name, points) for name, points in values.items() if name != OTHERS)
    ranked = sorted(own, key=lambda item: -sum(item[1].values()))
    kept = dict(ranked[:MOST_SERIES])
    namesake = [values[OTHERS]] if OTHERS in values else []
    if rest := [points for _, points in ranked[MOST_SERIES:]] + namesake:
        instants = {at for points in rest for at in points}
        kept[OTHERS] = {at: sum(points.get(at, 0) for points in rest) for at in instants}
    return kept


def _segments(
    series: Mapping[str, Mapping[datetime, int]], at: datetime, top: int, show: Callable[[int], str]
) -> list[Segment]:
    numbers = [points.get(at, 0) for points in series.values()]
    # Rounding the running totals, not the parts, keeps the segments flush with each other.
    marks = [0, *(total * HEIGHT // top for total in accumulate(numbers))]
    return [
        Segment(_rank(rank, name), name, show(number), HEIGHT - marks[rank + 1], marks[rank + 1] - marks[rank])
        for rank, (name, number) in enumerate(zip(series, numbers, strict=True))
        if number
    ]


def _rank(rank: int, name: str) -> int:
    return MOST_SERIES if name == OTHERS else rank


def _labelled(count: int) -> dict[int, bool]:
    """Choose which bars get a label, every nth counted from the newest, and which of these are minor."""
    step = max(1, -(-count // MOST_LABELS))
    return {index: number % 2 == 1 for number, index in enumerate(range(count - 1, -1, -step))}


def _side(index: int, count: int) -> str:
    """Say to which side a bar's note opens, so that it stays on the page."""
    if index * 3 < count:
        return "start"
    return "end" if index * 3 >= 2 * count else "middle"


def _title(at: datetime, unit: str) -> str:
    return f"{at:%a} {at.day} {at:%b}, {at:%H:%M}" if unit == "hour" else f"{at:%a} {at.day} {at:%b}"


def _label(at: datetime, unit: str) -> str:
    return f"{at:%H:%M}" if unit == "hour" else f"{at.day} {at:%b}"
