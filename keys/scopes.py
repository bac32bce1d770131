"""From rows to scopes: whose limits a row holds, which row applies to whom, and what people call it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from foundation import ids
from keys import limiting, subjects
from keys.effective import Scope
from keys.limiting import EACH, Target
from keys.models import ApiKey, ScopeLimits
from keys.subjects import Subject
from tenants.models import Organization, Project

_PREFIXES = {"organization": Organization.PREFIX, "project": Project.PREFIX, "key": ApiKey.PREFIX}


def of(row: ScopeLimits, text: str = "") -> Scope:
    """Return a row's scope. To a row for each, `text` says to whom of them it is applied."""
    is_applied = row.scope_id == subjects.EACH and bool(text)
    return Scope(
        scope=row.scope,
        scope_id=row.scope_id,
        budget_id=subjects.budget_of_each(row.pk, text) if is_applied else row.pk,
        own=limiting.of(row),
        plan=None if row.plan is None else limiting.of(row.plan),
        label=text if is_applied else row.label,
    )


def applying(target: Target) -> tuple[ScopeLimits | None, bool]:
    """Return the row that limits the target by itself, and whether it is its own and not the one for each."""
    row = limiting.limits_of(target)
    if row is not None or not isinstance(target, Subject) or not target.text:
        return row, row is not None
    return limiting.limits_of(Subject(target.organization_id, target.scope, "")), False


def subject(row: ScopeLimits) -> str:
    """Return what the row is of: a public id or a text; a key's is that of the first key it came from by rotation."""
    return row.label or ids.public(_PREFIXES[row.scope], row.scope_id)


def names(organization: Organization, budgets: Iterable[UUID]) -> dict[UUID, str]:
    """Return what people call those whose rows have these ids: projects and keys by name, all others by their text."""
    rows = list(ScopeLimits.objects.for_organization(organization).filter(pk__in=set(budgets)))
    wanted = {row.scope_id for row in rows}
    known: dict[UUID, str] = {organization.pk: organization.name}
    known |= dict(Project.objects.for_organization(organization).filter(pk__in=wanted).values_list("pk", "name"))
    keys = ApiKey.objects.for_organization(organization).filter(lineage__in=wanted).order_by("created_at")
    known |= dict(keys.values_list("lineage", "name"))
    return {row.pk: EACH if row.label == EACH else known.get(row.scope_id, row.label) for row in rows}
