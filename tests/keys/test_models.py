"""What the tables themselves insist on, and that tenants are apart in them."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection

from foundation import clock
from keys import issuing, limiting, planning
from keys.effective import Limits
from keys.models import ApiKey, Plan, ScopeLimits
from tenants import isolation
from tests.keys.cast import inference_key, management_key
from tests.tenants import cast

TENANT_TABLES = [ApiKey, Plan, ScopeLimits]


@pytest.fixture
def both(acme, globex):
    """Each organisation has a key with a plan of its own."""
    for organization in (acme, globex):
        plan = planning.create(name="Own", slug="own", limits=Limits(), actor=cast.SYSTEM, organization=organization)
        inference_key(organization, plan=plan)


@pytest.mark.parametrize("model", TENANT_TABLES, ids=lambda model: model.__name__)
def test_without_a_scope_nothing_is_visible(both, model):
    cast.leave_scope()
    assert not model.objects.exists()


@pytest.mark.parametrize("model", TENANT_TABLES, ids=lambda model: model.__name__)
def test_a_scope_shows_the_rows_of_its_organization_only(both, acme, model):
    with isolation.scope_to(acme.pk):
        assert set(model.objects.values_list("organization_id", flat=True)) == {acme.pk}


@pytest.mark.parametrize("model", TENANT_TABLES, ids=lambda model: model.__name__)
def test_a_row_cannot_be_changed_from_outside_nor_moved_away(both, acme, globex, model):
    with isolation.scope_to(globex.pk):
        assert model.objects.filter(organization=acme).update(created_at=clock.now()) == 0
    with pytest.raises(ProgrammingError, match="row-level security"), isolation.scope_to(globex.pk):
        model.objects.update(organization=acme)


def test_the_application_cannot_remove_keys(acme):
    inference_key(acme)
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM keys_apikey")


def test_active_keys_are_neither_revoked_nor_expired(acme):
    active = inference_key(acme).key
    inference_key(acme, expires_at=clock.now() + timedelta(hours=1))
    issuing.revoke(key=inference_key(acme).key, reason="leaked", actor=cast.SYSTEM)
    issuing.rotate(key=inference_key(acme).key, overlap_seconds=0, actor=cast.SYSTEM)
    names = ApiKey.objects.for_organization(acme).active()
    assert active in names
    assert names.count() == 3


@pytest.mark.parametrize("change", [{"project": None}, {"kind": "management"}, {"scopes": ["keys.read"]}])
def test_an_inference_key_has_a_project_and_no_scopes(acme, change):
    key = inference_key(acme).key
    with pytest.raises(IntegrityError, match="api_key_kind_says_what_it_opens"):
        ApiKey.objects.filter(pk=key.pk).update(**change)


def test_a_management_key_has_no_project(acme):
    key = management_key(acme).key
    with pytest.raises(IntegrityError, match="api_key_kind_says_what_it_opens"):
        ApiKey.objects.filter(pk=key.pk).update(project=cast.project(acme))


@pytest.mark.parametrize("change", [{"budget_nusd": 5}, {"budget_window": "day"}, {"rpm": -1}])
def test_limits_make_sense(acme, change):
    row = limiting.set_limits(target=acme, limits=Limits(rpm=5), actor=cast.SYSTEM)
    with pytest.raises(IntegrityError):
        ScopeLimits.objects.filter(pk=row.pk).update(**change)


def test_the_limits_of_an_organization_are_its_own(acme, globex):
    with pytest.raises(IntegrityError, match="scope_limits_of_an_organization_are_its_own"):
        ScopeLimits.objects.create(organization=acme, scope="organization", scope_id=globex.pk)


def test_a_key_is_found_by_its_digest_through_an_index_even_below_row_security(acme):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT * FROM keys_apikey WHERE digest = %s", [b"\0" * 32])
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: (digest = " in plan
