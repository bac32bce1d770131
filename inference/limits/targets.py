"""Whose limits an address or a body names, within one organisation."""

from __future__ import annotations

from foundation import ids
from foundation.errors import InvalidRequest, NotFound
from inference.models import Model
from keys import limiting, subjects
from keys.limiting import EACH, Target
from keys.models import ApiKey, ScopeLimits
from tenants.models import Organization, Project


def find(organization: Organization, scope: str, text: str) -> Target:
    """Return what a scope and a public id or a text name; `each` is for each subject, no text the organisation.

    Raises NotFound for what is unknown or somebody else's, InvalidLimit for a text that cannot be one, and
    InvalidRequest for a management key, which has no limits.
    """
    if scope == ScopeLimits.Scope.ORGANIZATION:
        return organization
    if scope == ScopeLimits.Scope.PROJECT:
        return _project(organization, text)
    if scope == ScopeLimits.Scope.KEY:
        return _key(organization, text)
    if scope == subjects.MODEL:
        text = _model(text)
    return limiting.subject(organization, scope, text)


def each(organization: Organization, scope: str) -> Target:
    """Return the template for each member, customer, model or address. Raises NotFound for any other scope."""
    if scope not in subjects.SCOPES:
        raise NotFound
    return limiting.subject(organization, scope, None)


def name(target: Target) -> str:
    """Return how the target is named in addresses."""
    return (target.text or EACH) if isinstance(target, subjects.Subject) else target.public_id


def scope(target: Target) -> str:
    """Return the target's scope."""
    if isinstance(target, subjects.Subject):
        return target.scope
    kinds = {Organization: ScopeLimits.Scope.ORGANIZATION, Project: ScopeLimits.Scope.PROJECT}
    return kinds.get(type(target), ScopeLimits.Scope.KEY).value


def _model(name: str) -> str:
    """Return the id behind an alias: requests count as those of the model that it stands for, and so do its limits.

    What cannot be a name is nobody's, and may hold what Postgres cannot look for.
    """
    if not subjects.is_name(name):
        return name
    if Model.objects.filter(pk=name).exists():
        return name
    found: str | None = Model.objects.filter(aliases__contains=[name]).values_list("pk", flat=True).first()
    return found or name


def _project(organization: Organization, text: str) -> Project:
    try:
        found = Project.objects.for_organization(organization).filter(pk=ids.parse(Project.PREFIX, text)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound
    return found


def _key(organization: Organization, text: str) -> ApiKey:
    try:
        found = ApiKey.objects.for_organization(organization).filter(pk=ids.parse(ApiKey.PREFIX, text)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound
    if found.kind == ApiKey.Kind.MANAGEMENT:
        raise InvalidRequest("A management key has no limits.")
    return found
