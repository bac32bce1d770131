"""What inference does by the clock. Names and times stand in the schedule of `config.celery`."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from inference import claims, probing, usage
from inference.limits import notices


@shared_task(name="inference.tasks.roll_up_usage")
def roll_up_usage() -> int:
    """Recompute the hours and days of usage that have news. Returns how many rows changed."""
    return usage.roll_up()


@shared_task(name="inference.tasks.forget_claims")
def forget_claims() -> int:
    """Remove Idempotency-Keys that are older than they count. Returns how many."""
    return claims.forget()


@shared_task(name="inference.tasks.probe_replicas")
def probe_replicas() -> int:
    """Ask every engine for its health. Returns how many replicas changed their state."""
    return probing.probe_replicas()


@shared_task(name="inference.tasks.announce_budget_notices")
def announce_budget_notices() -> int:
    """Have a mail sent to every organisation that was not told of its budgets yet. Returns how many there are."""
    return notices.announce()


@shared_task(name="inference.tasks.mail_budget_notices")
def mail_budget_notices(organization_id: str) -> int:
    """Tell an organisation which marks its budgets have passed. Returns how many."""
    return notices.mail(UUID(organization_id))
