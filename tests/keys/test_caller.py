"""What the database knows of a key, turned into frozen facts; the query against the real tables."""

import json
from datetime import timedelta

import pytest
from django.db import connection

from foundation import clock
from keys import caller, issuing, limiting, planning
from keys.effective import Limits
from keys.errors import KeyRevoked
from keys.models import ApiKey
from tenants import organizations, projects
from tenants.errors import OrganizationSuspended, ProjectArchived
from tests.keys.cast import inference_key, management_key
from tests.tenants import cast


def row(key: ApiKey):
    """Return what the gateway's one query tells of the key."""
    with connection.cursor() as cursor:
        cursor.execute(caller.KEY_BY_DIGEST, [bytes(key.digest)])
        ((facts,),) = cursor.fetchall()
    # Django leaves JSON as text to its own fields; the gateway's driver reads it by itself.
    return json.loads(facts)


def test_the_facts_of_a_key(acme):
    organizations.move_to_time_zone(organization=acme, time_zone="Europe/Berlin", actor=cast.SYSTEM)
    end = clock.now() + timedelta(days=1)
    key = inference_key(acme, expires_at=end, mode=ApiKey.Mode.TEST).key
    facts = caller.from_row(row(key), loaded_at=12.5)
    assert (facts.key_id, facts.organization_id, facts.project_id) == (key.pk, acme.pk, key.project_id)
    assert (facts.kind, facts.mode, facts.scopes) == ("inference", "test", frozenset())
    assert (facts.time_zone, facts.fence, facts.loaded_at) == ("Europe/Berlin", 2, 12.5)
    assert facts.expires_at == pytest.approx(end.timestamp(), abs=0.001)


def test_the_origins_of_its_organization_are_among_the_facts(acme):
    organizations.allow_origins(organization=acme, origins=["https://a.test"], actor=cast.SYSTEM)
    assert caller.from_row(row(inference_key(acme).key), 0).origins == {"https://a.test"}


def test_a_management_key_has_scopes_and_no_project(acme):
    facts = caller.from_row(row(management_key(acme, "keys.read").key), 0)
    assert (facts.project_id, set(facts.scopes), facts.expires_at) == (None, {"keys.read"}, None)


def test_without_limits_a_key_may_do_all(acme):
    facts = caller.from_row(row(inference_key(acme).key), 0)
    assert (facts.rates, facts.caps, facts.max_output_tokens) == ((), (), None)
    assert facts.allows("any-model")


def test_limits_of_all_three_scopes_and_of_plans_are_merged(acme):
    plan = planning.create(
        name="Small", slug="small", limits=Limits(rpm=5, allowed_models=frozenset("ab")), actor=cast.SYSTEM
    )
    of_all = limiting.set_limits(target=acme, limits=Limits(rpm=9), plan=plan, actor=cast.SYSTEM)
    limiting.set_limits(target=cast.project(acme), limits=Limits(max_output_tokens=7), actor=cast.SYSTEM)
    budget = Limits(budget_nusd=2**62, budget_window="5h", allowed_models=frozenset("a"))
    key = inference_key(acme, limits=budget).key
    facts = caller.from_row(row(key), 0)
    assert [(rate.scope, rate.rpm) for rate in facts.rates] == [("organization", 5)]
    assert [(cap.scope, cap.scope_id, cap.limit_nusd, cap.window) for cap in facts.caps] == [
        ("key", key.lineage, 2**62, "5h")
    ]
    assert facts.max_output_tokens == 7
    assert (facts.allows("a"), facts.allows("b")) == (True, False)
    assert facts.caps[0].budget_id != of_all.pk


def test_limits_of_somebody_else_do_not_count(acme, globex):
    limiting.set_limits(target=globex, limits=Limits(rpm=0), actor=cast.SYSTEM)
    limiting.set_limits(target=inference_key(acme).key, limits=Limits(rpm=0), actor=cast.SYSTEM)
    assert caller.from_row(row(inference_key(acme).key), 0).rates == ()


def test_old_and_new_key_count_against_the_same_budget(acme):
    old = inference_key(acme, limits=Limits(budget_nusd=5, budget_window="lifetime", rpm=1)).key
    new = issuing.rotate(key=old, overlap_seconds=60, actor=cast.SYSTEM).key
    before, after = (caller.from_row(row(key), 0) for key in (old, new))
    assert before.caps == after.caps
    assert before.rates == after.rates


def test_a_good_key_is_refused_for_nothing(acme):
    assert caller.refusal(row(inference_key(acme).key)) is None


def test_a_revoked_key_is_refused_as_that_whatever_else_is_wrong(acme):
    key = inference_key(acme).key
    issuing.revoke(key=key, reason="leaked", actor=cast.SYSTEM)
    organizations.suspend(organization=acme, reason="fraud", actor=cast.SYSTEM)
    assert caller.refusal(row(key)) is KeyRevoked


def test_a_suspended_organization_and_an_archived_project_are_refused(acme):
    key = inference_key(acme).key
    projects.archive(project=cast.project(acme), actor=cast.SYSTEM)
    assert caller.refusal(row(key)) is ProjectArchived
    organizations.suspend(organization=acme, reason="fraud", actor=cast.SYSTEM)
    assert caller.refusal(row(key)) is OrganizationSuspended
