"""What workers do for keys, on schedule."""

from celery import shared_task

from keys import expiring


@shared_task(name="keys.tasks.expire_keys")
def expire_keys() -> int:
    """Note expired keys in the audit trail; what one run leaves over is the next one's."""
    return expiring.note_expired()
