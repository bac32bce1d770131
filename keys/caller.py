"""Who is calling: what the database knows of a key, in one row, turned into frozen facts. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from foundation.errors import PlatformError
from keys.effective import Cap, Limits, Rate, Scope, merge
from keys.errors import KeyRevoked
from tenants.errors import OrganizationSuspended, ProjectArchived

KEY_BY_DIGEST = """
SELECT jsonb_build_object(
    'key_id', key.id, 'organization_id', key.organization_id, 'project_id', key.project_id,
    'kind', key.kind, 'mode', key.mode, 'scopes', key.scopes, 'member_id', key.created_by_id,
    'expires_at', extract(epoch FROM key.expires_at), 'revoked', key.revoked_at IS NOT NULL,
    'suspended', organization.status <> 'active', 'archived', project.archived_at IS NOT NULL,
    'time_zone', organization.time_zone, 'fence', organization.config_version,
    'origins', organization.allowed_origins,
    'limits', COALESCE((
        SELECT jsonb_agg(jsonb_build_object(
            'scope', limits.scope, 'scope_id', limits.scope_id, 'budget_id', limits.id,
            'own', to_jsonb(limits), 'plan', CASE WHEN plan.id IS NOT NULL THEN to_jsonb(plan) END))
        FROM (VALUES ('organization', key.organization_id), ('project', key.project_id), ('key', key.lineage))
                AS its(scope, scope_id)
            -- LIMIT and OFFSET see to it that each is reached by its key, however many limits the organization has.
            JOIN LATERAL (
                SELECT * FROM keys_scopelimits own
                WHERE own.organization_id = key.organization_id AND own.scope = its.scope
                    AND own.scope_id = its.scope_id LIMIT 1
            ) limits ON true
            LEFT JOIN keys_plan plan ON plan.id = limits.plan_id
    ), '[]'),
    'finer', ARRAY(
        SELECT finer.scope FROM unnest(ARRAY['member', 'customer', 'model', 'address']) AS finer(scope)
        WHERE EXISTS (
            SELECT FROM keys_scopelimits limits
            WHERE limits.organization_id = key.organization_id AND limits.scope = finer.scope OFFSET 0)))
FROM keys_apikey key
JOIN tenants_organization organization ON organization.id = key.organization_id
LEFT JOIN tenants_project project ON project.id = key.project_id
WHERE key.digest = %s
"""
"""Everything about a key by its digest: one row of one JSON object, or none. Run it where every tenant is seen."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The facts of a good key. `expires_at` is in Unix seconds, `loaded_at` on the monotonic clock.

    `finer` names the scopes of subjects.py in which its organisation has any limits; most have none.
    `origins` are the web pages whose scripts may read the answers; most have none of them, either.
    """

    key_id: UUID
    organization_id: UUID
    project_id: UUID | None
    kind: str
    mode: str
    scopes: frozenset[str]
    time_zone: str
    allowed_models: frozenset[str] | None
    max_output_tokens: int | None
    rates: tuple[Rate, ...]
    caps: tuple[Cap, ...]
    fence: int
    expires_at: float | None
    loaded_at: float
    member_id: UUID | None = None
    finer: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    def allows(self, model: str) -> bool:
        """Say whether the key may use the model with this id."""
        return self.allowed_models is None or model in self.allowed_models


def from_row(row: Mapping[str, Any], loaded_at: float) -> Caller:
    """Build the caller from what KEY_BY_DIGEST returned."""
    effective = merge(_scope(facts) for facts in row["limits"])
    return Caller(
        key_id=UUID(row["key_id"]),
        organization_id=UUID(row["organization_id"]),
        project_id=UUID(row["project_id"]) if row["project_id"] else None,
        kind=row["kind"],
        mode=row["mode"],
        scopes=frozenset(row["scopes"]),
        time_zone=row["time_zone"],
        allowed_models=effective.allowed_models,
        max_output_tokens=effective.max_output_tokens,
        rates=effective.rates,
        caps=effective.caps,
        fence=int(row["fence"]),
        expires_at=None if row["expires_at"] is None else float(row["expires_at"]),
        loaded_at=loaded_at,
        member_id=UUID(row["member_id"]) if row["member_id"] else None,
        finer=frozenset(row["finer"]),
        origins=frozenset(row["origins"]),
    )


def refusal(row: Mapping[str, Any]) -> type[PlatformError] | None:
    """Return why the key does not work, if it does not; its expiry is for the moment of use to judge."""
    if row["revoked"]:
        return KeyRevoked
    if row["suspended"]:
        return OrganizationSuspended
    return ProjectArchived if row["archived"] else None


def _scope(facts: Mapping[str, Any]) -> Scope:
    return Scope(
        scope=facts["scope"],
        scope_id=UUID(facts["scope_id"]),
        budget_id=UUID(facts["budget_id"]),
        own=Limits.of(facts["own"]),
        plan=None if facts["plan"] is None else Limits.of(facts["plan"]),
    )
