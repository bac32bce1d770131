"""Bars over time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import charts

START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = [START + timedelta(days=number) for number in range(30)]
series = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.dictionaries(st.sampled_from(DAYS), st.integers(0, 10**15), max_size=30),
    max_size=9,
)


def draw(values):
    return charts.stacked(DAYS, values, show=str, unit="day")


@given(series)
def test_segments_are_flush_and_stay_in_the_drawing(values):
    for bar in draw(values).bars:
        top = charts.HEIGHT
        for segment in bar.segments:
            assert segment.y + segment.height == top
            assert segment.height >= 0
            top = segment.y
        assert top >= 0


@given(series)
def test_nothing_is_lost_in_a_bar(values):
    for bar, at in zip(draw(values).bars, DAYS, strict=True):
        assert int(bar.total) == sum(points.get(at, 0) for points in values.values())
        assert sum(int(segment.text) for segment in bar.segments) == int(bar.total)


@given(st.integers(0, 10**18))
def test_the_scale_is_round_and_not_too_high(highest):
    top = charts.nice_top(highest)
    assert top % charts.TICKS == 0
    assert highest <= top <= max(8, 3 * highest // 2 + 1)


def test_the_largest_series_comes_first_and_small_ones_are_put_together():
    chart = draw({name: {DAYS[0]: number} for number, name in enumerate("abcdefg", start=1)})
    assert [(rank, name) for rank, name, _ in chart.series] == [(0, "g"), (1, "f"), (2, "e"), (3, "d"), (4, "Others")]
    assert chart.series[-1][2] == "6"


def test_a_chart_without_any_value_says_that_it_is_empty():
    assert draw({}).empty
    assert draw({"a": {DAYS[0]: 0}}).empty
    assert not draw({"a": {DAYS[0]: 1}}).empty


def test_the_newest_bar_has_a_label_and_not_all_have():
    labels = [bar.label for bar in draw({}).bars]
    assert labels[-1] == "30 Nov"
    assert len([label for label in labels if label]) <= charts.MOST_LABELS


def test_a_phone_leaves_out_every_other_label():
    labelled = [bar.minor for bar in draw({}).bars if bar.label]
    assert labelled[-1] is False
    assert all(one != next_one for one, next_one in pairwise(labelled))


@pytest.mark.parametrize(
    ("unit", "title", "label"), [("day", "Sun 1 Nov", "1 Nov"), ("hour", "Sun 1 Nov, 00:00", "00:00")]
)
def test_bars_are_named_by_their_time(unit, title, label):
    (bar,) = charts.stacked([START], {}, show=str, unit=unit).bars
    assert (bar.title, bar.label) == (title, label)


def test_notes_open_towards_the_middle():
    sides = [bar.side for bar in draw({}).bars]
    assert (sides[0], sides[15], sides[-1]) == ("start", "middle", "end")
