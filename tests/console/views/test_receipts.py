"""The receipt behind each request of the list."""

import json
from uuid import UUID

import pytest
from django.urls import reverse

from billing import receipts
from billing.models import Hold
from foundation import ids
from foundation.signing import Signer
from tenants.models import Role
from tests.console.cast import bill, credit, hold, offer, settle, visitor
from tests.console.views.test_keys import text
from tests.foundation.test_signing import verify
from tests.keys.cast import inference_key
from tests.tenants import cast

UNKNOWN = "req_01m8d6ghwne2rvay2ej0dbtzx4"


def address(request_id: str, page: str = "receipt") -> str:
    return reverse(f"console:{page}", args=["acme", request_id])


def document(who, request_id: str) -> dict:
    return json.loads(who.get(address(request_id, "receipt_document")).content)


@pytest.fixture
def charged(acme, key) -> str:
    credit(acme, "10")
    settle(made := bill(key, cost="2.5"))
    return ids.public("req", UUID(made["request"]))


def test_the_list_leads_to_the_receipt_and_that_to_the_signed_document(ada, charged, settings):
    assert f'href="{address(charged)}"' in ada.get("/app/acme/usage/").content.decode()
    page = ada.get(address(charged)).content.decode()
    assert f'href="{address(charged, "receipt_document")}"' in page
    found = document(ada, charged)
    keys = Signer(settings.RECEIPT_SIGNING_KEY, [], receipts.PURPOSE).keys
    assert verify(found["jws"], keys) == found["receipt"]
    assert (found["status"], found["receipt"]["charge_nano_usd"]) == ("final", 2_500_000_000)


def test_a_request_that_runs_says_so(ada, acme, key):
    credit(acme, "10")
    hold(key, "1.25")
    request_id = ids.public("req", Hold.objects.get().request_id)
    assert document(ada, request_id)["status"] == "in_progress"
    assert "This request is still running" in text(ada.get(address(request_id)))


def test_the_page_says_what_was_held_and_charged_and_what_the_charge_is_made_of(acme, ada):
    offer("tiny")
    credit(acme, "10")
    key = inference_key(acme, name="Search").key
    made = bill(key, cost="0.45", customer="umbrella", prompt_tokens=1_000_000, completion_tokens=500_000)
    settle(made)
    page = text(ada.get(address(ids.public("req", UUID(made["request"])))))
    assert "Reserved before it started $0.45" in page
    assert "Input 1,000,000 $0.15 per million input tokens $0.15" in page
    assert "Output 500,000 $0.60 per million output tokens $0.30" in page
    assert "In all, rounded once $0.45" in page
    assert "Pool pool-tiny" in page
    assert "First token after 120 ms Ended after 900 ms" in page
    assert "API key Search Project Default End customer umbrella" in page


def test_what_was_charged_but_is_no_sum_of_rates_is_not_called_free(ada, charged):
    page = text(ada.get(address(charged)))
    assert "$2.50, which is not the sum of the rates" in page
    assert "cost nothing" not in page


def test_a_role_that_sees_no_keys_sees_the_id_of_the_key(acme, key, charged):
    page = text(visitor(cast.member(acme, Role.BILLING)).get(address(charged)))
    assert key.public_id in page
    assert "Search" not in page


@pytest.mark.parametrize("page", ["receipt", "receipt_document"])
def test_another_organizations_looks_like_none(ada, globex, page):
    credit(globex, "10")
    settle(made := bill(inference_key(globex).key, cost="1"))
    theirs = ada.get(address(ids.public("req", UUID(made["request"])), page))
    unknown = ada.get(address(UNKNOWN, page))
    assert theirs.status_code == unknown.status_code == ada.get(address("nonsense", page)).status_code == 404
    assert theirs.content == unknown.content


def test_it_takes_the_right_to_see_usage(acme, charged):
    for role in Role:
        someone = visitor(cast.member(acme, role))
        allowed = someone.get("/app/acme/usage/").status_code
        assert someone.get(address(charged)).status_code == allowed
