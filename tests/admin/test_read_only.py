"""What the books say cannot be changed in the admin, whatever a browser sends."""

import pytest

from billing.models import BudgetNotice, Hold, LedgerEntry, LedgerTransaction, Price, PriceComponent, Purse, UsageRecord
from keys.models import ApiKey, Plan, ScopeLimits
from tenants.models import AuditEvent, Membership, Organization, Project
from tests.admin.cast import address

BOOKS = [LedgerTransaction, LedgerEntry, UsageRecord, Hold, Purse, BudgetNotice, AuditEvent, Price]
BY_ACTIONS = [ApiKey, Plan, ScopeLimits, Organization, Project, Membership]


@pytest.mark.parametrize("model", BOOKS + BY_ACTIONS)
def test_nothing_is_written_by_a_form_and_nothing_deleted(olu, furnished, model):
    before = list(model._default_manager.order_by("pk").values())
    for row in model._default_manager.order_by("pk")[:2]:
        fields = {"name": "Evil", "amount_nusd": "1", "memo": "Evil", "role": "owner", "cost_nusd": "0"}
        assert olu.post(address(model, "change", row.pk), fields).status_code == 403
        assert olu.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert list(model._default_manager.order_by("pk").values()) == before


@pytest.mark.parametrize("model", BOOKS[:-1])
def test_nothing_is_added_to_the_books(olu, furnished, model):
    assert olu.post(address(model, "add"), {}).status_code == 403


@pytest.mark.parametrize("model", BOOKS + BY_ACTIONS)
def test_the_action_of_django_that_deletes_is_not_there(olu, furnished, model):
    rows = [str(row.pk) for row in model._default_manager.all()]
    action = {"action": "delete_selected", "_selected_action": rows, "post": "yes"}
    olu.post(address(model, "changelist"), action)
    assert model._default_manager.count() == len(rows)


def test_a_published_price_is_never_changed(olu, furnished):
    price = Price.objects.get(model="llama-4-scout")
    components = list(PriceComponent.objects.order_by("pk").values())
    form = {"components-TOTAL_FORMS": "1", "components-0-kind": "input", "components-0-usd_per_million": "0"}
    assert olu.post(address(Price, "change", price.pk), form).status_code == 403
    assert list(PriceComponent.objects.order_by("pk").values()) == components
