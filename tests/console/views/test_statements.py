"""The pages of statements."""

import pytest

from foundation import clock
from tests.console.cast import bill, credit, settle
from tests.console.views.test_usage import text_of


@pytest.fixture
def month() -> str:
    return f"{clock.now():%Y-%m}"


def test_months_are_listed_with_what_they_opened_and_closed_with(acme, ada, key):
    credit(acme, "10")
    settle(bill(key, cost="2.5"))
    page = text_of(ada, "/app/acme/statements/")
    assert f"{clock.now():%B %Y} so far $0.00 $10.00 -$2.50 $0.00 $7.50" in page


def test_a_month_says_what_was_used_by_model(acme, ada, key, month):
    credit(acme, "10")
    settle(bill(key, cost="2", model="large"), bill(key, cost="0.5", model="small"), bill(key, outcome="timeout"))
    page = text_of(ada, f"/app/acme/statements/{month}/")
    assert "Opening balance $0.00 Credits $10.00 Usage -$2.50 Corrections $0.00 Closing balance $7.50" in page
    assert page.index("large 1") < page.index("small 1")


def test_who_has_no_money_yet_is_told_when_statements_begin(ada):
    assert "The first statement begins with the first credit." in text_of(ada, "/app/acme/statements/")


def test_a_month_without_a_statement_is_not_found(ada):
    assert ada.get("/app/acme/statements/2020-01/").status_code == 404
