"""Giving an organisation, a project or a key its limits."""

import pytest

from foundation.errors import Forbidden, NotFound
from keys import limiting, planning, subjects
from keys.effective import Limits
from keys.errors import InvalidLimit
from keys.models import ScopeLimits
from tenants.audit import Actor
from tenants.errors import WiderThanOwn
from tenants.models import AuditEvent, Role
from tests.keys.cast import inference_key
from tests.tenants import cast

FULL = Limits(
    rpm=60,
    tpm=1000,
    input_tpm=800,
    output_tpm=200,
    concurrency=2,
    max_output_tokens=256,
    allowed_models=frozenset({"a", "b"}),
    budget_nusd=10**9,
    budget_window="5h",
)


def set_limits(target, limits: Limits, **wishes) -> ScopeLimits:
    return limiting.set_limits(target=target, limits=limits, **{"actor": cast.SYSTEM, **wishes})


def plan(limits: Limits, organization=None):
    return planning.create(name="Team", slug="team", limits=limits, actor=cast.SYSTEM, organization=organization)


def test_limits_are_stored_as_they_were_given(acme):
    row = set_limits(acme, FULL)
    row.refresh_from_db()
    assert limiting.of(row) == FULL
    assert (row.scope, row.scope_id) == ("organization", acme.pk)


def test_setting_limits_again_replaces_them_and_keeps_the_budgets_purse(acme):
    first = set_limits(acme, FULL)
    second = set_limits(acme, Limits(rpm=1))
    assert second.pk == first.pk
    assert limiting.of(second) == Limits(rpm=1)


def test_setting_limits_is_audited_and_the_gateways_hear_of_it(acme):
    set_limits(acme, Limits(rpm=0), plan=plan(FULL))
    acme.refresh_from_db()
    assert acme.config_version == 2
    facts = AuditEvent.objects.get(action="limits.set").facts
    assert facts["limits"] == {"rpm": 0}
    assert facts["plan"].startswith("plan_")


def test_only_operators_limit_an_organization(acme):
    owner = Actor.of_user(cast.member(acme, Role.OWNER))
    with pytest.raises(Forbidden):
        set_limits(acme, Limits(), actor=owner)
    set_limits(cast.project(acme), Limits(rpm=5), actor=owner)


@pytest.mark.parametrize(
    ("limits", "param"),
    [
        (Limits(rpm=-1), "rpm"),
        (Limits(tpm=2**31), "tpm"),
        (Limits(budget_nusd=-1, budget_window="day"), "budget_nusd"),
        (Limits(budget_nusd=2**63, budget_window="day"), "budget_nusd"),
        (Limits(budget_nusd=1), "budget_window"),
        (Limits(budget_window="day"), "budget_window"),
        (Limits(budget_nusd=1, budget_window="fortnight"), "budget_window"),
    ],
)
def test_nonsense_is_refused_by_name(acme, limits, param):
    with pytest.raises(InvalidLimit) as caught:
        set_limits(acme, limits)
    assert caught.value.param == param


def test_a_project_is_held_to_its_organization_and_the_plan_of_that(acme):
    set_limits(acme, Limits(rpm=10), plan=plan(Limits(tpm=100)))
    project = cast.project(acme)
    set_limits(project, Limits(rpm=10, tpm=100))
    for wide in (Limits(rpm=11), Limits(tpm=101)):
        with pytest.raises(WiderThanOwn):
            set_limits(project, wide)


def test_a_key_is_held_to_its_project_and_its_organization(acme):
    key = inference_key(acme).key
    set_limits(acme, Limits(concurrency=8))
    set_limits(cast.project(acme), Limits(rpm=10))
    assert set_limits(key, Limits(rpm=10, concurrency=8)).scope_id == key.lineage
    for wide in (Limits(rpm=11), Limits(concurrency=9)):
        with pytest.raises(WiderThanOwn):
            set_limits(key, wide)


def test_a_plan_wider_than_what_is_above_is_refused_like_limits(acme):
    set_limits(acme, Limits(rpm=10))
    with pytest.raises(WiderThanOwn):
        set_limits(cast.project(acme), Limits(), plan=plan(Limits(rpm=11)))


def test_a_plan_of_somebody_else_is_not_found(acme, globex):
    with pytest.raises(NotFound):
        set_limits(acme, Limits(), plan=plan(Limits(), organization=globex))


def test_a_subject_is_limited_by_its_name_and_heard_of(acme):
    alice = limiting.subject(acme, "customer", "alice")
    row = set_limits(alice, FULL)
    assert (row.scope, row.scope_id, row.label) == ("customer", alice.scope_id, "alice")
    acme.refresh_from_db()
    assert acme.config_version == 2
    event = AuditEvent.objects.get(action="limits.set")
    assert (event.organization_id, event.facts["scope"], event.facts["label"]) == (acme.pk, "customer", "alice")


def test_limits_for_each_are_a_row_without_a_name_of_its_own(acme):
    row = set_limits(limiting.subject(acme, "address", None), Limits(rpm=5))
    assert (row.scope_id, row.label) == (subjects.EACH, "each")


def test_a_subject_is_held_to_its_organization(acme):
    set_limits(acme, Limits(rpm=10))
    with pytest.raises(WiderThanOwn):
        set_limits(limiting.subject(acme, "customer", None), Limits(rpm=11))


def test_a_member_is_one_of_the_organization(acme, globex):
    ours, theirs = cast.member(acme, Role.DEVELOPER), cast.member(globex, Role.DEVELOPER)
    row = set_limits(limiting.subject(acme, "member", ours.public_id), Limits(rpm=1))
    assert row.label == ours.public_id
    for name in (theirs.public_id, "nobody"):
        with pytest.raises(NotFound):
            limiting.subject(acme, "member", name)


@pytest.mark.parametrize(
    ("scope", "name", "param"),
    [("continent", "asia", "scope"), ("customer", "a\nb", "label"), ("model", "", "label"), ("address", "x", "label")],
)
def test_what_can_be_no_subject_is_refused_by_name(acme, scope, name, param):
    with pytest.raises(InvalidLimit) as caught:
        limiting.subject(acme, scope, name)
    assert caught.value.param == param


def test_limits_of_a_subject_can_be_taken_away(acme):
    alice = limiting.subject(acme, "customer", "alice")
    set_limits(alice, Limits(rpm=1))
    limiting.remove_limits(target=alice, actor=cast.SYSTEM)
    assert not ScopeLimits.objects.exists()
    assert AuditEvent.objects.get(action="limits.removed").facts["limits"] == {"rpm": 1}
    with pytest.raises(NotFound):
        limiting.remove_limits(target=alice, actor=cast.SYSTEM)
