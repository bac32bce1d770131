"""What billing does by the clock. Names and times stand in the schedule of `config.celery`."""

from __future__ import annotations

from celery import shared_task
from django.db import connection

from billing import reconciliation
from foundation import logs, metrics

log = logs.get(__name__)

# One transaction locks the wallets of that many holds at most.
REAPED_AT_ONCE = 1000


@shared_task(name="billing.tasks.reap_holds")
def reap_holds() -> int:
    """End the holds of processes that died, however many there were. Returns how many."""
    reaped = last = _reap()
    while last == REAPED_AT_ONCE:
        last = _reap()
        reaped += last
    if reaped:
        metrics.holds_expired.inc(reaped)
        log.warning("holds_expired", count=reaped)
    return reaped


def _reap() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT turnpike_reap(%s)", (REAPED_AT_ONCE,))
        (reaped,) = cursor.fetchone()
    return int(reaped)


@shared_task(name="billing.tasks.verify_ledger")
def verify_ledger() -> int:
    """Prove the ledger and what is derived from it; a difference is an error in the log and turns the metric off.

    Returns how many there are.
    """
    differences = reconciliation.verify_all()
    metrics.ledger_verified.set(0 if differences else 1)
    metrics.ledger_verified_at.set_to_current_time()
    for difference in differences:
        log.error("ledger_difference", check=difference.check, subject=difference.subject)
    return len(differences)


@shared_task(name="billing.tasks.ensure_partitions")
def ensure_partitions() -> int:
    """Prepare the next months of the usage table. Returns how many were made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT turnpike_ensure_partitions()")
        (made,) = cursor.fetchone()
    return int(made)
