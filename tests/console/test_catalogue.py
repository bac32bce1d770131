"""What is on offer, as visitors see it."""

from decimal import Decimal

import pytest

from billing import prices
from console import catalogue
from inference.offers import Availability
from tests.console.cast import offer
from tests.tenants.cast import SYSTEM

UP, ILL, DOWN, NEW = (
    Availability.OPERATIONAL,
    Availability.DEGRADED,
    Availability.UNAVAILABLE,
    Availability.STARTING,
)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], DOWN),
        ([UP, UP], UP),
        ([UP, DOWN], ILL),
        ([UP, ILL], ILL),
        ([UP, NEW], ILL),
        ([DOWN, DOWN], DOWN),
        ([NEW, NEW], NEW),
        ([NEW, DOWN], ILL),
    ],
)
def test_the_whole_is_as_well_as_its_parts(parts, whole):
    assert catalogue.overall(parts) is whole


def test_an_offer_has_the_price_in_force(db):
    offer("tiny")
    prices.publish(model="tiny", components={"input": Decimal(2), "output": Decimal(3)}, actor=SYSTEM)
    (found,) = catalogue.on_offer()
    assert found.rates == {"input": Decimal(2), "output": Decimal(3)}
    assert found.can_be_called


def test_a_free_model_can_be_called_and_one_without_a_price_cannot(db):
    offer("gratis", price=False)
    prices.publish(model="gratis", components={}, free=True, actor=SYSTEM)
    offer("unpriced", price=False)
    assert {found.model.id: found.can_be_called for found in catalogue.on_offer()} == {
        "gratis": True,
        "unpriced": False,
    }
