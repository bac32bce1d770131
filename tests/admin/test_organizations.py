"""The page of an organisation: founding, credit, settings, suspension."""

import pytest
from django.contrib.auth.models import Permission

from billing import reconciliation, wallet
from billing.models import LedgerTransaction, Purse
from foundation.money import nano
from keys import limiting
from keys.effective import Limits
from keys.models import ScopeLimits
from tenants.models import AuditEvent, Membership, Organization, User
from tests.admin.cast import address, text
from tests.console.cast import credit, visitor
from tests.tenants import cast


def adjust(someone, organization, **fields):
    """Send the form that adjusts credit."""
    form = {"amount": "5", "reason": "Goodwill", **fields}
    return someone.post(address(Organization, "adjust_credit", organization.pk), form)


def test_adjusting_credit_moves_the_ledger_once_and_names_who_and_why(olu, operator, acme):
    credit(acme, "10")
    answer = adjust(olu, acme, amount="-2.000000001", reason="Counted twice")
    assert answer.status_code == 302
    assert wallet.balance(acme.pk).posted_nusd == nano("7.999999999")
    moved = LedgerTransaction.objects.get(kind="adjustment")
    assert sum(moved.entries.values_list("amount_nusd", flat=True)) == 0
    assert (moved.memo, moved.actor) == ("Counted twice", operator.email)
    event = AuditEvent.objects.get(action="wallet.adjustment")
    assert (event.actor_label, event.target_id, event.organization) == (operator.email, moved.public_id, acme)
    assert event.facts["amount_nusd"] == nano("-2.000000001")
    assert reconciliation.verify() == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"reason": ""}, "This field is required"),
        ({"reason": "   "}, "This field is required"),
        ({"amount": "0"}, "must not be zero"),
        ({"amount": ""}, "This field is required"),
        ({"amount": "NaN"}, "Enter a number"),
        ({"amount": "1e999"}, "Ensure that there are no more than"),
        ({"amount": "0.0000000001"}, "decimal places"),
        ({"amount": "1000000.01"}, "at most $1,000,000.00"),
    ],
)
def test_an_adjustment_that_makes_no_sense_moves_nothing(olu, acme, fields, problem):
    answer = adjust(olu, acme, **fields)
    assert answer.status_code == 422
    assert problem in text(answer)
    assert not LedgerTransaction.objects.exists()


def test_staff_need_the_permission_to_move_money(acme):
    someone = cast.person("Clerk", is_staff=True)
    someone.user_permissions.set(Permission.objects.filter(content_type__app_label="tenants"))
    assert adjust(visitor(someone), acme).status_code == 403
    someone.user_permissions.add(Permission.objects.get(codename="add_ledgertransaction"))
    assert adjust(visitor(User.objects.get(pk=someone.pk)), acme).status_code == 302


def test_an_organization_that_never_had_a_wallet_gets_one(olu, acme):
    adjust(olu, acme, amount="3")
    assert wallet.balance(acme.pk).posted_nusd == nano("3")


def test_nobody_adjusts_what_is_not_there(olu):
    address_of_nothing = address(Organization, "adjust_credit", "01a1fd8d-4dc3-7cf4-a691-737632b70227")
    assert olu.get(address_of_nothing).status_code == 404
    assert olu.get(address(Organization, "adjust_credit", "nonsense")).status_code == 404


def test_founding_makes_a_project_a_wallet_and_an_owner(olu):
    owner = cast.person("Nia")
    form = {"name": "Initech", "slug": "initech", "time_zone": "Europe/Berlin", "owner": str(owner.pk)}
    assert olu.post(address(Organization, "add"), form).status_code == 302
    made = Organization.objects.get(slug="initech")
    assert made.projects.get().slug == "default"
    assert Membership.objects.get(organization=made).user == owner
    assert Purse.objects.filter(pk=made.pk).exists()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"slug": "acme"}, "This short name is taken"),
        ({"slug": "No Spaces"}, "lower-case letters"),
        ({"time_zone": "Mars/Olympus"}, "There is no such time zone"),
    ],
)
def test_a_founding_that_cannot_be_says_why_at_the_field(olu, acme, fields, problem):
    form = {"name": "Initech", "slug": "initech", "time_zone": "UTC", **fields}
    answer = olu.post(address(Organization, "add"), form)
    assert answer.status_code == 422
    assert problem in text(answer)
    assert Organization.objects.count() == 1


def test_suspending_and_resuming_take_a_reason_and_are_offered_in_turn(olu, acme):
    page = text(olu.get(address(Organization, "change", acme.pk)))
    assert ("Suspend" in page, "Resume" in page) == (True, False)
    olu.post(address(Organization, "suspend", acme.pk), {"reason": "Unpaid"})
    acme.refresh_from_db()
    assert acme.status == Organization.Status.SUSPENDED
    page = text(olu.get(address(Organization, "change", acme.pk)))
    assert ("Suspend " in page, "Resume" in page) == (False, True)
    olu.post(address(Organization, "resume", acme.pk), {"reason": "Paid"})
    acme.refresh_from_db()
    assert acme.status == Organization.Status.ACTIVE
    assert AuditEvent.objects.get(action="organization.suspended").facts == {"reason": "Unpaid"}


def test_settings_change_name_and_time_zone_and_tell_the_gateways(olu, acme):
    version = acme.config_version
    olu.post(
        address(Organization, "change_settings", acme.pk),
        {"name": "Acme Inc", "time_zone": "Asia/Tokyo", "allowed_origins": "https://a.test\r\nhttps://b.test\r\n"},
    )
    acme.refresh_from_db()
    assert (acme.name, acme.time_zone, acme.slug) == ("Acme Inc", "Asia/Tokyo", "acme")
    assert acme.allowed_origins == ["https://a.test", "https://b.test"]
    assert acme.config_version > version


def test_limits_lead_to_those_it_has_or_to_new_ones(olu, acme):
    go = olu.get(address(Organization, "set_limits", acme.pk))
    assert go.headers["location"] == f"/admin/keys/scopelimits/add/?target={acme.public_id}"
    row = limiting.set_limits(target=acme, limits=Limits(rpm=5), actor=cast.SYSTEM)
    go = olu.get(address(Organization, "set_limits", acme.pk))
    assert go.headers["location"] == address(ScopeLimits, "change", row.pk)
