"""Changing an organisation."""

import pytest

from tenants import organizations
from tenants.errors import InvalidName
from tenants.models import AuditEvent
from tests.tenants import cast


def actions(of) -> list[str]:
    return list(AuditEvent.objects.for_organization(of).order_by("pk").values_list("action", flat=True))


def test_a_name_changes_and_the_slug_stays(acme):
    organizations.rename(organization=acme, name=" Acme Inc. ", actor=cast.SYSTEM)
    acme.refresh_from_db()
    assert (acme.name, acme.slug) == ("Acme Inc.", "acme")
    assert AuditEvent.objects.get(action="organization.renamed").facts == {"before": "Acme", "after": "Acme Inc."}


def test_a_time_zone_changes_and_the_gateways_hear_of_it(acme):
    organizations.move_to_time_zone(organization=acme, time_zone="Asia/Tokyo", actor=cast.SYSTEM)
    acme.refresh_from_db()
    assert (acme.time_zone, acme.config_version) == ("Asia/Tokyo", 2)


def test_an_unknown_time_zone_is_refused(acme):
    with pytest.raises(InvalidName):
        organizations.move_to_time_zone(organization=acme, time_zone="Atlantis/Center", actor=cast.SYSTEM)


def test_origins_are_allowed_and_the_gateways_hear_of_it(acme):
    organizations.allow_origins(
        organization=acme, origins=["https://B.test", "http://a.test:8080", "https://b.test"], actor=cast.SYSTEM
    )
    acme.refresh_from_db()
    assert (acme.allowed_origins, acme.config_version) == (["http://a.test:8080", "https://b.test"], 2)
    facts = AuditEvent.objects.get(action="organization.origins_changed").facts
    assert facts == {"before": [], "after": acme.allowed_origins}


def test_an_organization_is_suspended_and_resumed(acme):
    organizations.suspend(organization=acme, reason="fraud", actor=cast.SYSTEM)
    assert (acme.status, actions(acme)[-1]) == ("suspended", "organization.suspended")
    organizations.resume(organization=acme, reason="paid", actor=cast.SYSTEM)
    acme.refresh_from_db()
    assert (acme.status, acme.config_version, actions(acme)[-1]) == ("active", 3, "organization.resumed")


def test_suspending_twice_changes_nothing(acme):
    for _ in range(2):
        organizations.suspend(organization=acme, reason="fraud", actor=cast.SYSTEM)
    assert actions(acme).count("organization.suspended") == 1
