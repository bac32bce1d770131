"""What inference does by the clock. Names and times stand in the schedule of `config.celery`."""

from __future__ import annotations

from celery import shared_task

from inference import claims, probing, usage


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
