"""Which price of each model is in force."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from billing import price_list, prices
from foundation import clock
from tests.tenants import cast

pytestmark = pytest.mark.django_db


def publish(model: str, days: int, **facts):
    """Publish a price that starts so many days from now."""
    starts = clock.now() + timedelta(days=days)
    components = {} if facts.get("free") else {"output": Decimal(1)}
    return prices.publish(model=model, components=components, actor=cast.SYSTEM, effective_from=starts, **facts)


def test_the_latest_that_has_started_is_in_force():
    for days in (-3, -1, 1):
        publish("sim", days)
    publish("gift", -2, free=True)
    publish("soon", 5)
    assert [(price.model, price.version) for price in price_list.in_force()] == [("gift", 1), ("sim", 2)]
    later = price_list.in_force(clock.now() + timedelta(days=9))
    assert [(price.model, price.version) for price in later] == [("gift", 1), ("sim", 3), ("soon", 1)]


def test_prices_of_some_models_come_by_their_ids():
    publish("sim", -1)
    publish("other", -1)
    assert list(price_list.of(["sim", "unknown"])) == ["sim"]
    assert price_list.of([]) == {}
