"""Several rounds become one figure: medians of what varies, sums of what is counted."""

import pytest

from benchmarks.figures import Figures, percentile
from benchmarks.rounds import Pair


def _round(rate: float, *, errors: int = 0) -> Figures:
    return Figures(rate=rate, p50_ms=1.0, p99_ms=2.0, answers=10, errors=errors)


def test_a_figure_is_the_median_of_the_rounds():
    assert Figures.of([_round(100), _round(900), _round(110)]).rate == 110


def test_answers_and_errors_are_added_up():
    found = Figures.of([_round(100, errors=1), _round(100), _round(100, errors=2)])
    assert (found.answers, found.errors) == (30, 3)


def test_the_ratio_is_that_of_rounds_on_the_same_machine():
    # The machine was ten times slower in the last round; both sides felt it.
    rounds = [(_round(1000), _round(200)), (_round(1000), _round(210)), (_round(100), _round(30))]
    assert Pair.of(rounds).ratio == pytest.approx(0.21)


@pytest.mark.parametrize(("part", "value"), [(0.5, 51), (0.99, 100), (1.0, 100)])
def test_a_percentile_is_one_of_the_values(part: float, value: int):
    assert percentile(range(100, 0, -1), part) == value


def test_no_values_have_no_percentile():
    assert percentile([], 0.5) == 0.0
