"""Plans: limits under a name."""

import pytest

from foundation.errors import Forbidden
from keys import limiting, planning
from keys.effective import Limits
from keys.errors import InvalidLimit
from keys.models import Plan
from tenants import isolation
from tenants.audit import Actor
from tenants.errors import SlugTaken
from tenants.models import AuditEvent, Role
from tests.tenants import cast


def create(slug: str = "team", **wishes) -> Plan:
    return planning.create(**{"name": "Team", "slug": slug, "limits": Limits(rpm=10), "actor": cast.SYSTEM, **wishes})


def test_a_plan_of_the_platform_is_seen_by_every_organization(acme):
    plan = create()
    with isolation.scope_to(acme.pk):
        assert list(Plan.objects.all()) == [plan]
    cast.leave_scope()
    assert not Plan.objects.exists()


def test_a_plan_of_an_organization_is_seen_by_that_one_only(acme, globex):
    create(organization=acme)
    with isolation.scope_to(globex.pk):
        assert not Plan.objects.exists()


def test_a_plan_of_the_platform_cannot_be_changed_in_the_scope_of_an_organization(acme):
    create()
    with isolation.scope_to(acme.pk):
        assert Plan.objects.update(rpm=None) == 0


def test_only_operators_make_and_change_plans_of_the_platform(acme):
    owner = Actor.of_user(cast.member(acme, Role.OWNER))
    with pytest.raises(Forbidden):
        create(actor=owner)
    with pytest.raises(Forbidden):
        planning.change(plan=create(), limits=Limits(), actor=owner)
    assert create(actor=owner, organization=acme).organization == acme


def test_a_slug_is_taken_once_in_an_organization_and_once_in_the_platform(acme):
    for organization in (None, acme):
        create(organization=organization)
        with pytest.raises(SlugTaken):
            create(organization=organization)


def test_nonsense_is_refused(db):
    with pytest.raises(InvalidLimit):
        create(limits=Limits(rpm=-1))


def test_everybody_who_has_a_plan_hears_of_its_change(acme, globex):
    plan = create()
    limiting.set_limits(target=acme, limits=Limits(), plan=plan, actor=cast.SYSTEM)
    planning.change(plan=plan, limits=Limits(rpm=20, tpm=5), actor=cast.SYSTEM)
    plan.refresh_from_db()
    acme.refresh_from_db()
    globex.refresh_from_db()
    assert (plan.rpm, plan.tpm, acme.config_version, globex.config_version) == (20, 5, 3, 1)
    facts = AuditEvent.objects.get(action="plan.changed").facts
    assert facts == {"before": {"rpm": 10}, "after": {"rpm": 20, "tpm": 5}}
