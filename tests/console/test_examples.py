"""The first call that pages show."""

from django.test import RequestFactory

from console import catalogue, examples
from inference.models import Replica
from tests.console.cast import offer

REQUEST = RequestFactory().get("/", headers={"host": "testserver"})


def test_without_any_model_the_example_has_a_place_for_one(db):
    assert examples.first_call(REQUEST, []).model == examples.NO_MODEL


def test_a_model_that_is_down_is_better_than_none(db):
    offer("down", state=Replica.State.UNHEALTHY)
    offer("unpriced", price=False)
    assert examples.first_call(REQUEST, catalogue.on_offer()).model == "down"


def test_an_example_does_not_show_its_secret_when_printed(db):
    assert "tpk_live" not in repr(examples.first_call(REQUEST, [], key="tpk_live_x"))
