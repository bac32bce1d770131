"""What a request costs, and what it can cost at most."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.rates import Rates, in_force

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RATES = Rates(1, NOON, {"input": 500_000_000, "cached_input": 50_000_000, "output": 1_500_000_000})
tokens = st.integers(0, 10**7)
rates = st.integers(0, 10**12)


def test_tokens_are_priced_by_kind():
    assert RATES.cost(prompt_tokens=1_000_000, cached_tokens=0, completion_tokens=0) == 500_000_000
    assert RATES.cost(prompt_tokens=1_000_000, cached_tokens=1_000_000, completion_tokens=0) == 50_000_000
    assert RATES.cost(prompt_tokens=0, cached_tokens=0, completion_tokens=1_000_000) == 1_500_000_000


def test_cached_input_without_a_rate_costs_what_input_costs():
    plain = Rates(1, NOON, {"input": 500_000_000, "output": 0})
    assert plain.cost(prompt_tokens=100, cached_tokens=100, completion_tokens=0) == 50_000


def test_a_free_version_costs_nothing():
    free = Rates(1, NOON, {})
    assert free.cost(prompt_tokens=10**6, cached_tokens=0, completion_tokens=10**6) == 0
    assert free.worst_case(prompt_tokens=10**6, completion_tokens=10**6) == 0


@given(prompt=tokens, cached=tokens, completion=tokens, rate_in=rates, rate_cached=rates, rate_out=rates)
def test_no_use_within_the_bounds_costs_more_than_the_worst_case(
    prompt, cached, completion, rate_in, rate_cached, rate_out
):
    version = Rates(1, NOON, {"input": rate_in, "cached_input": rate_cached, "output": rate_out})
    most = version.worst_case(prompt_tokens=prompt, completion_tokens=completion)
    assert version.cost(prompt_tokens=prompt, cached_tokens=cached, completion_tokens=completion) <= most


@given(prompt=tokens, completion=tokens, rate_in=rates, rate_out=rates)
def test_a_charge_is_the_exact_sum_rounded_once(prompt, completion, rate_in, rate_out):
    version = Rates(1, NOON, {"input": rate_in, "output": rate_out})
    exact = (Decimal(prompt) * rate_in + Decimal(completion) * rate_out) / 1_000_000
    expected = int(exact.to_integral_value(ROUND_HALF_UP))
    assert version.cost(prompt_tokens=prompt, cached_tokens=0, completion_tokens=completion) == expected


def test_a_version_applies_from_its_start_until_the_next_one():
    later = Rates(2, NOON + timedelta(hours=1), {})
    versions = (RATES, later)
    assert in_force(versions, NOON - timedelta(microseconds=1)) is None
    assert in_force(versions, NOON) is RATES
    assert in_force(versions, NOON + timedelta(minutes=59)) is RATES
    assert in_force(versions, NOON + timedelta(hours=1)) is later
