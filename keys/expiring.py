"""Noting in the audit trail that keys have come to their end. They end by the clock: nothing waits for this."""

from __future__ import annotations

from foundation import clock
from keys.models import ApiKey
from tenants import audit, configuration, isolation
from tenants.audit import Actor

BATCH = 500

_ACTOR = Actor.system("expire_keys")


def note_expired(limit: int = BATCH) -> int:
    """Record each expired key once, in all organisations, and tell the gateways; return how many there were."""
    with isolation.everything():
        now = clock.now()
        due = ApiKey.objects.filter(expires_at__lte=now, revoked_at=None, expiry_noted_at=None)
        # Another worker may be at it: each takes keys that nobody else has.
        keys = list(due.select_for_update(skip_locked=True, no_key=True).order_by("organization_id", "pk")[:limit])
        _note(keys)
    return len(keys)


def _note(keys: list[ApiKey]) -> None:
    ApiKey.objects.filter(pk__in=[key.pk for key in keys]).update(expiry_noted_at=clock.now())
    for organization_id in sorted({key.organization_id for key in keys}):
        configuration.bump(organization_id)
    for key in keys:
        audit.record(_ACTOR, "key.expired", key, display=key.display, expires_at=key.expires_at)
