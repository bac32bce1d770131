"""Noting in the audit trail that keys have come to their end."""

from datetime import timedelta

import pytest
import time_machine

from foundation import clock
from keys import expiring, issuing, tasks
from keys.models import ApiKey
from tenants.models import AuditEvent
from tests.keys.cast import inference_key
from tests.tenants import cast


@pytest.fixture
def later():
    """Two hours from now."""
    with time_machine.travel(clock.now() + timedelta(hours=2)):
        yield


@pytest.fixture
def short_lived(acme) -> ApiKey:
    return inference_key(acme, expires_at=clock.now() + timedelta(hours=1)).key


def noted() -> list[str]:
    return list(AuditEvent.objects.filter(action="key.expired").values_list("target_id", flat=True))


def test_a_key_is_noted_once(short_lived, later):
    assert [expiring.note_expired(), expiring.note_expired()] == [1, 0]
    assert noted() == [short_lived.public_id]


def test_keys_of_all_organizations_are_found_without_a_scope(short_lived, later):
    cast.leave_scope()
    assert expiring.note_expired() == 1


def test_the_note_names_the_key_and_the_job(acme, short_lived, later):
    expiring.note_expired()
    event = AuditEvent.objects.get(action="key.expired")
    assert (event.target_id, event.actor_label, event.organization) == (short_lived.public_id, "expire_keys", acme)


def test_the_gateways_hear_of_it_once_for_each_organization(acme, globex, later):
    with time_machine.travel(clock.now() - timedelta(hours=2)):
        for organization in (acme, acme, globex):
            inference_key(organization, expires_at=clock.now() + timedelta(hours=1))
    assert expiring.note_expired() == 3
    for organization in (acme, globex):
        organization.refresh_from_db()
        assert organization.config_version == 2


def test_a_key_that_still_works_is_left_alone(short_lived):
    assert expiring.note_expired() == 0


def test_a_key_that_was_revoked_before_is_left_alone(short_lived, later):
    issuing.revoke(key=short_lived, reason="leaked", actor=cast.SYSTEM)
    assert expiring.note_expired() == 0


def test_one_run_takes_a_batch_and_leaves_the_rest(acme, later):
    with time_machine.travel(clock.now() - timedelta(hours=2)):
        for _ in range(3):
            inference_key(acme, expires_at=clock.now() + timedelta(hours=1))
    assert [expiring.note_expired(2), expiring.note_expired(2)] == [2, 1]


def test_the_job_goes_by_the_name_in_the_schedule(short_lived, later):
    assert tasks.expire_keys.name == "keys.tasks.expire_keys"
    assert tasks.expire_keys() == 1
    assert noted() == [short_lived.public_id]
