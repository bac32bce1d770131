"""What the form of a new key makes of what was filled in."""

from datetime import UTC, datetime

import pytest

from console.forms import KeyForm, blame
from keys.effective import Limits
from keys.errors import InvalidLimit
from tests.tenants import cast


@pytest.fixture
def fill(acme):
    def fill(**fields):
        form = KeyForm(acme, {"name": "Web", "project": cast.project(acme).pk, "lifetime": "never", **fields})
        form.is_valid()
        return form

    return fill


def test_a_key_lives_to_the_end_of_its_last_day_where_the_organization_is(acme, fill):
    acme.time_zone = "America/New_York"
    form = fill(lifetime="date", expires_on="2031-03-31")
    assert form.expires_at() == datetime(2031, 4, 1, 4, tzinfo=UTC)


def test_nothing_filled_in_is_no_limit_at_all(fill):
    assert fill().limits() is None


def test_a_zero_is_a_limit(fill):
    assert fill(rpm="0").limits() == Limits(rpm=0)
    assert fill(budget="0").limits() == Limits(budget_nusd=0, budget_window="month")


def test_a_budget_is_exact_to_the_nano_dollar(fill):
    assert fill(budget="0.000000001", budget_window="day").limits() == Limits(budget_nusd=1, budget_window="day")


@pytest.mark.parametrize(("fields", "is_open"), [({}, False), ({"rpm": "5"}, True), ({"budget": "x"}, True)])
def test_the_part_with_limits_is_shown_open_if_it_was_used(fill, fields, is_open):
    assert fill(**fields).has_limits is is_open


@pytest.mark.parametrize(("param", "field"), [("rpm", "rpm"), ("budget_nusd", "budget"), ("nonsense", "__all__")])
def test_a_refusal_of_the_domain_is_shown_where_it_belongs(fill, param, field):
    form = fill()
    blame(form, InvalidLimit("No.", param=param))
    assert form.errors[field] == ["No."]
