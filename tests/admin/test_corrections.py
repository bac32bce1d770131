"""A corrected price in the admin: the dry run first, then the differences, once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing import prices, reconciliation, wallet
from billing.models import Correction, Price
from foundation import clock
from foundation.money import nano
from tenants.models import AuditEvent
from tests.admin.cast import address, text
from tests.console.cast import bill, credit, settle
from tests.keys.cast import inference_key
from tests.tenants import cast

HOUR = timedelta(hours=1)


def publish(rate: str, *, hours_ago: int) -> Price:
    components = {"input": Decimal(rate), "output": Decimal(0)}
    starts = clock.now() - hours_ago * HOUR
    return prices.publish(model="tiny", components=components, effective_from=starts, actor=cast.SYSTEM)


@pytest.fixture
def charged(acme) -> Price:
    """A version that halves what a request of the last hour was charged by the one before."""
    publish("1", hours_ago=9)
    credit(acme, "10")
    settle(bill(inference_key(acme).key, ago=HOUR, cost="1", prompt_tokens=1_000_000, completion_tokens=0))
    return publish("0.5", hours_ago=2)


def test_a_dry_run_names_each_organization_and_writes_nothing(olu, acme, charged):
    page = text(olu.get(address(Price, "rerate", charged.pk)))
    assert "A dry run: nothing is posted yet." in page
    assert "in all -$0.50." in page
    assert "Acme: 1 requests, charged $1.00, corrected $0.50, still to post -$0.50." in page
    assert not Correction.objects.exists()
    assert wallet.balance(acme.pk).posted_nusd == nano("9")


def test_a_confirmed_correction_is_posted_once_in_the_operators_name(olu, operator, acme, charged):
    for _ in range(2):
        olu.post(address(Price, "rerate", charged.pk))
    assert wallet.balance(acme.pk).posted_nusd == nano("9.5")
    assert Correction.objects.count() == 1
    assert AuditEvent.objects.get(action="usage.rerated").actor_label == operator.email
    assert reconciliation.verify() == []


def test_where_there_is_nothing_to_correct_it_is_said(olu, acme):
    price = publish("1", hours_ago=2)
    page = text(olu.get(address(Price, "rerate", price.pk), follow=True))
    assert "Nothing to correct: the requests of tiny since then are charged by the present prices." in page


def test_too_many_requests_are_left_to_the_command(olu, acme, charged, monkeypatch):
    monkeypatch.setattr("inference.admin.MOST_CORRECTED", 0)
    assert "use manage.py rerate" in text(olu.post(address(Price, "rerate", charged.pk), follow=True))
    assert not Correction.objects.exists()


def test_it_takes_the_permission_to_publish_prices(clerk, charged):
    assert clerk.post(address(Price, "rerate", charged.pk)).status_code == 403
    assert not Correction.objects.exists()
