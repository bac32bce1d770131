"""Prices: versions that are never rewritten."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing import prices
from billing.errors import InvalidAmount, PriceConflict
from foundation import clock
from tests.billing.cast import SYSTEM

pytestmark = pytest.mark.django_db
RATES = {"input": Decimal("0.15"), "output": Decimal("0.60")}


def test_a_new_version_follows_the_last_one():
    now = clock.now()
    first = prices.publish(model="m", components=RATES, actor=SYSTEM, effective_from=now - timedelta(days=1))
    second = prices.publish(model="m", components=RATES, actor=SYSTEM, effective_from=now + timedelta(days=1))
    assert (first.version, second.version) == (1, 2)
    assert prices.current("m") == first
    assert prices.current("m", now + timedelta(days=2)) == second


def test_a_model_without_a_price_has_none():
    assert prices.current("nobody") is None


@pytest.mark.parametrize(
    ("components", "free"),
    [
        ({}, False),
        (RATES, True),
        ({"input": Decimal(-1)}, False),
        ({"input": Decimal("0.0000000001")}, False),
        ({"input": Decimal("NaN")}, False),
        ({"bananas": Decimal(1)}, False),
    ],
)
def test_nonsense_is_refused(components, free):
    with pytest.raises(InvalidAmount):
        prices.publish(model="m", components=components, actor=SYSTEM, free=free)


def test_two_versions_cannot_start_at_the_same_instant():
    now = clock.now()
    prices.publish(model="m", components=RATES, actor=SYSTEM, effective_from=now)
    with pytest.raises(PriceConflict):
        prices.publish(model="m", components=RATES, actor=SYSTEM, effective_from=now)
