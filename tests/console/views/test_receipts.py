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
from tests.console.cast import bill, credit, hold, settle, visitor
from tests.foundation.test_signing import verify
from tests.keys.cast import inference_key
from tests.tenants import cast

UNKNOWN = "req_01m8d6ghwne2rvay2ej0dbtzx4"


def address(request_id: str) -> str:
    return reverse("console:receipt", args=["acme", request_id])


@pytest.fixture
def charged(acme, key) -> str:
    credit(acme, "10")
    settle(made := bill(key, cost="2.5"))
    return ids.public("req", UUID(made["request"]))


def test_the_list_leads_to_a_signed_receipt(ada, charged, settings):
    assert f'href="{address(charged)}"' in ada.get("/app/acme/usage/").content.decode()
    found = json.loads(ada.get(address(charged)).content)
    keys = Signer(settings.RECEIPT_SIGNING_KEY, [], receipts.PURPOSE).keys
    assert verify(found["jws"], keys) == found["receipt"]
    assert (found["status"], found["receipt"]["charge_nano_usd"]) == ("final", 2_500_000_000)


def test_a_request_that_runs_says_so(ada, acme, key):
    credit(acme, "10")
    hold(key, "1.25")
    request_id = ids.public("req", Hold.objects.get().request_id)
    assert json.loads(ada.get(address(request_id)).content)["status"] == "in_progress"


def test_another_organizations_looks_like_none(ada, globex):
    credit(globex, "10")
    settle(made := bill(inference_key(globex).key, cost="1"))
    theirs, unknown = ada.get(address(ids.public("req", UUID(made["request"])))), ada.get(address(UNKNOWN))
    assert theirs.status_code == unknown.status_code == ada.get(address("nonsense")).status_code == 404
    assert theirs.content == unknown.content


def test_it_takes_the_right_to_see_usage(acme, charged):
    for role in Role:
        someone = visitor(cast.member(acme, role))
        allowed = someone.get("/app/acme/usage/").status_code
        assert someone.get(address(charged)).status_code == allowed
