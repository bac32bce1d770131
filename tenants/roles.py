"""Roles as a table of rights."""

from collections.abc import Mapping
from enum import StrEnum

from tenants.models import Role


class Right(StrEnum):
    """One thing one may do in an organisation. Also the scopes of management keys: the values are public."""

    ORGANIZATION_READ = "organization.read"
    ORGANIZATION_MANAGE = "organization.manage"
    MEMBERS_READ = "members.read"
    MEMBERS_MANAGE = "members.manage"
    PROJECTS_READ = "projects.read"
    PROJECTS_MANAGE = "projects.manage"
    KEYS_READ = "keys.read"
    KEYS_MANAGE = "keys.manage"
    USAGE_READ = "usage.read"
    BILLING_READ = "billing.read"
    BILLING_MANAGE = "billing.manage"
    AUDIT_READ = "audit.read"


ALL: frozenset[Right] = frozenset(Right)

PLATFORM = "platform"
"""A scope of management keys that is no right: it stands above every organisation, and only operators grant it."""

_EVERYBODY = {Right.ORGANIZATION_READ, Right.MEMBERS_READ, Right.PROJECTS_READ, Right.USAGE_READ}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.OWNER: ALL,
    Role.ADMIN: ALL - {Right.BILLING_MANAGE},
    Role.DEVELOPER: frozenset(_EVERYBODY | {Right.KEYS_READ, Right.KEYS_MANAGE}),
    Role.BILLING: frozenset(_EVERYBODY | {Right.BILLING_READ, Right.BILLING_MANAGE}),
    Role.VIEWER: frozenset(_EVERYBODY | {Right.KEYS_READ}),
}


def rights(role: str) -> frozenset[Right]:
    """Return what a role may do; an unknown role may do nothing."""
    return RIGHTS.get(Role(role), frozenset()) if role in Role.values else frozenset()


def allows(role: str, right: Right) -> bool:
    """Say whether the role includes the right."""
    return right in rights(role)
