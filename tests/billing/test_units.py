"""Rates as people say them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import units
from billing.models import PriceComponent

NINE_PLACES = st.decimals(min_value=0, max_value=1000, places=9, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("kind", "rate", "text"),
    [
        ("input", "0.5", "$0.50 per million input tokens"),
        ("characters", "15", "$15 per million characters"),
        ("seconds", "100", "$0.006 per minute"),
        ("images", "40000", "$0.04 per image"),
        ("requests", "1500000000", "$1,500 per request"),
        ("requests", "2000", "$0.002 per request"),
        ("images", "0", "$0 per image"),
    ],
)
def test_a_rate_reads_as_people_say_it(kind, rate, text):
    assert units.described(kind, Decimal(rate)) == text


@given(kind=st.sampled_from(sorted(units.UNITS)), price=st.decimals(min_value=0, max_value=1000, places=6))
def test_what_is_entered_is_what_is_shown(kind, price):
    assert units.in_unit(kind, units.per_million(kind, price)) == price


@given(kind=st.sampled_from(sorted(units.UNITS)), price=NINE_PLACES)
def test_a_rate_never_has_more_than_nine_places(kind, price):
    assert int(units.per_million(kind, price).as_tuple().exponent) >= -9


def test_every_kind_of_price_has_a_unit():
    assert set(units.UNITS) == set(PriceComponent.Kind.values)


def test_quantities_are_counted_in_words():
    assert [units.counted("seconds", n) for n in (0, 1, 1200)] == ["0 seconds", "1 second", "1,200 seconds"]
