"""What a limit would have refused is what the gateway would have refused, request by request."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import ids
from inference.limits.replay import Past, Replay
from keys.effective import Limits

START = datetime(2026, 11, 2, tzinfo=UTC)
KEY = ids.uuid7()
DAYS = [(START + timedelta(days=n), START + timedelta(days=n + 1)) for n in range(10)]


def past(seconds: float, *, took: float = 1, tokens: int = 10, hold: int = 10, cost: int = 5, **facts: str) -> Past:
    at = START + timedelta(seconds=seconds)
    named = {"group": "", "customer": "", "model": "sim"} | facts
    return Past(
        id=ids.uuid7(),
        at=at,
        ended_at=at + timedelta(seconds=took),
        key=KEY,
        input=tokens,
        output=tokens,
        hold_nusd=hold,
        cost_nusd=cost,
        **named,
    )


def refusals(limits: Limits, *requests: Past, calendar=DAYS) -> list[str | None]:
    replay = Replay(limits, calendar)
    return [replay.refused_by(request) for request in requests]


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(rpm=1), "rpm"),
        (Limits(tpm=30), "tpm"),
        (Limits(input_tpm=15), "input_tpm"),
        (Limits(output_tpm=15), "output_tpm"),
        (Limits(concurrency=1), "concurrency"),
        (Limits(budget_nusd=15, budget_window="day"), "budget_nusd"),
        (Limits(budget_nusd=15, budget_window="5h"), "budget_nusd"),
        (Limits(budget_nusd=15, budget_window="lifetime"), "budget_nusd"),
    ],
)
def test_the_second_of_two_is_refused_by_each_limit_that_has_room_for_one(limits, name):
    assert refusals(limits, past(0, took=5), past(1)) == [None, name]


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(allowed_models=frozenset()), "allowed_models"),
        (Limits(max_output_tokens=0), "max_output_tokens"),
        (Limits(budget_nusd=9, budget_window="request"), "budget_nusd"),
        (Limits(budget_nusd=0, budget_window="day"), "budget_nusd"),
        (Limits(rpm=0), "rpm"),
        (Limits(concurrency=0), "concurrency"),
    ],
)
def test_what_has_no_room_for_one_refuses_the_first(limits, name):
    assert refusals(limits, past(0)) == [name]


def test_rates_slide_and_places_come_free():
    assert refusals(Limits(rpm=1), past(0), past(60), past(61)) == [None, "rpm", None]
    assert refusals(Limits(concurrency=1), past(0, took=5), past(4.9), past(5)) == [None, "concurrency", None]


def test_a_worst_case_is_free_again_when_its_request_has_ended():
    limits = Limits(budget_nusd=15, budget_window="day")
    assert refusals(limits, past(0, took=5), past(1), past(6), past(9)) == [None, "budget_nusd", None, "budget_nusd"]


def test_what_is_refused_by_one_limit_uses_nothing_of_another():
    limits = Limits(rpm=2, budget_nusd=30, budget_window="day")
    requests = [past(0, hold=100), past(1, hold=100), past(2, hold=10), past(3, hold=10), past(4, hold=10)]
    assert refusals(limits, *requests) == ["budget_nusd", "budget_nusd", None, None, "rpm"]


DAY = 86_400


def test_a_budget_is_full_again_in_the_next_window():
    limits = Limits(budget_nusd=10, budget_window="day")
    assert refusals(limits, past(0, cost=10), past(100), past(DAY)) == [None, "budget_nusd", None]
    rolling = Limits(budget_nusd=10, budget_window="5h")
    assert refusals(rolling, past(60, cost=10), past(18_000), past(18_061)) == [None, "budget_nusd", None]


@pytest.mark.parametrize(("then", "fits"), [(DAY, 2), (2 * DAY, 3), (5 * DAY, 3)])
def test_a_budget_that_carries_over_lends_what_is_left_and_at_most_itself(then, fits):
    limits = Limits(budget_nusd=10, budget_window="day", budget_carries_over=True)
    later = [past(then + n, hold=6, cost=6, took=0) for n in range(4)]
    verdicts = refusals(limits, past(0, hold=7, cost=7, took=0), *later)
    assert verdicts[1:].count(None) == fits


def test_each_has_counters_of_its_own():
    requests = [past(0, group="alice"), past(1, group="bob"), past(2, group="alice")]
    assert refusals(Limits(rpm=1), *requests) == [None, None, "rpm"]


@given(
    st.lists(
        st.tuples(st.integers(0, 3 * DAY), st.integers(0, 400), st.integers(0, 60), st.integers(0, 100)), max_size=40
    ),
    st.integers(0, 200),
)
def test_no_window_ever_spends_more_than_the_budget(drawn, limit):
    limits = Limits(budget_nusd=limit, budget_window="day")
    requests = [past(at, took=took, hold=hold, cost=hold * percent // 100) for at, took, hold, percent in sorted(drawn)]
    replay = Replay(limits, DAYS)
    ran = [request for request in requests if replay.refused_by(request) is None]
    for starts, ends in DAYS:
        assert sum(request.cost_nusd for request in ran if starts <= request.at < ends) <= limit
