"""Every page of the admin opens, says what it should, and keeps the browser's policy."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group

from billing.models import LedgerTransaction, UsageRecord
from foundation import ids
from keys import planning
from keys.effective import Limits
from keys.models import ApiKey
from tenants.models import Organization
from tests.admin.cast import address, pages, text
from tests.tenants.cast import SYSTEM

ALL = [pytest.param(model, id=model._meta.label) for model, _ in pages()]


def test_what_operators_need_is_there_and_nothing_else():
    registered = {model._meta.label for model, _ in pages()}
    assert registered == {
        "auth.Group",
        "tenants.User",
        "tenants.Organization",
        "tenants.Project",
        "tenants.Membership",
        "tenants.AuditEvent",
        "keys.ApiKey",
        "keys.Plan",
        "keys.ScopeLimits",
        "billing.Purse",
        "billing.BudgetNotice",
        "billing.Hold",
        "billing.UsageRecord",
        "billing.LedgerTransaction",
        "billing.LedgerEntry",
        "billing.Price",
        "inference.Model",
        "inference.Pool",
        "inference.Deployment",
        "inference.Replica",
    }


@pytest.mark.parametrize("model", ALL)
def test_a_list_opens_with_all_its_filters_and_so_does_what_is_in_it(olu, furnished, model):
    planning.create(name="Pro", slug="pro", limits=Limits(rpm=60), actor=SYSTEM)
    Group.objects.create(name="Support")
    page = olu.get(address(model, "changelist")).content.decode()
    filters = {query.replace("&amp;", "&") for query in re.findall(r'href="(\?[^"]+)"', page)} - {"?"}
    searches = {"?q=nothing", "?q=org_" + "0" * 26, "?q=org_" + "z" * 26, "?q=%25"}
    for query in filters | searches:
        assert olu.get(address(model, "changelist") + query).status_code == 200, query
    (row, *_) = model._default_manager.order_by("pk")
    assert olu.get(address(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", ALL)
def test_what_can_be_added_has_a_form(olu, rf, operator, model):
    request = rf.get("/admin/")
    request.user = operator
    may = admin.site._registry[model].has_add_permission(request)
    assert olu.get(address(model, "add")).status_code == (200 if may else 403)


@pytest.mark.parametrize("model", [Organization, ApiKey, LedgerTransaction, UsageRecord])
def test_rows_are_found_by_their_public_ids(olu, furnished, model):
    rows = list(model._default_manager.order_by("pk")[:2])
    wanted, other = (ids.public("req", row.pk) if model is UsageRecord else row.public_id for row in rows)
    page = text(olu.get(address(model, "changelist"), {"q": wanted}))
    shown = olu.get(address(model, "changelist"), {"q": wanted}).content.decode()
    assert str(rows[0].pk) in shown
    assert str(rows[1].pk) not in shown
    assert other not in page


@pytest.mark.parametrize("model", ALL)
def test_somebody_from_the_staff_without_permission_sees_nothing(clerk, model):
    assert clerk.get(address(model, "changelist")).status_code == 403
    assert clerk.get(address(model, "add")).status_code == 403


def test_the_policy_is_relaxed_for_evaluating_only(olu, furnished):
    answer = olu.get("/admin/")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert "'unsafe-eval'" in policy["script-src"]
    assert "'unsafe-inline'" not in policy["script-src"]


def test_money_is_written_in_dollars(olu, furnished):
    assert "$40.00" in text(olu.get(address(Organization, "changelist")))


def test_the_start_page_shows_money_traffic_and_trouble(olu, furnished):
    page = text(olu.get("/admin/"))
    assert "Balance held $" in page
    assert "In flight $0.0433" in page
    assert "Replicas up 5 of 7 2 down, draining or unknown" in page
    assert "http://gpu-east-2.engines.internal:8000 of gpu-east failed 4 probes in a row" in page
    assert "Latest requests" in page


def test_the_start_page_of_an_empty_installation_has_no_complaints(olu):
    page = text(olu.get("/admin/"))
    assert "Nothing: all replicas answer" in page
    assert "No request was answered yet" in page
