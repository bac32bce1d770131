"""Who is behind a key, for Django's edges: the management API asks here, the gateway asks verification.py."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from foundation import clock
from keys import activity, digests, formats
from keys.errors import InvalidApiKey, KeyExpired, KeyRevoked
from keys.models import ApiKey
from tenants import isolation
from tenants.audit import Actor
from tenants.errors import OrganizationSuspended, ProjectArchived
from tenants.models import Organization

# The time of last use is exact to this; a busy client does not make every request a write.
USE_NOTED_EVERY = timedelta(minutes=1)


def authenticate(secret: str, kind: ApiKey.Kind) -> ApiKey:
    """Return the good key of this kind behind the secret, with its organisation and project.

    Enters no scope: do that next, with `isolation.enter(key.organization_id)`. Raises InvalidApiKey, KeyRevoked,
    KeyExpired, OrganizationSuspended and ProjectArchived.
    """
    if not formats.looks_valid(secret) or formats.kind_of(secret) != kind:
        raise InvalidApiKey
    digest = digests.digest(secret, settings.KEY_PEPPER.encode())
    with isolation.everything():
        key = _good(ApiKey.objects.select_related("organization", "project").filter(digest=digest).first())
        now = clock.now()
        if key.last_used_at is None or now - key.last_used_at >= USE_NOTED_EVERY:
            activity.note({key.pk: now})
    return key


def actor_of(key: ApiKey) -> Actor:
    """Return the key as somebody who acts, with its scopes as rights in its own organisation."""
    return Actor.of_key(
        public_id=key.public_id,
        label=f"{key.name} {key.display}",
        scopes=key.scopes,
        organization_id=key.organization_id,
    )


def _good(key: ApiKey | None) -> ApiKey:
    if key is None:
        raise InvalidApiKey
    if key.revoked_at is not None:
        raise KeyRevoked
    if key.organization.status != Organization.Status.ACTIVE:
        raise OrganizationSuspended
    if key.project is not None and key.project.archived_at is not None:
        raise ProjectArchived
    if key.expires_at is not None and key.expires_at <= clock.now():
        raise KeyExpired
    return key
