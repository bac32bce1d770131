"""Every operation of the management API, with what it takes and how to ask for it in a tenant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from foundation import clock
from tenants.roles import Right
from tests.api.world import Tenant


@dataclass(frozen=True)
class Operation:
    """One operation: `path` and `body` as asked of a tenant's objects, `right` nothing if all may ask."""

    id: str
    method: str
    path: Callable[[Tenant], str]
    right: Right | None
    body: Callable[[Tenant], dict[str, Any]] | None = None
    status: int = 200
    # What stands in the path, by its prefix; nothing for lists.
    names: str = ""

    def __str__(self) -> str:
        return self.id


def _one(
    name: str, method: str, path: str, right: Right, body: dict[str, Any] | None = None, status: int = 200
) -> Operation:
    """An operation on one object: `{org}`, `{proj}`, `{key}` or `{plan}` in the path."""
    names = path.partition("{")[2].partition("}")[0]
    return Operation(name, method, lambda of: path.format(**_ids(of)), right, _fixed(body), status, names)


def _many(
    name: str,
    method: str,
    path: str,
    right: Right | None,
    body: Callable[[Tenant], dict[str, Any]] | dict[str, Any] | None = None,
    status: int = 200,
) -> Operation:
    return Operation(name, method, lambda _: path, right, body if callable(body) else _fixed(body), status)


def _fixed(body: dict[str, Any] | None) -> Callable[[Tenant], dict[str, Any]] | None:
    return None if body is None else lambda _: dict(body)


def _ids(of: Tenant) -> dict[str, str]:
    return {
        "org": of.organization.public_id,
        "proj": of.project.public_id,
        "key": of.key.public_id,
        "plan": of.plan.public_id,
        "user": of.viewer.public_id,
    }


def _new_key(of: Tenant) -> dict[str, Any]:
    return {"name": "New", "project": of.project.public_id}


SIMULATION = {
    "scope": "customer",
    "limits": {"rpm": 1},
    "since": "2026-11-01T00:00:00Z",
    "until": "2026-11-08T00:00:00Z",
}


def _limits(name: str, path: str, right: Right) -> list[Operation]:
    """The three operations on the limits of one scope."""
    asked = [
        ("retrieve", "GET", Right.KEYS_READ, None, 200),
        ("replace", "PUT", right, {"limits": {"rpm": 1}}, 200),
        ("remove", "DELETE", right, None, 204),
    ]
    return [
        _one(f"limits_{name}_{verb}", method, path, needed, body, status)
        for verb, method, needed, body, status in asked
    ]


OPERATIONS = [
    _many("organizations_list", "GET", "organizations", Right.ORGANIZATION_READ),
    _one("organizations_retrieve", "GET", "organizations/{org}", Right.ORGANIZATION_READ),
    _one("organizations_update", "PATCH", "organizations/{org}", Right.ORGANIZATION_MANAGE, {"name": "New"}),
    _many("projects_list", "GET", "projects", Right.PROJECTS_READ),
    _many("projects_create", "POST", "projects", Right.PROJECTS_MANAGE, {"name": "New", "slug": "new"}, 201),
    _one("projects_retrieve", "GET", "projects/{proj}", Right.PROJECTS_READ),
    _one("projects_update", "PATCH", "projects/{proj}", Right.PROJECTS_MANAGE, {"name": "New"}),
    _one("projects_archive", "POST", "projects/{proj}/archive", Right.PROJECTS_MANAGE),
    _many("keys_list", "GET", "keys", Right.KEYS_READ),
    _many("keys_create", "POST", "keys", Right.KEYS_MANAGE, _new_key, 201),
    _one("keys_retrieve", "GET", "keys/{key}", Right.KEYS_READ),
    _one("keys_update", "PATCH", "keys/{key}", Right.KEYS_MANAGE, {"name": "New"}),
    _one("keys_rotate", "POST", "keys/{key}/rotate", Right.KEYS_MANAGE, {"overlap_seconds": 60}, 201),
    _one("keys_revoke", "POST", "keys/{key}/revoke", Right.KEYS_MANAGE, {"reason": "lost"}),
    _many("plans_list", "GET", "plans", Right.KEYS_READ),
    _many("plans_create", "POST", "plans", Right.KEYS_MANAGE, {"name": "N", "slug": "n", "limits": {"rpm": 1}}, 201),
    _one("plans_retrieve", "GET", "plans/{plan}", Right.KEYS_READ),
    _one("plans_update", "PATCH", "plans/{plan}", Right.KEYS_MANAGE, {"name": "New"}),
    _many("wallet_retrieve", "GET", "wallet", Right.BILLING_READ),
    _many("statements_list", "GET", "statements", Right.BILLING_READ),
    _many("statements_retrieve", "GET", f"statements/{clock.now():%Y-%m}", Right.BILLING_READ),
    _many("usage_list", "GET", "usage", Right.USAGE_READ),
    _many("usage_summary", "GET", "usage/summary?by=key", Right.USAGE_READ),
    _many("limits_list", "GET", "limits", Right.KEYS_READ),
    _many("limits_organization_retrieve", "GET", "limits/organization", Right.KEYS_READ),
    *_limits("project", "limits/projects/{proj}", Right.PROJECTS_MANAGE),
    *_limits("key", "limits/keys/{key}", Right.KEYS_MANAGE),
    *_limits("member", "limits/members/{user}", Right.ORGANIZATION_MANAGE),
    *_limits("customer", "limits/customers/alice", Right.ORGANIZATION_MANAGE),
    *_limits("model", "limits/models/org/sim", Right.ORGANIZATION_MANAGE),
    *_limits("address", "limits/addresses/2001:db8::1", Right.ORGANIZATION_MANAGE),
    *_limits("each", "limits/each/customer", Right.ORGANIZATION_MANAGE),
    _many("limits_simulate", "POST", "limits/simulate", Right.USAGE_READ, SIMULATION),
    _many("budget_notices_list", "GET", "budget-notices", Right.KEYS_READ),
    _many("prices_list", "GET", "prices", None),
    _many("models_list", "GET", "models", None),
    _many("models_retrieve", "GET", "models/sim", None),
]
BY_ID = {operation.id: operation for operation in OPERATIONS}
# Asked by operators only; tests/api/test_organizations.py and test_limits.py are about them.
OF_OPERATORS = {"organizations_create", "limits_organization_replace", "limits_organization_remove"}
"""What only operators may."""

OF_ONE_OBJECT = [operation for operation in OPERATIONS if operation.names]
READS = [operation for operation in OPERATIONS if operation.method == "GET"]
WITH_RIGHT = [operation for operation in OPERATIONS if operation.right is not None]
POSTS = [operation for operation in OPERATIONS if operation.method == "POST"]
