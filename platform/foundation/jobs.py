"""Jobs: work that leaves the transaction that decided it, after it is committed, by name and with JSON arguments."""

from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from kombu.utils.json import dumps

from foundation import logs, metrics

log = logs.get(__name__)


def run_after_commit(name: str, **kwargs: Any) -> None:
    """Have a worker run the task of this name once the current transaction is committed; at once if there is none.

    Arguments are what Celery's JSON carries (text, numbers, lists, UUIDs, datetimes, bytes); TypeError otherwise,
    now and not after the commit. A job is a hint that something is due, and it can be lost: if the broker is down
    when the commit is done, that is logged and counted, and a schedule must find the work again.
    """
    dumps(kwargs)
    transaction.on_commit(partial(_send, name, kwargs))


def _send(name: str, kwargs: dict[str, Any]) -> None:
    try:
        current_app.send_task(name, kwargs=kwargs)
    except OperationalError:
        # The write is committed: telling the caller that it failed would be a lie, and would invite a second one.
        metrics.jobs_not_sent.inc()
        log.exception("job_not_sent", task=name)
