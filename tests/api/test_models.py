"""Models on offer and their prices: public facts, for whoever has a credential."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from billing import prices
from foundation import clock
from inference.models import Model
from tests.api import world
from tests.tenants import cast


def test_a_model_comes_with_its_price_and_whether_it_answers(by_key):
    world.offer("meta/llama")
    shown = by_key.get("models/meta/llama")
    assert (shown["id"], shown["context_length"], shown["availability"]) == ("meta/llama", 4096, "operational")
    assert (shown["price"]["version"], shown["price"]["free"]) == (1, False)
    assert {
        rate["kind"]: (rate["per_million_nano_usd"], rate["per_million_usd"]) for rate in shown["price"]["rates"]
    } == {
        "input": (150_000_000, "0.150000000"),
        "output": (600_000_000, "0.600000000"),
    }
    assert [rate["text"] for rate in shown["price"]["rates"]] == [
        "$0.15 per million input tokens",
        "$0.60 per million output tokens",
    ]
    assert by_key.get("models")["data"] == [shown]


@pytest.mark.parametrize("name", ["nothing", "sim%00", "..%2f", "alias"])
def test_other_names_are_not_found(by_key, name):
    model = world.offer()
    Model.objects.filter(pk=model.pk).update(aliases=["alias"])
    assert by_key("GET", f"models/{name}").status_code == 404


@pytest.mark.parametrize("facts", [{"enabled": False}, {"sunset_at": clock.now() - timedelta(days=1)}])
def test_models_that_are_gone_are_not_found(by_key, facts):
    Model.objects.filter(pk=world.offer().pk).update(**facts)
    assert by_key("GET", "models/sim").status_code == 404
    assert by_key.get("models")["data"] == []


def test_a_model_without_a_price_says_so(by_key):
    Model.objects.create(id="new", display_name="New", context_length=1, max_output_tokens=1)
    shown = by_key.get("models/new")
    assert (shown["price"], shown["availability"]) == (None, "unavailable")


def test_the_price_in_force_is_the_latest_that_has_started(by_key):
    world.offer()
    for days, rate in ((-2, "1"), (2, "9")):
        prices.publish(
            model="sim",
            components={"output": Decimal(rate)},
            actor=cast.SYSTEM,
            effective_from=clock.now() + timedelta(days=days),
        )
    [price] = by_key.get("prices")["data"]
    assert (price["model"], price["version"]) == ("sim", 1)


def test_a_free_model_costs_nothing_and_says_so(by_key):
    prices.publish(model="gift", components={}, actor=cast.SYSTEM, free=True)
    [price] = by_key.get("prices")["data"]
    assert (price["free"], price["rates"]) == (True, [])
