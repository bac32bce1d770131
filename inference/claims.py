"""Idempotency-Keys that have served their time."""

from __future__ import annotations

from datetime import timedelta

from foundation import clock
from inference.models import IdempotencyClaim
from tenants import isolation

KEPT_FOR = timedelta(days=1)


def forget() -> int:
    """Remove claims older than a day: the gateway would not heed them any more. Returns how many."""
    with isolation.everything():
        removed, _ = IdempotencyClaim.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()
    return removed
