"""The table of rights."""

import pytest

from tenants import roles
from tenants.models import Role
from tenants.roles import ALL, RIGHTS, Right


def test_every_role_is_in_the_table():
    assert set(RIGHTS) == set(Role)


def test_an_owner_may_do_everything():
    assert roles.rights(Role.OWNER) == ALL


def test_an_admin_may_do_everything_but_manage_billing():
    assert ALL - roles.rights(Role.ADMIN) == {Right.BILLING_MANAGE}


@pytest.mark.parametrize(
    ("role", "right"),
    [
        (Role.DEVELOPER, Right.KEYS_MANAGE),
        (Role.BILLING, Right.BILLING_MANAGE),
        (Role.VIEWER, Right.USAGE_READ),
        (Role.VIEWER, Right.KEYS_READ),
    ],
)
def test_a_role_includes_what_it_is_for(role, right):
    assert roles.allows(role, right)


@pytest.mark.parametrize(
    ("role", "right"),
    [
        (Role.DEVELOPER, Right.MEMBERS_MANAGE),
        (Role.DEVELOPER, Right.BILLING_READ),
        (Role.BILLING, Right.KEYS_READ),
        (Role.VIEWER, Right.KEYS_MANAGE),
        (Role.VIEWER, Right.AUDIT_READ),
    ],
)
def test_a_role_leaves_out_what_it_is_not_for(role, right):
    assert not roles.allows(role, right)


def test_a_viewer_changes_nothing():
    assert not [right for right in roles.rights(Role.VIEWER) if right.endswith(".manage")]


@pytest.mark.parametrize("role", ["", "root", "OWNER"])
def test_an_unknown_role_may_do_nothing(role):
    assert roles.rights(role) == frozenset()
