"""Who asks, and which organisation they may enter."""

from __future__ import annotations

import pytest

from foundation import ids
from foundation.errors import Forbidden, NotFound
from tenants import isolation
from tenants.audit import Actor
from tenants.models import Organization, Project, Role
from tenants.rest.principals import Principal
from tenants.roles import ALL, Right
from tests.tenants import cast

READ, MANAGE = Right.ORGANIZATION_READ, Right.ORGANIZATION_MANAGE


def program(of: Organization, *scopes: str, operator: bool = False) -> Principal:
    """Somebody with a key of the organisation."""
    actor = Actor.of_key(public_id="key_x", label="CI", scopes=scopes, organization_id=of.pk)
    return Principal.of_key(actor, of.pk, operator=operator)


def test_a_member_enters_and_sees_that_organization_only(acme, globex):
    principal = Principal.of_user(cast.member(acme, Role.VIEWER))
    cast.leave_scope()
    assert principal.enter(acme.pk, READ) == acme
    assert isolation.current() == str(acme.pk)
    assert {project.organization_id for project in Project.objects.all()} == {acme.pk}


def test_a_member_without_the_right_is_told_and_a_stranger_is_not(acme, globex):
    principal = Principal.of_user(cast.member(acme, Role.VIEWER))
    with pytest.raises(Forbidden):
        principal.enter(acme.pk, MANAGE)
    for organization_id in (globex.pk, ids.uuid7()):
        with pytest.raises(NotFound):
            principal.enter(organization_id, READ)


def test_a_program_enters_its_own_organization_with_its_scopes(acme, globex):
    principal = program(acme, READ)
    assert principal.enter(acme.pk, READ) == acme
    with pytest.raises(Forbidden, match=r"organization\.manage"):
        principal.enter(acme.pk, MANAGE)
    with pytest.raises(NotFound):
        principal.enter(globex.pk, READ)


def test_an_operators_program_enters_everywhere_and_hands_out_everything(acme, globex):
    principal = program(acme, operator=True)
    assert principal.enter(globex.pk, MANAGE) == globex
    assert principal.actor.is_operator
    assert principal.actor.rights == ALL
    with pytest.raises(NotFound):
        principal.enter(ids.uuid7(), READ)


def test_a_superuser_is_an_operator_while_active(acme):
    operator = cast.person("Root", is_staff=True, is_superuser=True)
    assert Principal.of_user(operator).enter(acme.pk, MANAGE) == acme
    operator.is_active = False
    with pytest.raises(NotFound):
        Principal.of_user(operator).enter(acme.pk, READ)


@pytest.mark.parametrize("fields", [{}, {"is_staff": True}, {"is_superuser": True, "is_active": False}])
def test_not_everybody_may_found(db, fields):
    assert not Principal.of_user(cast.person(**fields)).may_found
