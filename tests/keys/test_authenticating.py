"""Who is behind a key, for the management API."""

from datetime import timedelta

import pytest
import time_machine

from foundation import clock
from keys import authenticating, formats, issuing
from keys.errors import InvalidApiKey, KeyExpired, KeyRevoked
from keys.models import ApiKey
from tenants import isolation, organizations, projects
from tenants.errors import OrganizationSuspended, ProjectArchived
from tenants.roles import Right
from tests.keys.cast import inference_key, management_key
from tests.tenants import cast


def authenticate(secret: str, kind: ApiKey.Kind = ApiKey.Kind.MANAGEMENT) -> ApiKey:
    return authenticating.authenticate(secret, kind)


def test_a_good_key_is_found_without_a_scope_and_leaves_none(acme):
    issued = management_key(acme)
    cast.leave_scope()
    key = authenticate(issued.secret)
    assert (key, key.organization) == (issued.key, acme)
    assert isolation.current() == ""


@pytest.mark.parametrize("secret", ["", "tpm_live_", "hello", "tpm_live_" + "0" * 36])
def test_what_is_no_key_is_refused_without_a_query(secret, django_assert_num_queries, db):
    with django_assert_num_queries(0), pytest.raises(InvalidApiKey):
        authenticate(secret)


def test_an_unknown_key_is_refused(db):
    with pytest.raises(InvalidApiKey):
        authenticate(formats.mint("management", "live"))


def test_a_key_of_the_other_kind_is_refused(acme):
    with pytest.raises(InvalidApiKey):
        authenticate(inference_key(acme).secret)
    with pytest.raises(InvalidApiKey):
        authenticate(management_key(acme).secret, ApiKey.Kind.INFERENCE)


def test_a_revoked_key_is_refused(acme):
    issued = management_key(acme)
    issuing.revoke(key=issued.key, reason="leaked", actor=cast.SYSTEM)
    with pytest.raises(KeyRevoked):
        authenticate(issued.secret)


def test_an_expired_key_is_refused(acme):
    issued = management_key(acme, expires_at=clock.now() + timedelta(hours=1))
    with time_machine.travel(clock.now() + timedelta(hours=2)), pytest.raises(KeyExpired):
        authenticate(issued.secret)


def test_the_keys_of_a_suspended_organization_are_refused(acme):
    issued = management_key(acme)
    organizations.suspend(organization=acme, reason="fraud", actor=cast.SYSTEM)
    with pytest.raises(OrganizationSuspended):
        authenticate(issued.secret)


def test_the_keys_of_an_archived_project_are_refused(acme):
    issued = inference_key(acme)
    projects.archive(project=cast.project(acme), actor=cast.SYSTEM)
    with pytest.raises(ProjectArchived):
        authenticate(issued.secret, ApiKey.Kind.INFERENCE)


def test_the_last_use_is_noted_at_most_once_a_minute(acme):
    issued = management_key(acme)
    first = clock.now()
    for seconds in (0, 30, 59):
        with time_machine.travel(first + timedelta(seconds=seconds), tick=False):
            authenticate(issued.secret)
    issued.key.refresh_from_db()
    assert issued.key.last_used_at == first


def test_a_key_acts_with_its_scopes_in_its_own_organization(acme):
    key = management_key(acme, "keys.read", "keys.manage").key
    actor = authenticating.actor_of(key)
    assert (actor.kind, actor.id) == ("key", key.public_id)
    assert actor.rights == frozenset({Right.KEYS_READ, Right.KEYS_MANAGE})
    assert actor.organization_id == acme.pk
    assert not actor.is_operator
