from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as some

from foundation import money

NANOS = some.integers(-money.LARGEST, money.LARGEST)
KINDS = some.sampled_from(["input", "cached", "output", "image"])
QUANTITIES = some.dictionaries(KINDS, some.integers(0, 10**9))
RATES = some.fixed_dictionaries({kind: some.integers(0, 10**12) for kind in ("input", "cached", "output", "image")})


@given(NANOS)
def test_dollars_and_nanos_convert_without_loss(amount):
    assert money.nano(money.usd(amount)) == amount


@given(NANOS)
def test_conversion_ignores_the_precision_of_the_thread(amount):
    with localcontext(prec=3):
        assert money.nano(money.usd(amount)) == amount


@pytest.mark.parametrize(
    ("dollars", "nanos"),
    [
        ("9.99", 9_990_000_000),
        (10, 10_000_000_000),
        ("0.000000001", 1),
        ("-0.5", -500_000_000),
        (Decimal("1e-6"), 1000),
    ],
)
def test_dollars_become_nanos(dollars, nanos):
    assert money.nano(dollars) == nanos


@pytest.mark.parametrize(
    "amount",
    [
        0.1,
        True,
        None,
        "",
        "ten",
        "NaN",
        "Infinity",
        "0.0000000001",
        "1.0000000001",
        "1e-999999",
        "1e999999",
        "9223372037",
    ],
)
def test_what_is_no_exact_amount_is_refused(amount):
    with pytest.raises(ValueError, match="amount of money"):
        money.nano(amount)


@pytest.mark.parametrize("zero", [0, "0.00", "0e-999999", "0e999999", "-0"])
def test_every_zero_is_nothing(zero):
    assert money.nano(zero) == 0


@pytest.mark.parametrize(
    ("nanos", "shown"),
    [
        (0, "$0.00"),
        (9_990_000_000, "$9.99"),
        (10_000_000_000, "$10.00"),
        (-1_234_500_000_000, "-$1,234.50"),
        (1_995_000_000, "$2.00"),
        (123_000, "$0.000123"),
        (123_456, "$0.000123"),
        (100_000_000, "$0.10"),
        (12_300_000, "$0.0123"),
        (999_900_000, "$1.00"),
        (1, "$0.000000001"),
    ],
)
def test_an_amount_is_shown_to_people(nanos, shown):
    assert money.display(nanos) == shown


@given(NANOS)
def test_only_nothing_is_shown_as_nothing(amount):
    assert (money.display(amount).strip("-$0.,") == "") == (amount == 0)


def test_a_charge_adds_up_quantities_by_their_rates():
    rates = {"input": money.nano("0.15"), "output": money.nano("0.60")}
    assert money.charge({"input": 1_000_000, "output": 500_000}, rates) == money.nano("0.45")


@pytest.mark.parametrize(("tokens", "nanos"), [(499_999, 0), (500_000, 1), (1_499_999, 1), (1_500_000, 2)])
def test_half_a_nano_rounds_up(tokens, nanos):
    assert money.charge({"input": tokens}, {"input": 1}) == nanos


def test_the_sum_is_rounded_and_not_its_parts():
    assert money.charge({"input": 1, "output": 1}, {"input": 400_000, "output": 400_000}) == 1


@given(QUANTITIES, RATES)
def test_a_charge_is_exact_by_decimal_arithmetic(quantities, rates):
    with localcontext(prec=60):
        exact = sum((Decimal(count) * rates[kind] for kind, count in quantities.items()), Decimal(0)) / 10**6
        assert money.charge(quantities, rates) == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@given(QUANTITIES, RATES, KINDS, some.integers(0, 10**6))
def test_more_never_costs_less(quantities, rates, kind, extra):
    more = {**quantities, kind: quantities.get(kind, 0) + extra}
    assert money.charge(more, rates) >= money.charge(quantities, rates)


@pytest.mark.parametrize(
    ("quantities", "rates"),
    [
        ({"input": -1}, {"input": 1}),
        ({"input": 1}, {"input": -1}),
        ({"input": 1}, {}),
        ({"input": 1.0}, {"input": 1}),
        ({"input": True}, {"input": 1}),
    ],
)
def test_a_charge_refuses_what_it_cannot_price(quantities, rates):
    with pytest.raises(ValueError, match="input"):
        money.charge(quantities, rates)


def test_no_quantity_of_a_kind_needs_no_rate():
    assert money.charge({"cached": 0}, {}) == 0


@given(NANOS, some.lists(some.integers(0, 10**9), min_size=1).filter(any))
def test_the_parts_add_up_to_the_whole(total, weights):
    assert sum(money.split(total, weights)) == total


@given(NANOS, some.lists(some.integers(0, 10**9), min_size=1).filter(any))
def test_each_part_is_within_one_of_its_exact_share(total, weights):
    for part, weight in zip(money.split(total, weights), weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)


@given(some.lists(some.integers(0, 10**9), min_size=1).filter(any))
def test_who_weighs_nothing_gets_nothing(weights):
    parts = money.split(10**15, [*weights, 0])
    assert parts[-1] == 0


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (1, [2, -1])])
def test_an_amount_that_nobody_can_take_is_not_split(total, weights):
    with pytest.raises(ValueError, match="weight"):
        money.split(total, weights)


def test_nothing_splits_into_nothing():
    assert money.split(0, []) == []
    assert money.split(0, [0, 0]) == [0, 0]
