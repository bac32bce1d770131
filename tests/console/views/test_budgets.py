"""Budgets are shown with what is spent of them."""

import pytest

from keys import limiting
from keys.effective import Limits
from tests.console.views.test_keys import text
from tests.inference.limits.cast import hold, rich, spend
from tests.keys.cast import inference_key
from tests.tenants import cast

HARD = Limits(budget_nusd=10**9, budget_window="day", budget_carries_over=True)


def test_the_page_of_a_key_shows_what_is_spent_and_reserved(acme, ada):
    key = inference_key(acme, name="Search", limits=HARD).key
    row = limiting.limits_of(key)
    assert row
    rich(acme)
    spend(row, 8 * 10**8)
    hold(row, 10**8)
    page = ada.get(f"/app/acme/keys/{key.public_id}/")
    words = text(page)
    assert "$0.80 of $1.00 per day 80 %" in words
    assert "$0.10 left. $0.10 reserved by requests in flight." in words
    assert 'aria-label="80 % spent"' in page.content.decode()


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (HARD, "Used up: requests are refused."),
        (Limits(budget_nusd=10**9, budget_window="lifetime", budget_mode="soft"), "Only notifies."),
        (Limits(budget_nusd=10**9, budget_window="5h", budget_mode="shadow"), "would have refused 0 requests."),
    ],
)
def test_the_overview_shows_the_budgets_of_projects(acme, ada, limits, said):
    rich(acme)
    spend(limiting.set_limits(target=cast.project(acme), limits=limits, actor=cast.SYSTEM), 10**9)
    words = text(ada.get("/app/acme/"))
    assert "100 %" in words
    assert said in words


def test_an_overview_without_budgets_has_no_such_part(acme, ada):
    assert "budgets-title" not in ada.get("/app/acme/").content.decode()


def test_a_new_key_may_have_a_budget_that_only_notifies(acme, ada):
    fields = {"name": "Web", "project": str(cast.project(acme).pk), "lifetime": "never", "budget": "2"}
    ada.post("/app/acme/keys/new/", fields | {"budget_mode": "soft", "budget_carries_over": "on"})
    row = limiting.limits_of(acme.api_keys.get())
    assert (row.budget_mode, row.budget_carries_over, row.budget_window) == ("soft", True, "month")
