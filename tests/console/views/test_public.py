"""The landing page and the status page."""

import html
from datetime import timedelta
from decimal import Decimal

import pytest

from billing import prices
from foundation import clock
from inference.models import Replica
from tests.console.cast import offer, visitor
from tests.tenants.cast import SYSTEM


def text_of(address: str) -> str:
    """Return a public page as a visitor reads it."""
    return html.unescape(visitor().get(address).content.decode())


def test_the_landing_page_shows_models_with_prices_and_context(db):
    offer("tiny", context_length=131_072)
    page = text_of("/")
    assert "tiny" in page
    assert "128K" in page
    assert "$0.15" in page
    assert "$0.60" in page


def test_the_landing_page_has_examples_for_this_very_installation(db):
    offer("tiny")
    page = text_of("/")
    assert "curl http://testserver/v1/chat/completions" in page
    assert 'base_url="http://testserver/v1"' in page
    assert '"model": "tiny"' in page


def test_the_example_prefers_a_model_that_works(db):
    offer("aaa", state=Replica.State.UNHEALTHY)
    offer("zzz")
    assert '"model": "zzz"' in text_of("/")


def test_a_model_without_a_price_is_shown_as_one_that_cannot_be_called(db):
    offer("tiny", price=False)
    assert "No price yet" in text_of("/")


def test_a_model_that_is_charged_otherwise_says_how_and_is_no_example(db):
    offer("ear", price=False)
    prices.publish(model="ear", components={"seconds": Decimal(100)}, actor=SYSTEM)
    assert "$0.006 per minute" in text_of("/")
    offer("tiny")
    assert '"model": "tiny"' in text_of("/")


def test_an_empty_catalogue_says_who_fills_it(db):
    assert "No models yet" in text_of("/")
    assert "No models yet" in text_of("/status")


def test_models_that_are_not_on_offer_are_not_shown(db):
    offer("off", enabled=False)
    offer("gone", sunset_at=clock.now() - timedelta(days=1))
    page = text_of("/") + text_of("/status")
    assert "Off" not in page
    assert "Gone" not in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Replica.State.HEALTHY, "All models are operational"),
        (Replica.State.UNKNOWN, "Models are starting"),
        (Replica.State.UNHEALTHY, "No model is available"),
        (Replica.State.DRAINING, "No model is available"),
        (None, "No model is available"),
    ],
)
def test_the_status_page_says_whether_models_answer(db, state, words):
    offer("tiny", state=state)
    assert words in text_of("/status")


def test_the_status_page_tells_trouble_with_one_model_from_trouble_with_all(db):
    offer("well")
    offer("ill", state=Replica.State.UNHEALTHY)
    assert "Some models have trouble" in text_of("/status")


def test_public_pages_do_not_tell_where_the_engines_are(db):
    offer("tiny")
    assert "engines.internal" not in text_of("/") + text_of("/status")


def test_a_visitor_is_offered_to_sign_in_and_a_member_the_dashboard(ada):
    assert "/accounts/login/" in text_of("/")
    assert "Open dashboard" in ada.get("/").content.decode()


@pytest.mark.parametrize("page", ["/", "/status"])
def test_public_pages_take_no_post(db, page):
    assert visitor().post(page).status_code == 405
