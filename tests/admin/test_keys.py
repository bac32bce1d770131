"""The pages of keys, plans and limits."""

import pytest

from keys import limiting
from keys.effective import Limits
from keys.models import ApiKey, Plan, ScopeLimits
from tenants.models import AuditEvent
from tests.admin.cast import address, text
from tests.inference.limits.cast import rich, spend
from tests.keys.cast import inference_key
from tests.tenants import cast

NOTHING = "key_00000000000000000000000000"


def test_no_page_shows_a_secret_or_a_digest(olu, acme):
    issued = inference_key(acme, name="Web")
    digest = bytes(ApiKey.objects.get().digest)
    for page in (
        address(ApiKey, "changelist"),
        address(ApiKey, "change", issued.key.pk),
        f"/admin/tenants/organization/{acme.pk}/change/",
    ):
        shown = olu.get(page).content.decode()
        assert issued.key.display in shown
        assert issued.secret not in shown
        assert digest.hex() not in shown
        assert repr(digest)[2:20] not in shown


def test_revoking_takes_a_reason_and_goes_through_the_domain(olu, operator, acme):
    key = inference_key(acme).key
    assert olu.post(address(ApiKey, "revoke", key.pk), {"reason": ""}).status_code == 422
    assert olu.post(address(ApiKey, "revoke", key.pk), {"reason": "Leaked"}).status_code == 302
    key.refresh_from_db()
    assert key.revoked_reason == "Leaked"
    assert AuditEvent.objects.get(action="key.revoked").actor_label == operator.email
    version = acme.config_version
    acme.refresh_from_db()
    assert acme.config_version > version


def test_revoking_twice_says_so(olu, acme):
    key = inference_key(acme).key
    olu.post(address(ApiKey, "revoke", key.pk), {"reason": "Leaked"})
    assert "revoked already" in text(olu.post(address(ApiKey, "revoke", key.pk), {"reason": "Leaked"}))


def test_staff_without_permission_revoke_nothing(clerk, acme):
    key = inference_key(acme).key
    assert clerk.post(address(ApiKey, "revoke", key.pk), {"reason": "Leaked"}).status_code == 403
    key.refresh_from_db()
    assert key.revoked_at is None


def test_a_plan_of_the_platform_is_made_and_changed_by_the_domain(olu, acme):
    form = {
        "name": "Pro",
        "slug": "pro",
        "rpm": "60",
        "budget": "20.5",
        "budget_window": "month",
        "allowed_models": "a, b",
    }
    assert olu.post(address(Plan, "add"), form).status_code == 302
    plan = Plan.objects.get(slug="pro")
    assert limiting.of(plan) == Limits(
        rpm=60, budget_nusd=20_500_000_000, budget_window="month", allowed_models=frozenset({"a", "b"})
    )
    limiting.set_limits(target=acme, limits=Limits(), plan=plan, actor=cast.SYSTEM)
    acme.refresh_from_db()
    version = acme.config_version
    shown = olu.get(address(Plan, "change_limits", plan.pk)).content.decode()
    assert 'value="20.5"' in shown
    assert 'value="a, b"' in shown
    olu.post(address(Plan, "change_limits", plan.pk), {"rpm": "0"})
    plan.refresh_from_db()
    assert limiting.of(plan) == Limits(rpm=0)
    acme.refresh_from_db()
    assert acme.config_version > version
    assert AuditEvent.objects.filter(action="plan.changed").exists()


def test_a_budget_without_a_window_is_refused_at_its_field(olu):
    answer = olu.post(address(Plan, "add"), {"name": "Pro", "slug": "pro", "budget": "20"})
    assert answer.status_code == 422
    assert "A budget has an amount and a window" in text(answer)


@pytest.mark.parametrize("whose", ["organization", "project", "key"])
def test_limits_are_set_for_whatever_an_id_names(olu, acme, whose):
    target = {"organization": acme, "project": cast.project(acme), "key": inference_key(acme).key}[whose]
    form = {"target": target.public_id, "rpm": "7"}
    assert olu.post(address(ScopeLimits, "add"), form).status_code == 302
    row = ScopeLimits.objects.get(scope=whose)
    assert row.rpm == 7
    assert target.public_id in text(olu.get(address(ScopeLimits, "changelist")))
    olu.post(address(ScopeLimits, "change_limits", row.pk), {"concurrency": "3"})
    row.refresh_from_db()
    assert limiting.of(row) == Limits(concurrency=3)


@pytest.mark.parametrize("target", [NOTHING, "nonsense", "org_" + "z" * 26])
def test_limits_of_nothing_are_refused(olu, target):
    answer = olu.post(address(ScopeLimits, "add"), {"target": target, "rpm": "7"})
    assert answer.status_code == 422
    assert "There is no organization, project or key with this id" in text(answer)


def test_limits_wider_than_those_above_are_refused_at_their_field(olu, acme):
    limiting.set_limits(target=acme, limits=Limits(rpm=5), actor=cast.SYSTEM)
    answer = olu.post(address(ScopeLimits, "add"), {"target": cast.project(acme).public_id, "rpm": "6"})
    assert answer.status_code == 422
    assert "wider than the one above it" in text(answer)


def test_a_budget_is_set_with_its_kind_and_shown_with_what_is_spent(olu, acme):
    form = {"target": acme.public_id, "budget": "2", "budget_window": "day", "budget_mode": "shadow"}
    assert olu.post(address(ScopeLimits, "add"), form | {"budget_carries_over": "on"}).status_code == 302
    row = ScopeLimits.objects.get(scope="organization")
    assert (row.budget_mode, row.budget_carries_over) == ("shadow", True)
    rich(acme)
    spend(row, 5 * 10**8)
    page = olu.get(address(ScopeLimits, "change", row.pk))
    assert "$0.50 of $2.00 (25 %), until" in text(page)
    assert '<progress max="2000000000" value="500000000">' in page.content.decode()
    assert "$2.00 per Day (shadow), carries over" in text(page)
