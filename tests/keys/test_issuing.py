"""Issuing, rotating and revoking keys."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from foundation import clock
from keys import digests, formats, issuing, limiting
from keys.effective import Limits
from keys.errors import InvalidLimit, KeyAlreadyReplaced, KeyAlreadyRevoked, KeyExpired
from keys.models import ApiKey, ScopeLimits
from tenants import isolation, projects
from tenants.audit import Actor
from tenants.errors import InvalidName, ProjectArchived, WiderThanOwn
from tenants.models import AuditEvent, Project, Role
from tenants.roles import RIGHTS, Right
from tests.keys.cast import inference_key, management_key
from tests.tenants import cast


def version(organization):
    organization.refresh_from_db()
    return organization.config_version


def rotate(key: ApiKey, overlap_seconds: int = 3600, actor: Actor = cast.SYSTEM):
    return issuing.rotate(key=key, overlap_seconds=overlap_seconds, actor=actor)


# Issuing


def test_a_key_is_issued_and_its_secret_is_stored_nowhere(acme):
    issued = inference_key(acme)
    key = ApiKey.objects.for_organization(acme).active().get()
    assert (key.kind, key.mode, key.project) == ("inference", "live", cast.project(acme))
    assert bytes(key.digest) == digests.digest(issued.secret, settings.KEY_PEPPER.encode())
    assert key.display == formats.display(issued.secret)
    assert issued.secret not in repr(issued) + str(key.__dict__)


def test_issuing_is_audited_without_the_secret(acme):
    issued = inference_key(acme)
    event = AuditEvent.objects.get(action="key.issued")
    assert event.target_id == issued.key.public_id
    assert event.facts["display"] == issued.key.display
    assert issued.secret not in str(event.__dict__)


def test_a_person_who_issues_a_key_is_noted(acme):
    ada = cast.member(acme, Role.OWNER)
    assert inference_key(acme, actor=Actor.of_user(ada)).key.created_by == ada


def test_a_key_can_have_an_end_a_mode_and_notes(acme):
    end = clock.now() + timedelta(days=1)
    issued = inference_key(acme, expires_at=end, mode=ApiKey.Mode.TEST, metadata={"team": "search"})
    assert issued.secret.startswith("tpk_test_")
    assert (issued.key.expires_at, issued.key.metadata) == (end, {"team": "search"})


@pytest.mark.parametrize(
    ("wishes", "error"),
    [
        ({"name": ""}, InvalidName),
        ({"expires_at": clock.now() - timedelta(seconds=1)}, InvalidLimit),
        ({"metadata": {"": "x"}}, InvalidLimit),
        ({"limits": Limits(rpm=-1)}, InvalidLimit),
    ],
)
def test_nonsense_is_refused(acme, wishes, error):
    with pytest.raises(error):
        inference_key(acme, **wishes)


def test_a_project_that_was_archived_gets_no_key(acme):
    project = cast.project(acme)
    projects.archive(project=project, actor=cast.SYSTEM)
    with pytest.raises(ProjectArchived):
        inference_key(acme, project=project)


def test_a_key_cannot_be_issued_into_somebody_elses_project(acme, globex):
    project = Project.objects.select_related("organization").get(organization=acme)
    with pytest.raises(DatabaseError, match="row-level security"), isolation.scope_to(globex.pk):
        issuing.issue(project=project, name="Planted", actor=cast.SYSTEM)


def test_a_key_stays_within_one_organization_even_where_everything_is_seen(acme, globex):
    key = inference_key(acme).key
    ApiKey.objects.filter(pk=key.pk).update(project=cast.project(globex))
    with pytest.raises(DatabaseError, match="api_key_project_of_its_organization"), transaction.atomic():
        connection.check_constraints()
    ApiKey.objects.filter(pk=key.pk).update(project=cast.project(acme))


def test_a_management_key_has_the_scopes_it_was_given(acme):
    issued = management_key(acme, "keys.read", "usage.read", "keys.read")
    assert issued.secret.startswith("tpm_live_")
    assert (issued.key.scopes, issued.key.project) == (["keys.read", "usage.read"], None)


@pytest.mark.parametrize("scopes", [[], ["keys.destroy"], ["keys.read", ""]])
def test_a_management_key_needs_scopes_that_exist(acme, scopes):
    with pytest.raises(InvalidLimit) as caught:
        issuing.issue_management(organization=acme, name="CI", scopes=scopes, actor=cast.SYSTEM)
    assert caught.value.param == "scopes"


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("right", list(Right))
def test_nobody_issues_a_management_key_wider_than_their_role(acme, role, right):
    actor = Actor.of_user(cast.member(acme, role))
    if right in RIGHTS[role]:
        assert management_key(acme, right, actor=actor).key.scopes == [right]
    else:
        with pytest.raises(WiderThanOwn):
            management_key(acme, right, actor=actor)


def test_a_management_key_hands_out_no_more_than_its_own_scopes(acme):
    actor = Actor.of_key(public_id="key_1", label="CI", scopes=["keys.manage"], organization_id=acme.pk)
    assert management_key(acme, "keys.manage", actor=actor).key.created_by is None
    with pytest.raises(WiderThanOwn):
        management_key(acme, "keys.manage", "members.manage", actor=actor)


def test_a_key_with_limits_wider_than_its_project_is_refused(acme):
    limiting.set_limits(target=cast.project(acme), limits=Limits(rpm=10), actor=cast.SYSTEM)
    inference_key(acme, limits=Limits(rpm=10))
    with pytest.raises(WiderThanOwn) as caught:
        inference_key(acme, limits=Limits(rpm=11))
    assert caught.value.param == "rpm"


# Rotating


def test_a_rotated_key_works_on_for_the_overlap_and_names_its_successor(acme):
    old = inference_key(acme, metadata={"team": "search"}).key
    with time_machine.travel(clock.now(), tick=False):
        new = rotate(old, 3600)
        old.refresh_from_db()
        assert old.expires_at == clock.now() + timedelta(hours=1)
    assert old.replaced_by == new.key
    assert (new.key.project, new.key.name, new.key.metadata) == (old.project, old.name, old.metadata)
    assert bytes(new.key.digest) != bytes(old.digest)


def test_rotating_is_audited_and_the_gateways_hear_of_it(acme):
    old = inference_key(acme).key
    before = version(acme)
    new = rotate(old)
    assert version(acme) == before + 1
    assert AuditEvent.objects.get(action="key.rotated").facts["replaced_by"] == new.key.public_id


def test_rotating_never_prolongs_the_old_key(acme):
    end = clock.now() + timedelta(minutes=1)
    old = inference_key(acme, expires_at=end).key
    rotate(old, 3600)
    old.refresh_from_db()
    assert old.expires_at == end


def test_a_successor_lives_as_long_as_the_key_did(acme):
    old = inference_key(acme, expires_at=clock.now() + timedelta(days=30)).key
    with time_machine.travel(clock.now() + timedelta(days=10)):
        new = rotate(old).key
    assert abs(new.expires_at - new.created_at - timedelta(days=30)) < timedelta(seconds=5)


def test_old_and_new_share_limits_and_budget(acme):
    old = inference_key(acme, limits=Limits(budget_nusd=5, budget_window="lifetime")).key
    new = rotate(old).key
    assert ScopeLimits.objects.get(scope="key").scope_id == old.lineage == new.lineage


def test_without_an_overlap_the_old_key_ends_at_once(acme):
    old = inference_key(acme).key
    new = rotate(old, 0).key
    assert list(ApiKey.objects.for_organization(acme).active()) == [new]


@pytest.mark.parametrize("seconds", [-1, 30 * 24 * 3600 + 1])
def test_an_overlap_has_bounds(acme, seconds):
    with pytest.raises(InvalidLimit):
        rotate(inference_key(acme).key, seconds)


def test_a_key_is_rotated_once(acme):
    old = inference_key(acme).key
    rotate(old)
    with pytest.raises(KeyAlreadyReplaced):
        rotate(old)


def test_a_revoked_key_is_not_rotated(acme):
    old = inference_key(acme).key
    issuing.revoke(key=old, reason="leaked", actor=cast.SYSTEM)
    with pytest.raises(KeyAlreadyRevoked):
        rotate(old)


def test_an_expired_key_is_not_rotated(acme):
    old = inference_key(acme, expires_at=clock.now() + timedelta(seconds=5)).key
    with time_machine.travel(clock.now() + timedelta(seconds=6)), pytest.raises(KeyExpired):
        rotate(old)


def test_nobody_gets_wider_scopes_by_rotating_somebody_elses_key(acme):
    wide = management_key(acme, "billing.manage").key
    with pytest.raises(WiderThanOwn):
        rotate(wide, actor=Actor.of_user(cast.member(acme, Role.ADMIN)))


# Revoking


def test_a_key_is_revoked_with_a_reason_and_the_gateways_hear_of_it(acme):
    key = inference_key(acme).key
    before = version(acme)
    issuing.revoke(key=key, reason=" leaked ", actor=cast.SYSTEM)
    key.refresh_from_db()
    assert (key.revoked_at is not None, key.revoked_reason) == (True, "leaked")
    assert version(acme) == before + 1
    assert AuditEvent.objects.get(action="key.revoked").facts == {"display": key.display, "reason": "leaked"}
    assert not ApiKey.objects.for_organization(acme).active().exists()


def test_a_key_is_revoked_once(acme):
    key = inference_key(acme).key
    issuing.revoke(key=key, reason="leaked", actor=cast.SYSTEM)
    with pytest.raises(KeyAlreadyRevoked):
        issuing.revoke(key=key, reason="again", actor=cast.SYSTEM)


def test_somebody_elses_key_is_not_there_to_be_revoked(acme, globex):
    key = inference_key(acme).key
    with isolation.scope_to(globex.pk), pytest.raises(KeyAlreadyRevoked):
        issuing.revoke(key=key, reason="malice", actor=cast.SYSTEM)
    key.refresh_from_db()
    assert key.revoked_at is None
