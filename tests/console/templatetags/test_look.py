"""How things are written."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from console.templatetags import look
from foundation import clock
from keys.models import ApiKey
from tests.architecture import checkout


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1K"),
        (1049, "1.04K"),
        (12_345, "12.3K"),
        (999_999, "999K"),
        (4_560_000, "4.56M"),
        (12_000_000, "12M"),
        (7_000_000_000, "7B"),
    ],
)
def test_numbers_in_short(number, text):
    assert look.compact(number) == text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [(512, "512"), (8192, "8K"), (131_072, "128K"), (128_000, "128K"), (1_048_576, "1M"), (200_000, "200K")],
)
def test_context_lengths(tokens, text):
    assert look.context_length(tokens) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [(Decimal("0.150000000"), "$0.15"), (Decimal("0.0375"), "$0.0375"), (Decimal(1200), "$1,200.00"), ("", "–")],
)
def test_prices_are_written_exactly(dollars, text):
    assert look.rate(dollars) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(None, "–"), (0, "0 ms"), (999, "999 ms"), (1420, "1.42 s"), (61_005, "61.00 s")]
)
def test_durations(milliseconds, text):
    assert look.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1, seconds=5), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=2, hours=23), "3 days ago"),
        (-timedelta(days=75, seconds=1), "in 75 days"),
    ],
)
def test_times_by_how_long_ago(ago, text):
    assert look.ago(clock.now() - ago) == text


def test_what_never_was_was_never():
    assert look.ago(None) == "never"


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "Active"),
        ({"expires_at": timedelta(days=60)}, "Active"),
        ({"expires_at": timedelta(days=3)}, "Expires soon"),
        ({"expires_at": -timedelta(days=3)}, "Expired"),
        ({"expires_at": timedelta(hours=3), "replaced_by_id": "x"}, "Being replaced"),
        ({"expires_at": -timedelta(hours=3), "replaced_by_id": "x"}, "Replaced"),
        ({"revoked_at": -timedelta(hours=3)}, "Revoked"),
    ],
)
def test_the_state_of_a_key(facts, state):
    moved = {name: clock.now() + value if isinstance(value, timedelta) else value for name, value in facts.items()}
    assert look.key_state(ApiKey(**moved))["name"] == state


def test_an_icon_is_drawn_without_a_word_for_screen_readers():
    drawn = look.icon("key-round", "size-5")
    assert drawn.startswith('<svg class="icon size-5" aria-hidden="true"')
    assert "license" not in drawn


@pytest.mark.parametrize(("window", "text"), [("month", "per month"), ("lifetime", "in all"), ("5h", "per five hours")])
def test_windows_of_budgets(window, text):
    assert look.window(window) == text


def test_every_icon_of_the_templates_is_vendored_and_no_other():
    templates = checkout.ROOT / "templates"
    asked_for = {
        name for path in templates.rglob("*.html") for name in re.findall(r'{% icon "([^"]+)"', path.read_text())
    }
    assert asked_for == {path.stem for path in look.ICONS.glob("*.svg")}
