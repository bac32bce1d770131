"""Row-level security: a transaction sees the rows of the tenant it is scoped to, and no others."""

import pytest
from django.db import ProgrammingError, connection, transaction

from tenants import isolation
from tenants.models import AuditEvent, Membership, Organization, Project, Role
from tests.tenants import cast

TENANT_TABLES = [Organization, Project, Membership, AuditEvent]


@pytest.fixture
def both(acme, globex):
    cast.member(acme, Role.OWNER)
    cast.member(globex, Role.OWNER)


@pytest.mark.parametrize("model", TENANT_TABLES, ids=lambda model: model.__name__)
def test_without_a_scope_nothing_is_visible(both, model):
    cast.leave_scope()
    assert not model.objects.exists()


@pytest.mark.parametrize("model", TENANT_TABLES, ids=lambda model: model.__name__)
def test_a_scope_shows_the_rows_of_its_organization_only(both, acme, model):
    column = "pk" if model is Organization else "organization_id"
    with isolation.scope_to(acme.pk):
        assert set(model.objects.values_list(column, flat=True)) == {acme.pk}


@pytest.mark.parametrize("model", TENANT_TABLES, ids=lambda model: model.__name__)
def test_operators_see_everything(both, model):
    cast.leave_scope()
    with isolation.everything():
        assert model.objects.count() >= 2


def test_a_change_does_not_reach_the_rows_of_somebody_else(acme, globex):
    with isolation.scope_to(globex.pk):
        assert Project.objects.filter(organization=acme).update(name="Ours now") == 0
    assert cast.project(acme).name == "Default"


def test_a_removal_does_not_reach_the_rows_of_somebody_else(both, acme, globex):
    with isolation.scope_to(globex.pk):
        assert Membership.objects.filter(organization=acme).delete()[0] == 0
    assert Membership.objects.for_organization(acme).exists()


def test_a_row_for_somebody_else_is_refused(acme, globex):
    with pytest.raises(ProgrammingError, match="row-level security"), isolation.scope_to(globex.pk):
        Project.objects.create(organization=acme, name="Planted", slug="planted")


def test_a_row_cannot_be_moved_to_somebody_else(acme, globex):
    with pytest.raises(ProgrammingError, match="row-level security"), isolation.scope_to(globex.pk):
        Project.objects.update(organization=acme)


def test_an_organization_cannot_be_made_in_the_scope_of_another(acme):
    with pytest.raises(ProgrammingError, match="row-level security"), isolation.scope_to(acme.pk):
        Organization.objects.create(name="Initech", slug="initech")


def test_the_application_cannot_remove_organizations(acme):
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM tenants_organization")


def test_nested_scopes_are_restored(acme, globex):
    with isolation.scope_to(acme.pk):
        with isolation.everything():
            with isolation.scope_to(globex.pk):
                assert isolation.current() == str(globex.pk)
            assert isolation.current() == "all"
        assert isolation.current() == str(acme.pk)


def test_a_scope_is_restored_after_an_error(acme, globex):
    with isolation.scope_to(acme.pk):
        with pytest.raises(ProgrammingError), isolation.scope_to(globex.pk):
            connection.cursor().execute("SELECT nonsense")
        assert isolation.current() == str(acme.pk)


def test_an_entered_scope_ends_with_the_block_around_it(acme, globex):
    with isolation.scope_to(acme.pk):
        isolation.enter(globex.pk)
        assert isolation.current() == str(globex.pk)
    assert isolation.current() == "all"


def test_a_scope_opens_a_transaction_and_ends_with_it(fresh_database):
    with isolation.everything():
        assert connection.in_atomic_block
    assert isolation.current() == ""


def test_an_entered_scope_ends_with_the_transaction(fresh_database):
    with isolation.everything():
        acme = cast.organization()
    with transaction.atomic():
        isolation.enter(acme.pk)
        assert Organization.objects.get() == acme
    assert not Organization.objects.exists()


def test_a_scope_cannot_be_entered_without_a_transaction(fresh_database):
    with pytest.raises(isolation.OutsideTransaction):
        isolation.enter(cast.organization().pk)
