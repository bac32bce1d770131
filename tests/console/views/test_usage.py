"""Overview and usage."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest

from foundation import ids
from tenants.models import Role
from tests.console.cast import bill, credit, hold, settle, visitor
from tests.keys.cast import inference_key
from tests.tenants import cast

HOUR = timedelta(hours=1)


def text_of(someone, address: str) -> str:
    """Return a page's words, each run of blanks as one."""
    answer = someone.get(address)
    assert answer.status_code == 200
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", html.unescape(words))


def test_the_overview_shows_what_is_in_flight_apart_from_the_balance(acme, ada, key):
    credit(acme, "10")
    settle(bill(key, cost="2.5"))
    hold(key, "1.25")
    page = text_of(ada, "/app/acme/")
    assert "Balance $7.50 $1.25 in flight, $6.25 free" in page


def test_the_overview_sums_up_the_last_month(acme, ada, key):
    credit(acme, "10")
    settle(bill(key, cost="2"), bill(key, cost="1", ago=5 * HOUR), bill(key, ago=HOUR, outcome="timeout"))
    page = text_of(ada, "/app/acme/")
    assert "Spend, last 30 days $3.00" in page
    assert "Requests, last 30 days 3 1 failed, not charged" in page


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.VIEWER])
def test_the_balance_is_shown_to_those_only_who_may_see_money(acme, role):
    credit(acme, "10")
    assert "Balance" not in text_of(visitor(cast.member(acme, role)), "/app/acme/")


def test_an_empty_wallet_says_what_to_do(ada):
    assert "Nothing left: ask an operator for credit" in text_of(ada, "/app/acme/")


def test_the_overview_of_a_newcomer_says_how_to_make_the_first_request(ada):
    page = text_of(ada, "/app/acme/")
    assert "Make the first request" in page
    assert "Create an API key" in page
    assert "curl http://testserver/v1/chat/completions" in page


def test_a_viewer_is_not_told_to_create_a_key(viewer):
    page = text_of(viewer, "/app/acme/")
    assert "Create an API key" not in page
    assert "New API key" not in page
    assert "Ask a developer or an admin" in page


def test_a_request_is_shown_with_all_that_is_known_of_it(acme, ada, key):
    credit(acme, "10")
    tokens: dict[str, Any] = {"prompt_tokens": 1234, "completion_tokens": 56}
    settle(bill(key, cost="0.0421", model="tiny-large", ttft_ms=87, latency_ms=1420, **tokens))
    page = text_of(ada, "/app/acme/")
    assert "tiny-large Search Complete streamed 1,234 56 87 ms 1.42 s $0.0421" in page


def test_a_request_that_was_charged_otherwise_shows_its_quantity(acme, ada, key):
    settle(bill(key, cost="0.0090", model="ear", unit="seconds", quantity=90))
    assert "ear Search Complete streamed 90 seconds" in text_of(ada, "/app/acme/")


def test_times_are_those_of_the_organization(acme, ada, key):
    acme.time_zone = "Asia/Tokyo"
    acme.save()
    (request,) = settle(bill(key))
    local = ids.timestamp_of(request) + 9 * HOUR
    assert f"{local:%H:%M:%S}" in text_of(ada, "/app/acme/")


def test_usage_of_another_organization_is_not_shown(ada, key, globex):
    theirs = inference_key(globex, name="Theirs").key
    settle(bill(theirs, model="secret-model"))
    page = text_of(ada, "/app/acme/usage/")
    assert "secret-model" not in page
    assert "Theirs" not in page
    assert "No requests in this period" in page


@pytest.mark.parametrize("period", ["24h", "7d", "30d", "nonsense"])
@pytest.mark.parametrize("metric", ["cost", "tokens", "requests", "nonsense"])
def test_usage_can_be_looked_at_from_all_sides(acme, ada, key, period, metric):
    credit(acme, "10")
    settle(bill(key, cost="1.5"))
    page = text_of(ada, f"/app/acme/usage/?period={period}&metric={metric}")
    assert "By model Model Requests Tokens Cost tiny 1 120 $1.50" in page


def test_usage_before_the_period_does_not_count(ada, key):
    settle(bill(key, ago=timedelta(days=9)))
    assert "Requests 0" in text_of(ada, "/app/acme/usage/?period=7d")
    assert "Requests 1" in text_of(ada, "/app/acme/usage/?period=30d")


def test_usage_without_cost_says_so(ada, key):
    settle(bill(key))
    assert "Nothing was charged in this period" in text_of(ada, "/app/acme/usage/?metric=cost")


def test_older_requests_are_a_page_away(ada, key):
    requests = settle(*[bill(key, ago=HOUR + timedelta(minutes=number), latency_ms=number) for number in range(52)])
    first = ada.get("/app/acme/usage/").content.decode()
    assert first.count("<time") == 50
    assert f"before={ids.public('req', requests[49])}" in first
    rest = ada.get(f"/app/acme/usage/?before={ids.public('req', requests[49])}").content.decode()
    assert rest.count("<time") == 2
    assert "Older requests" not in rest


def test_a_page_that_cannot_be_is_not_there(ada):
    assert ada.get("/app/acme/usage/?before=nonsense").status_code == 404


def test_somebody_who_may_not_see_keys_sees_usage_without_their_names(acme, key):
    settle(bill(key))
    page = text_of(visitor(cast.member(acme, Role.BILLING)), "/app/acme/usage/")
    assert "Search" not in page
    assert key.public_id in page
